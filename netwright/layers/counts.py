"""Parameters, FLOPs and peak memory of an architecture, exactly, from its nodes alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import prod
from typing import Any, NamedTuple

from netwright.core.architecture import Architecture, Attrs, Node, Signature, Tensor
from netwright.errors import SpaceError
from netwright.layers.base import Layer, layer

__all__ = ["Counts", "Step", "count", "shapes", "steps"]

_BYTES = {"float32": 4, "int64": 8, "int32": 4, "uint8": 1, "bool": 1}


@dataclass(frozen=True)
class Counts:
    """``params``: trainable numbers; ``flops``: 2 × multiply-adds, batch 1; ``peak_bytes``: see metric ``peak_kib``."""

    params: int
    flops: int
    peak_bytes: int

    @property
    def values(self) -> dict[str, float]:
        """As metrics: ``params``, ``flops``, ``peak_kib``."""
        return {"params": float(self.params), "flops": float(self.flops), "peak_kib": self.peak_bytes / 1024}


class Step(NamedTuple):
    """A node with all that is asked of it where a network is built or written down."""

    node: Node
    layer: Layer
    inputs: tuple[Tensor, ...]
    attrs: dict[str, Any]
    output: Tensor


@lru_cache(maxsize=65536)
def _one(op: str, attrs: Attrs, inputs: tuple[Tensor, ...]) -> tuple[Tensor, int, int, int]:
    """Output, parameters, FLOPs and own bytes of one layer; the same few layers come back thousands of times."""
    kind, given = layer(op), dict(attrs)
    if kind.arity is not None and len(inputs) != kind.arity:
        raise SpaceError(f"{op} takes {kind.arity} inputs, not {len(inputs)}")
    if unknown := [name for name in given if name not in kind.attributes]:
        known = f"Known: {', '.join(kind.attributes)}." if kind.attributes else "It has none."
        raise SpaceError(f"{op} has no attribute {unknown[0]!r}", todo=known)
    try:
        out = kind.shape(inputs, given)
    except KeyError as missing:
        raise SpaceError(f"{op} needs the attribute {missing}") from None
    own = 0 if kind.view(inputs, given) else _bytes(out)
    return out, kind.params(inputs, given), kind.flops(inputs, given), own


def _bytes(x: Tensor) -> int:
    return prod(x.shape) * _BYTES[x.dtype]


def _inputs(node: Node, outs: Sequence[Tensor], signature: Signature) -> tuple[Tensor, ...]:
    return tuple(outs[i] if i >= 0 else signature.input(i) for i in node.inputs)


def shapes(architecture: Architecture, signature: Signature) -> list[Tensor]:
    """The output of every node. Raises :class:`SpaceError` naming the node where a layer does not fit."""
    outs: list[Tensor] = []
    for place, node in enumerate(architecture.nodes):
        try:
            outs.append(_one(node.op, node.attrs, _inputs(node, outs, signature))[0])
        except SpaceError as error:
            raise SpaceError(
                str(error), where=f"node {place} ({node.op}{' at ' + node.weights if node.weights else ''})"
            ) from None
    return outs


def steps(architecture: Architecture, signature: Signature) -> list[Step]:
    """The nodes in order, with their layers and shapes. Raises as :func:`shapes` does, and where two layers claim one path."""
    outs = shapes(architecture, signature)
    found: list[Step] = []
    owners: dict[str, str] = {}
    for node, out in zip(architecture.nodes, outs, strict=True):
        step = Step(node, layer(node.op), _inputs(node, outs, signature), dict(node.attrs), out)
        if step.layer.stores(step.inputs, step.attrs):
            text = step.layer.source(step.inputs, step.attrs)
            if owners.setdefault(node.weights, text) != text:
                raise SpaceError(f"two layers share weights: {owners[node.weights]} and {text}", where=node.weights)
        found.append(step)
    return found


def count(architecture: Architecture, signature: Signature) -> Counts:
    """Count an architecture. Weights that live at one path are counted once. Raises as :func:`shapes` does."""
    nodes = architecture.nodes
    outs: list[Tensor] = []
    sizes: list[int] = []
    seen: set[str] = set()
    params = flops = 0
    for node in nodes:
        try:
            out, own, work, size = _one(node.op, node.attrs, _inputs(node, outs, signature))
        except SpaceError:
            shapes(architecture, signature)  # raises again, naming the node
            raise
        if own and node.weights not in seen:
            params += own
            seen.add(node.weights)
        flops += work
        outs.append(out)
        sizes.append(size)
    return Counts(params, flops, _peak(architecture, signature, sizes))


def _peak(architecture: Architecture, signature: Signature, sizes: Sequence[int]) -> int:
    """Bytes alive at the worst moment: while a node runs, its output and all that it or a later node still reads.

    A view (size 0) is its first input's memory, which lives as long as the view does.
    """
    nodes = architecture.nodes
    owner: list[int] = []
    last: dict[int, int] = {}
    for place, node in enumerate(nodes):
        owners = {owner[i] if i >= 0 else i for i in node.inputs}
        for i in owners:
            last[i] = place
        first = node.inputs[0]
        own = place if sizes[place] else (owner[first] if first >= 0 else first)
        owner.append(own)
        last[own] = place
    for out in architecture.outputs:
        last[owner[out]] = len(nodes)
    alive = sum(_bytes(t) for _, t in signature.inputs)
    peak = alive
    ending: list[int] = [0] * (len(nodes) + 1)
    for i, place in last.items():
        ending[place] += sizes[i] if i >= 0 else _bytes(signature.input(i))
    for place, size in enumerate(sizes):
        alive += size
        peak = max(peak, alive)
        alive -= ending[place]
    return peak
