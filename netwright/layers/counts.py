"""Parameters, FLOPs and peak memory of an architecture, exactly, from its nodes alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from math import prod
from typing import Any, NamedTuple

from netwright.core.architecture import Architecture, Attrs, Node, Signature, Tensor
from netwright.core.block import NETWORK, Block, Leaf
from netwright.errors import SpaceError
from netwright.layers.base import Layer, layer
from netwright.layers.scopes import entering, leaving, length, loops

__all__ = ["Counts", "Step", "count", "shapes", "steps"]

_BYTES = {"float32": 4, "int64": 8, "int32": 4, "uint8": 1, "bool": 1}


@dataclass(frozen=True)
class Counts:
    """``params``: trainable numbers; ``flops``: 2 × multiply-adds, batch 1; ``peak_bytes``: see metric ``peak_kib``."""

    params: int
    flops: int
    architecture: Architecture
    signature: Signature

    @cached_property
    def peak_bytes(self) -> int:
        """Counted when it is asked for: it takes all the nodes."""
        return _peak(self.architecture, self.signature)

    def value(self, metric: str) -> float:
        """``params``, ``flops`` or ``peak_kib``."""
        return self.peak_bytes / 1024 if metric == "peak_kib" else float(self.params if metric == "params" else self.flops)

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
        tensors = {"output": out.shape, **kind.weights(inputs, given)}
    except KeyError as missing:
        raise SpaceError(f"{op} needs the attribute {missing}") from None
    except (TypeError, ValueError, ArithmeticError, AttributeError) as error:
        told = ", ".join(f"{name}={value!r}" for name, value in attrs)
        raise SpaceError(f"{op} cannot be laid with {told}: {error}") from None
    for name, shape in tensors.items():
        if any(type(size) is not int or size < 1 for size in shape):
            told = ", ".join(f"{key}={value!r}" for key, value in attrs)
            raise SpaceError(f"with {told} its {name} would have the shape {shape}", todo="Sizes are whole numbers above 0.")
    own = 0 if kind.view(inputs, given) else _bytes(out)
    return out, kind.params(inputs, given), kind.flops(inputs, given), own


def _bytes(x: Tensor) -> int:
    return prod(x.shape) * _BYTES[x.dtype]


def _seen(node: Node, nodes: Sequence[Node], outs: Sequence[Tensor], lengths: Mapping[str, int], x: Signature) -> list[Tensor]:
    """What a node reads, as it sees it: across the edge of a recurrence, one step of it or all of them."""
    found = []
    for i in node.inputs:
        tensor = outs[i] if i >= 0 else x.input(i)
        theirs = nodes[i].scope if i >= 0 else ""
        if theirs != node.scope:
            tensor = leaving(tensor, lengths[theirs]) if theirs else tensor
            tensor = entering(tensor) if node.scope else tensor
        found.append(tensor)
    return found


def _lengths(architecture: Architecture, scope: str, outs: Sequence[Tensor], lengths: Mapping[str, int], x: Signature) -> int:
    """The number of steps of a recurrence: of all the sequences that enter it."""
    nodes = architecture.nodes
    outer = dict.fromkeys(i for n in nodes if n.scope == scope for i in n.inputs if i < 0 or nodes[i].scope != scope)
    return length(
        [x.input(i) if i < 0 else leaving(outs[i], lengths[nodes[i].scope]) if nodes[i].scope else outs[i] for i in outer]
    )


def shapes(architecture: Architecture, signature: Signature) -> list[Tensor]:
    """The output of every node; inside a recurrence, at one step. Raises :class:`SpaceError` naming what does not fit."""
    return _shapes(architecture, signature)[0]


def _shapes(architecture: Architecture, signature: Signature) -> tuple[list[Tensor], dict[str, int]]:
    nodes = architecture.nodes
    outs: list[Tensor] = []
    lengths: dict[str, int] = {}
    loops(architecture)  # raises where one does not stand together
    for place, node in enumerate(nodes):
        try:
            if node.scope and node.scope not in lengths:
                lengths[node.scope] = _lengths(architecture, node.scope, outs, lengths, signature)
            outs.append(_one(node.op, node.attrs, tuple(_seen(node, nodes, outs, lengths, signature)))[0])
        except SpaceError as error:
            raise SpaceError(
                str(error), where=f"node {place} ({node.op}{' at ' + node.weights if node.weights else ''})"
            ) from None
    return outs, lengths


def steps(architecture: Architecture, signature: Signature) -> list[Step]:
    """The nodes in order, with their layers and shapes. Raises as :func:`shapes` does, and where two layers claim one path."""
    outs, lengths = _shapes(architecture, signature)
    nodes = architecture.nodes
    found: list[Step] = []
    owners: dict[str, str] = {}
    for node, out in zip(nodes, outs, strict=True):
        inputs = tuple(_seen(node, nodes, outs, lengths, signature))
        step = Step(node, layer(node.op), inputs, dict(node.attrs), out)
        if step.layer.stores(step.inputs, step.attrs):
            text = step.layer.source(step.inputs, step.attrs)
            if owners.setdefault(node.weights, text) != text:
                raise SpaceError(f"two layers share weights: {owners[node.weights]} and {text}", where=node.weights)
        found.append(step)
    return found


def count(architecture: Architecture, signature: Signature) -> Counts:
    """Count an architecture. Weights that live at one path are counted once. Raises as :func:`shapes` does."""
    network = tuple(tensor for _, tensor in signature.inputs)
    try:
        if architecture.block.scoped:
            return _flat(architecture, signature)
        part = _part(architecture.block, network[:1], network, architecture.first)
    except SpaceError:
        shapes(architecture, signature)  # raises again, naming the node
        raise
    return Counts(part.params + sum(part.shared.values()), part.flops, architecture, signature)


class _Part(NamedTuple):
    """What a block counts, wherever it stands. ``shared``: parameters under names of their own, counted once in all."""

    out: Tensor
    params: int
    flops: int
    shared: Mapping[str, int]


def _part(block: Block, inputs: tuple[Tensor, ...], network: tuple[Tensor, ...], first: int = -1) -> _Part:
    """Count a block, once for all places where its inputs have these shapes. ``network``: the inputs of the whole, the first
    of which is what stands at ``first``."""
    key = (inputs, network)
    found: _Part | None = block.memo.get(key) if block.many else None
    if found is not None:
        return found
    outs: list[Any] = [None] * block.size
    base = params = flops = 0
    shared: dict[str, int] = {}
    seen: set[str] = set()
    for item in block.items:
        reads = tuple([outs[i] if i >= 0 else inputs[i] if i > NETWORK else network[NETWORK - 1 - i] for i in item.inputs])
        if item.__class__ is Leaf:
            out, own, work, _ = _one(item.op, item.attrs, reads)
            outs[base] = out
            base += 1
            more: Mapping[str, int] = {}
        else:
            inner = item.block  # type: ignore[union-attr]
            out, own, work, more = _part(inner, reads, network)
            if inner.out >= 0:
                outs[base + inner.out] = out
            base += inner.size
        flops += work
        if own and item.path[:1] == "/":
            shared[item.path] = own
        elif own and item.path not in seen:
            params += own
            if item.__class__ is Leaf:
                seen.add(item.path)
        if more:
            shared |= more
        if base - 1 == first >= 0:
            network = (outs[first], *network[1:])
    end = block.out
    last = outs[end] if end >= 0 else inputs[end] if end > NETWORK else network[NETWORK - 1 - end]
    found = _Part(last, params, flops, shared)
    if block.many:
        block.memo[key] = found
    return found


def _flat(architecture: Architecture, signature: Signature) -> Counts:
    """The same, node by node; those of a recurrence work once for each time step."""
    outs, lengths = _shapes(architecture, signature)
    nodes = architecture.nodes
    seen: set[str] = set()
    params = flops = 0
    for node in nodes:
        _, own, work, _ = _one(node.op, node.attrs, tuple(_seen(node, nodes, outs, lengths, signature)))
        if own and node.weights not in seen:
            params += own
            seen.add(node.weights)
        flops += work * lengths.get(node.scope, 1)
    return Counts(params, flops, architecture, signature)


def _peak(architecture: Architecture, signature: Signature) -> int:
    """Bytes alive at the worst moment: while a node runs, its output and all that it or a later node still reads.

    A view (size 0) is its first input's memory, which lives as long as the view does. What leaves a recurrence is held whole.
    """
    nodes = architecture.nodes
    outs, lengths = _shapes(architecture, signature)
    left = {i for node in nodes for i in node.inputs if i >= 0 and nodes[i].scope != node.scope} | set(architecture.outputs)
    sizes = []
    for place, (node, out) in enumerate(zip(nodes, outs, strict=True)):
        own = _one(node.op, node.attrs, tuple(_seen(node, nodes, outs, lengths, signature)))[3]
        sizes.append(_bytes(out) * lengths[node.scope] if node.scope and place in left else own)
    owner: list[int] = []
    last: dict[int, int] = {}
    for place, node in enumerate(nodes):
        owners = {owner[i] if i >= 0 else i for i in node.inputs}
        for i in owners:
            last[i] = place
        mine = node.inputs[0]
        own = place if sizes[place] else (owner[mine] if mine >= 0 else mine)
        owner.append(own)
        last[own] = place
    for loop in loops(architecture):  # what enters a recurrence is read until its last step
        for i in loop.entering:
            mine = owner[i] if i >= 0 else i
            last[mine] = max(last[mine], loop.last)
    for end in architecture.outputs:
        last[owner[end] if end >= 0 else end] = len(nodes)
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
