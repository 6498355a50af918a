"""Parameters, FLOPs and peak memory of an architecture, exactly, from its nodes alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import prod

from netwright.core.architecture import Architecture, Attrs, Node, Signature, Tensor
from netwright.errors import SpaceError
from netwright.layers.base import layer

__all__ = ["Counts", "count", "shapes"]

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


@lru_cache(maxsize=65536)
def _one(op: str, attrs: Attrs, inputs: tuple[Tensor, ...]) -> tuple[Tensor, int, int, int]:
    """Output, parameters, FLOPs and output bytes of one layer; the same few layers come back thousands of times."""
    kind, given = layer(op), dict(attrs)
    if kind.arity is not None and len(inputs) != kind.arity:
        raise SpaceError(f"{op} takes {kind.arity} inputs, not {len(inputs)}")
    out = kind.shape(inputs, given)
    return out, kind.params(inputs, given), kind.flops(inputs, given), prod(out.shape) * _BYTES[out.dtype]


def _inputs(node: Node, outs: Sequence[Tensor], signature: Signature) -> tuple[Tensor, ...]:
    return tuple(outs[i] if i >= 0 else signature.input(i) for i in node.inputs)


def shapes(architecture: Architecture, signature: Signature) -> list[Tensor]:
    """The output of every node. Raises :class:`SpaceError` naming the node where a layer does not fit."""
    outs: list[Tensor] = []
    for place, node in enumerate(architecture.nodes):
        try:
            outs.append(_one(node.op, node.attrs, _inputs(node, outs, signature))[0])
        except SpaceError as error:
            raise SpaceError(str(error), where=f"node {place} ({node.op}{' at ' + node.weights if node.weights else ''})") from None
    return outs


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
    """Bytes alive at the worst moment: while a node runs, its output and all that it or a later node still reads."""
    nodes = architecture.nodes
    last: dict[int, int] = {}
    for place, node in enumerate(nodes):
        for i in node.inputs:
            last[i] = place
    for out in architecture.outputs:
        last[out] = len(nodes)
    alive = sum(prod(t.shape) * _BYTES[t.dtype] for _, t in signature.inputs)
    peak = alive
    for place, node in enumerate(nodes):
        alive += sizes[place]
        peak = max(peak, alive)
        for i in {*node.inputs, place}:
            if last.get(i, place) == place:
                alive -= sizes[i] if i >= 0 else prod(signature.input(i).shape) * _BYTES[signature.input(i).dtype]
    return peak
