"""The second identity of an architecture: what is computed, however it was laid, so that no training is paid for twice.

One and the same are: isomorphic graphs, with dead branches left out, edges of zeros left out, identities left out, sums of
sums made one sum where the inner one is used once, and inputs that may be exchanged (of a sum, or of a concatenation whose
channels a dense layer mixes) in any order. Whoever copies the weights finds the same outputs. Nothing is said of networks
that compute the same by chance or after training. :mod:`netwright.layers.isomorphism` says which graphs are one.

A network of one input falls into segments, between nodes that everything passes through. Each is named by itself, and a cell
that is stamped many times only once.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from netwright.core.architecture import Architecture, Attrs
from netwright.core.block import NETWORK, Block, Leaf
from netwright.layers.base import layer
from netwright.layers.isomorphism import Item, digest

__all__ = ["Graph", "canonical", "simplified"]

_ZERO = -10_000_000
"""A value that is zero whatever the input."""

_INPUT = -1
_CONSTANT = (0,)
"""How the segments of a network that ignores its input begin."""

_SIZED = frozenset({"concat", "append", "project"})
"""Layers whose output depends on the size of each input, be it zeros."""

_EXCHANGED = frozenset({"sum", "product", "mean"})
"""Layers whose inputs may come in any order."""

_DENSE = frozenset({"conv", "conv1d", "linear"})
"""Layers in which every output depends on all channels of the input alike, so that their order means nothing."""


def canonical(architecture: Architecture) -> str:
    """16 hexadecimal digits of what an architecture computes; see the module."""
    found = architecture.__dict__.get("_canonical")
    if found is None:
        block, outputs = architecture.block, architecture.outputs
        segments = _chain(block) if len(outputs) == 1 and architecture.first < 0 else None
        if segments is None:
            graph = simplified([Item(n.op, n.inputs, n.attrs, n.weights, n.hole, n.scope) for n in architecture.nodes], outputs)
            segments = _segments(graph)
        found = hashlib.blake2b(repr(segments).encode(), digest_size=8).hexdigest()
        architecture.__dict__["_canonical"] = found
    return found


# ---- parts that are used again ----------------------------------------------------------------------------------------


def _chain(block: Block) -> tuple[int, ...] | None:
    """The segments of a block of one input, wherever it stands; None where that cannot be said without its surroundings."""
    if "canonical" not in block.memo:
        block.memo["canonical"] = _of_chain(block) if _is_chain(block) else _of_graph(block)
    return block.memo["canonical"]  # type: ignore[no-any-return]


def _is_chain(block: Block) -> bool:
    """Whether each item reads the one before, and nothing else."""
    last, base = -1, 0
    for item in block.items:
        if item.inputs != (last,) or item.path[:1] == "/" or (not isinstance(item, Leaf) and item.scoped):
            return False
        if isinstance(item, Leaf):
            last, base = base, base + 1
        else:
            out = item.block.out
            if out <= NETWORK:
                return False
            last, base = (base + out if out >= 0 else last), base + item.block.size
    return block.out == last


def _of_chain(block: Block) -> tuple[int, ...] | None:
    found: list[int] = []
    for item in block.items:
        if not isinstance(item, Leaf):
            inner = _chain(item.block)
            if inner is None or inner[:1] == _CONSTANT:
                return None
            found += inner
        elif item.op == "zero":
            return None
        elif item.op not in ("identity", "sum"):  # a sum of one
            found.append(_of_one(item.op, item.attrs))
    return tuple(found)


@lru_cache(maxsize=65536)
def _of_one(op: str, attrs: Attrs) -> int:
    return digest([Item(op, (_INPUT,), attrs, "", "", "")], [0])


def _of_graph(block: Block) -> tuple[int, ...] | None:
    """None where its paths are shared, or its meaning hangs on what reads it."""
    items: list[Item] = []
    for item in _inlined(block, (_INPUT,), 0):
        if item is None:
            return None
        items.append(item)
    if block.out < -1:
        return None
    graph = simplified(items, (block.out,))
    if any(item.op == "concat" and _outward(graph, place) for place, item in enumerate(graph.items)):
        return None
    return _segments(graph)


def _inlined(block: Block, inputs: Sequence[int], base: int) -> Iterator[Item | None]:
    """The nodes of a block of one input; None for what only the whole network can say."""
    for item in block.items:
        reads = tuple([base + i if i >= 0 else inputs[i] if i > NETWORK else NETWORK for i in item.inputs])
        if NETWORK in reads or item.path[:1] == "/":
            yield None
        elif isinstance(item, Leaf):
            yield Item(item.op, reads, item.attrs, "", item.hole, "")
        elif item.scoped:
            yield None
        else:
            yield from _inlined(item.block, reads, base + item.base)


# ---- what is left of a graph ------------------------------------------------------------------------------------------


class Graph(NamedTuple):
    """Items that matter, in the order in which they run; ``readers`` of each, and of the inputs."""

    items: list[Item]
    outputs: tuple[int, ...]
    readers: Mapping[int, list[int]]


def simplified(items: Sequence[Item], outputs: Sequence[int]) -> Graph:
    """Without identities, zeros, dead branches and sums within sums."""
    value: list[int] = []  # what each place amounts to: a place, an input, or zero
    kept: dict[int, Item] = {}
    sized: list[int] = []  # and what has its size, be it zero
    fixed = {_ZERO}  # what does not depend on the input

    def of(i: int) -> int:
        return value[i] if i >= 0 else i

    for place, item in enumerate(items):
        op, reads = item.op, [of(i) for i in item.inputs]
        if op == "sum" or op == "mix":
            reads = [i for i in reads if i != _ZERO] if op == "sum" else reads
        if op == "identity" or (op == "sum" and len(reads) == 1):
            value.append(reads[0])
        elif op == "zero" or (op == "sum" and not reads) or (_ZERO in reads and _nothing(item, reads)):
            value.append(_ZERO)
        else:
            if op in _SIZED and not fixed.isdisjoint(reads):
                reads = [sized[raw] if i in fixed and raw >= 0 else i for i, raw in zip(reads, item.inputs, strict=True)]
            kept[place] = Item(op, tuple(reads), item.attrs, item.path, item.hole, item.scope)
            value.append(place)
            if fixed.issuperset(of(i) for i in item.inputs):
                fixed.add(place)
        alike = item.inputs[0] if value[-1] == _ZERO and op in ("identity", "sum") else None
        if alike is None:
            sized.append(place if value[-1] == _ZERO else value[-1])
        else:
            sized.append(sized[alike] if alike >= 0 else alike)
    ends = tuple(of(i) for i in outputs)
    alive: set[int] = set()
    stack = [i for i in ends if i >= 0]
    carried = {kept[p].inputs[0]: p for p in kept if kept[p].op == "carry"}
    while stack:
        place = stack.pop()
        if place not in alive:
            alive.add(place)
            if place not in kept:  # zeros, of which only the size matters
                kept[place] = items[place]._replace(inputs=tuple([sized[i] if i >= 0 else i for i in items[place].inputs]))
            stack += [i for i in kept[place].inputs if i >= 0]
            if place in carried:  # what a state will be belongs to it
                stack.append(carried[place])
    places = sorted(alive)
    uses = Counter([i for p in places for i in kept[p].inputs] + list(ends))
    return _numbered({p: _flat_sum(p, kept, uses, fixed) for p in places}, ends)


def _nothing(item: Item, reads: Sequence[int]) -> bool:
    """Whether zeros come out of it."""
    known = layer(item.op)
    counted = reads[: known.reads] if known.reads else reads
    return all(i == _ZERO for i in counted) and known.keeps_zero(dict(item.attrs))


def _flat_sum(place: int, kept: dict[int, Item], uses: Mapping[int, int], fixed: set[int]) -> Item:
    """An item; a sum with the sums that only it reads, and only once, taken in. Not where all else that it adds is fixed: the
    inner sum is then a place that everything passes through."""
    item = kept[place]
    if item.op != "sum" or sum(i not in fixed for i in item.inputs) < 2:
        return item
    reads: list[int] = []
    for i in item.inputs:
        inner = kept.get(i)
        if inner is not None and inner.op == "sum" and uses[i] == 1 and inner.scope == item.scope:
            reads += inner.inputs  # earlier places come first: its own were taken in already
        else:
            reads.append(i)
    kept[place] = item._replace(inputs=tuple(reads))
    return kept[place]


def _numbered(items: Mapping[int, Item], ends: Sequence[int]) -> Graph:
    """With places counted anew."""
    read = {i for item in items.values() for i in item.inputs} | set(ends)
    left = [p for p in items if p in read or items[p].op == "carry"]
    where = {p: n for n, p in enumerate(left)}
    found: list[Item] = []
    readers: dict[int, list[int]] = {}
    for n, p in enumerate(left):
        op, reads, attrs, path, hole, scope = items[p]
        inputs = tuple([where.get(i, i) if i >= 0 else i for i in reads])
        found.append(Item(op, inputs, attrs, path, hole, scope))
        for i in inputs:
            readers.setdefault(i, []).append(n)
    return Graph(found, tuple(where.get(i, i) if i >= 0 else i for i in ends), readers)


# ---- the order of channels --------------------------------------------------------------------------------------------


def _each(item: Item) -> bool:
    """Whether a layer treats every channel by itself and alike."""
    attrs = dict(item.attrs)
    return (layer(item.op).channelwise and item.op not in ("normalize", "rescale")) or (
        item.op in _DENSE and attrs.get("groups", 1) == 0
    )


def _dense(item: Item) -> bool:
    return item.op in _DENSE and dict(item.attrs).get("groups", 1) == 1


def _outward(graph: Graph, place: int) -> bool:
    """Whether the channels of a value reach an output of the graph as they are."""
    if place in graph.outputs:
        return True
    return any(not _dense(graph.items[r]) and _outward(graph, r) for r in graph.readers.get(place, ()))


def _exchangeable(graph: Graph, place: int) -> bool:
    """Whether the inputs of a concatenation may come in any order: its channels reach dense layers only, by layers that treat
    each by itself, and meet in sums only what a dense layer made for that sum."""
    if place in graph.outputs:
        return False
    for reader in graph.readers.get(place, ()):
        item = graph.items[reader]
        if _dense(item):
            continue
        if not _each(item) or not all(i == place or _made_for(graph, i, reader) for i in item.inputs):
            return False
        if not _exchangeable(graph, reader):
            return False
    return True


def _made_for(graph: Graph, place: int, reader: int) -> bool:
    """Whether a value comes from a dense layer, by layers that treat each channel by itself, and is read by one only."""
    while place >= 0 and place not in graph.outputs and set(graph.readers[place]) == {reader}:
        item = graph.items[place]
        if _dense(item):
            return True
        if not _each(item) or len(item.inputs) > 1:
            return False
        place, reader = item.inputs[0], place
    return False


# ---- segments ---------------------------------------------------------------------------------------------------------


def _segments(graph: Graph) -> tuple[int, ...]:
    """The names of the graph's segments, in order; of the whole where it has several inputs, outputs, or shared weights."""
    items, readers = graph.items, graph.readers
    if graph.outputs == (_INPUT,):
        return ()
    inputs = {i for item in items for i in item.inputs if i < 0 and i != _ZERO}
    inputs |= {i for i in graph.outputs if i < 0 and i != _ZERO}
    paths = Counter((item.op, item.path) for item in items if item.path)
    twice = any(n > 1 for n in paths.values())  # then a layer's channels stand in one order wherever it is used
    orders = [
        item.op in _EXCHANGED or (item.op == "concat" and not twice and _exchangeable(graph, place))
        for place, item in enumerate(items)
    ]
    shared = twice or any(item.scope for item in items)
    if len(graph.outputs) == 1 and not inputs:
        return (*_CONSTANT, digest(items, graph.outputs, orders, shared=shared))
    if len(graph.outputs) > 1 or shared or inputs != {_INPUT}:
        return (digest(items, graph.outputs, orders, shared=shared),)
    found: list[int] = []
    segment: list[int] = []
    spans = _fixed(graph)
    furthest, entered = max(readers[_INPUT]), _INPUT
    for p in range(len(items)):
        if p in spans:
            continue
        segment.append(p)
        crossing = furthest > p or any(low <= p < high for low, high in spans.values())
        if p != graph.outputs[0]:
            furthest = max(furthest, max(readers[p]))
        if not crossing:
            fixed = [c for c, (low, _) in spans.items() if low in segment]
            found.append(_segment(items, sorted([*fixed, *segment]), entered, p, orders))
            segment, entered = [], p
    return tuple(found)


def _fixed(graph: Graph) -> dict[int, tuple[int, int]]:
    """The items that do not depend on the input: the first and last of those that do that read them, by whatever way."""
    depends: list[bool] = []
    for item in graph.items:
        depends.append(any(i == _INPUT or (i >= 0 and depends[i]) for i in item.inputs))
    spans: dict[int, tuple[int, int]] = {}
    if not all(depends):
        for p in range(len(depends) - 1, -1, -1):
            if not depends[p]:
                ends = [(r, r) if depends[r] else spans[r] for r in graph.readers.get(p, [])]
                spans[p] = (min([low for low, _ in ends], default=p), max([high for _, high in ends], default=p))
    return spans


def _segment(items: Sequence[Item], places: Sequence[int], entered: int, last: int, orders: Sequence[bool]) -> int:
    if len(places) == 1:
        item = items[places[0]]
        if len(item.inputs) == 1 and not item.hole:
            return _of_one(item.op, item.attrs)
    where = {p: n for n, p in enumerate(places)} | {entered: _INPUT}
    inner = []
    for p in places:
        op, reads, attrs, path, hole, scope = items[p]
        inner.append(Item(op, tuple([where.get(i, i) for i in reads]), attrs, path, hole, scope))
    return digest(inner, [where[last]], [orders[p] for p in places])
