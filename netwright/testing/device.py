"""What every device must do. ``check_all(device, architecture, signature)`` runs the lot."""

from __future__ import annotations

from netwright.core.architecture import Architecture, Node, Signature
from netwright.core.contracts import Device

__all__ = ["check_all"]


def check_all(device: Device, architecture: Architecture, signature: Signature) -> None:
    """Everything below. Raises AssertionError."""
    check_profile(device, architecture, signature)
    check_refusals(device, architecture, signature)


def check_profile(device: Device, architecture: Architecture, signature: Signature) -> None:
    """A latency in milliseconds, positive, with its quartiles around it and what it was measured with."""
    measured = device.profile(architecture, signature)
    latency = measured.values["latency_ms"]
    assert 0 < latency < 60_000
    assert measured.notes["latency_p25"] <= latency <= measured.notes["latency_p75"]
    assert measured.notes["runs"] >= 10
    assert measured.notes["threads"] >= 1


def check_refusals(device: Device, architecture: Architecture, signature: Signature) -> None:
    """What it runs it does not refuse; what it cannot run it names by layer and path."""
    assert list(device.refuses(architecture, signature)) == []
    place = len(architecture.nodes)
    last = architecture.outputs[0]
    soft = Architecture((*architecture.nodes, Node("mix", (last, last), (), "", "a.hole")), (place,))
    refused = device.refuses(soft, signature)
    assert refused, "it would run a network with open decisions"
    assert all("mix" in text for text in refused)
