"""NAS-Bench-Macro (Su et al. 2021, arXiv:2103.11922): the layer at each of eight positions, 6,561 networks.

A layer is an inverted bottleneck or nothing. The network around them is the published one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from netwright.core.architecture import Answer, Architecture, Signature
from netwright.core.contracts import Need
from netwright.core.space import Choice, Seq, Space, Term, op
from netwright.errors import SpaceError
from netwright.spaces._blocks import bottleneck, conv_norm

__all__ = ["LAYERS", "STAGES", "needs", "offers", "row", "space", "trace"]

needs = frozenset({Need.IMAGES})
offers = frozenset({Need.FINITE})

LAYERS = ("identity", "MB3_K3", "MB6_K5")
"""The published names: an inverted bottleneck with its expansion and kernel."""

STAGES = (2, 3, 3)
"""Positions in each stage; the first of a stage halves the map and doubles the channels."""


def space(signature: Signature, *, width: int = 32, features: int = 1280) -> Space:
    """The space for images: ``width`` channels before the first stage, ``features`` after the last."""
    parts: list[Term] = [conv_norm(width, 3, kind="relu")]
    for depth in STAGES:
        width *= 2
        for place in range(depth):
            stride = 1 if place else 2
            nothing = op("identity") if place else conv_norm(width, stride=2)
            layers = (bottleneck(width, expand, kernel, stride, skip=place > 0) for expand, kernel in ((3, 3), (6, 5)))
            parts.append(Choice(nothing, *layers, name=f"layer{len(parts) - 1}"))
    parts += [conv_norm(features, kind="relu"), op("global_pool"), op("linear", units=signature.outputs)]
    return Space(Seq(*parts), name="macro", signature=signature)


def trace(row: Mapping[str, Any]) -> dict[str, Answer]:
    """The decisions of a published string ``arch`` of eight digits."""
    text = row["arch"]
    if len(text) != sum(STAGES) or set(text) - set("012"):
        raise SpaceError(f"{text!r} is not a network of NAS-Bench-Macro", where="macro")
    return {f"layer{i}": int(digit) for i, digit in enumerate(text)}


def row(architecture: Architecture) -> dict[str, Any]:
    """The published string of an architecture."""
    decisions = architecture.decisions
    return {"arch": "".join(str(decisions[f"layer{i}"]) for i in range(sum(STAGES)))}
