"""The graph of an architecture in short, for encodings: small, and the same for networks that compute the same.

A block of layers in a row is one node. Identities, zeros and dead branches are left out, and so is what follows decisions that
were described before: a cell that is stamped many times is there once.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from netwright.core.architecture import Architecture
from netwright.core.block import NETWORK, Attrs, Block, Leaf
from netwright.layers.base import layer

__all__ = ["NOTHING", "Part", "joined", "parts"]

NOTHING = -9
"""What stands for a part's output where it is zero whatever the input."""

_SIZES = ("width", "units", "size")
_UNSAID = frozenset({*_SIZES, "stride", "padding", "rate", "hidden"})
"""Attributes that say how large a layer is, not what it does."""

_Unit = tuple[tuple[str, Attrs], ...]


class Part(NamedTuple):
    """A small graph: for each node its label, what it reads (earlier nodes, or the inputs −1, −2 …) and the logarithm of its
    largest size; and which nodes, or inputs, are the outputs."""

    labels: tuple[str, ...]
    reads: tuple[tuple[int, ...], ...]
    sizes: tuple[float, ...]
    outs: tuple[int, ...]


def parts(architecture: Architecture) -> tuple[Part, ...]:
    """The parts of an architecture in the order in which they follow one another; one part where it is no chain."""
    seen: set[str] = set()
    block, outputs = architecture.block, architecture.outputs
    if len(outputs) == 1 and architecture.first < 0 and _is_chain(block):
        return tuple(_chain(block, seen, True))
    return (_Drawing(seen).part(block, outputs),)


# ---- chains -----------------------------------------------------------------------------------------------------------


def _is_chain(block: Block) -> bool:
    """Whether each item reads the one before, and nothing else."""
    known: bool | None = block.memo.get("chain")
    if known is None:
        known = block.memo["chain"] = _reads_in_a_row(block)
    return known


def _reads_in_a_row(block: Block) -> bool:
    last, base = -1, 0
    for item in block.items:
        size, out = (1, 0) if isinstance(item, Leaf) else (item.block.size, item.block.out)
        if item.inputs != (last,) or out <= NETWORK:
            return False
        last, base = (base + out if out >= 0 else last), base + size
    return block.out == last


def _unit(block: Block) -> _Unit | None:
    """The layers of a block that is nothing but layers in a row."""
    if "unit" not in block.memo:
        leaves = [item if isinstance(item, Leaf) else _lone(item.block) for item in block.items]
        whole = _is_chain(block) and all(leaf is not None for leaf in leaves)
        block.memo["unit"] = tuple((leaf.op, leaf.attrs) for leaf in leaves if leaf) if whole else None
    unit: _Unit | None = block.memo["unit"]
    return unit


def _lone(block: Block) -> Leaf | None:
    while len(block.items) == 1 and not isinstance(block.items[0], Leaf):
        block = block.items[0].block
    return block.items[0] if block.size == 1 and isinstance(block.items[0], Leaf) else None


def _chain(block: Block, seen: set[str], outermost: bool) -> Iterator[Part]:
    """The parts of a chain. Layers of the outermost one have nothing in common but to stand in a row."""
    for item in block.items:
        if isinstance(item, Leaf):
            yield _of_unit(((item.op, item.attrs),))
            continue
        inner = item.block
        if inner.tied:
            if inner.tied in seen:
                continue
            seen.add(inner.tied)
        unit = _unit(inner)
        outermost = outermost and len(block.items) == 1
        if unit is not None and not outermost:
            yield _of_unit(unit)
        elif _is_chain(inner):
            yield from _chain(inner, seen, outermost)
        elif inner.many and not _ties(inner):
            if "short" not in inner.memo:
                inner.memo["short"] = _Drawing(seen).part(inner, (inner.out,))
            yield inner.memo["short"]
        else:
            yield _Drawing(seen).part(inner, (inner.out,))


@lru_cache(maxsize=65536)
def _of_unit(unit: _Unit) -> Part:
    drawing = _Drawing(set())
    return drawing.done((drawing.node(unit, (-1,)),))


def _ties(block: Block) -> bool:
    """Whether something inside follows decisions that others follow too."""
    known: bool | None = block.memo.get("ties")
    if known is None:
        inner = [item.block for item in block.items if not isinstance(item, Leaf)]
        known = block.memo["ties"] = any(part.tied or _ties(part) for part in inner)
    return known


# ---- graphs -----------------------------------------------------------------------------------------------------------


class _Drawing:
    """A part while it is put together."""

    def __init__(self, seen: set[str]) -> None:
        self.seen = seen
        self.labels: list[str] = []
        self.reads: list[tuple[int, ...]] = []
        self.sizes: list[float] = []

    def part(self, block: Block, outputs: Sequence[int]) -> Part:
        found = self.put(block, (-1,))
        return self.done([found[i] if i >= 0 else i if i > NETWORK else i - NETWORK for i in outputs])

    def put(self, block: Block, inputs: tuple[int, ...]) -> dict[int, int]:
        """Add the nodes of a block; what its places that are read amount to: nodes, inputs, or nothing."""
        found: dict[int, int] = {}
        base = 0
        for item in block.items:
            reads = tuple([found[i] if i >= 0 else inputs[i] if i > NETWORK else i - NETWORK for i in item.inputs])
            if isinstance(item, Leaf):
                found[base] = self.node(((item.op, item.attrs),), reads)
                base += 1
                continue
            inner = item.block
            unit = _unit(inner)
            if inner.tied and inner.tied in self.seen:
                found[base + inner.out] = reads[-1]
            elif unit is not None:
                found[base + inner.out] = self.node(unit, reads)
            else:
                if inner.tied:
                    self.seen.add(inner.tied)
                values = self.put(inner, reads)
                if inner.out >= 0:
                    found[base + inner.out] = values[inner.out]
            base += inner.size
        return found

    def node(self, unit: _Unit, reads: tuple[int, ...]) -> int:
        """Add a node, unless what it gives is there already."""
        kind, label, size, keeps_zero = _known(unit)
        if kind == "zero" or (keeps_zero and all(i == NOTHING for i in reads)):
            return NOTHING
        if NOTHING in reads:
            reads = tuple([i for i in reads if i != NOTHING])
        if kind == "identity" or (kind == "sum" and len(reads) == 1):
            return reads[0]
        self.labels.append(label)
        self.reads.append(reads)
        self.sizes.append(size)
        return len(self.labels) - 1

    def done(self, outs: Sequence[int]) -> Part:
        """Without dead branches, and with a sum that only another sum reads taken into it."""
        uses = Counter([i for reads in self.reads for i in reads] + list(outs))
        reads = self.reads
        for n in range(len(reads)):
            if self.labels[n] == "sum" and any(self._inner(i, uses) for i in reads[n]):
                reads[n] = tuple([k for i in reads[n] for k in (reads[i] if self._inner(i, uses) else (i,))])
        alive: set[int] = set()
        stack = [i for i in outs if i >= 0]
        while stack:
            n = stack.pop()
            if n not in alive:
                alive.add(n)
                stack += [i for i in reads[n] if i >= 0]
        kept = sorted(alive)
        place = {n: k for k, n in enumerate(kept)}
        return Part(
            tuple([self.labels[n] for n in kept]),
            tuple([tuple([place.get(i, i) for i in reads[n]]) for n in kept]),
            tuple([self.sizes[n] for n in kept]),
            tuple([place.get(i, i) for i in outs]),
        )

    def _inner(self, i: int, uses: Counter[int]) -> bool:
        return i >= 0 and self.labels[i] == "sum" and uses[i] == 1


@lru_cache(maxsize=65536)
def _known(unit: _Unit) -> tuple[str, str, float, bool]:
    """Of layers in a row: which one it is if it is one that moves nothing, what they are called, the logarithm of their
    largest size, and whether they make zeros of zeros."""
    said = [(op, attrs) for op, attrs in unit if op != "identity"] or [("identity", ())]
    kind = "zero" if any(op == "zero" for op, _ in said) else said[0][0] if len(said) == 1 else ""
    label = "+".join(["".join([op, *_said(attrs)]) for op, attrs in said])
    keeps_zero = all(layer(op).keeps_zero(dict(attrs)) for op, attrs in said)
    return kind, label, max(_size(attrs) for _, attrs in said), keeps_zero


def _said(attrs: Attrs) -> Iterator[str]:
    for name, value in attrs:
        if name == "attrs":  # of the layer inside a layer
            yield from _said(value)
        elif name not in _UNSAID:
            yield f" {value}" if isinstance(value, str) else f" {name}={value}"


def _size(attrs: Attrs) -> float:
    found = [_size(v) if name == "attrs" else math.log2(1 + v) for name, v in attrs if name in ("attrs", *_SIZES)]
    return max(found, default=0.0)


def joined(chain: Sequence[Part]) -> Part:
    """Parts that follow one another as one graph."""
    labels: list[str] = []
    reads: list[tuple[int, ...]] = []
    sizes: list[float] = []
    outs: tuple[int, ...] = (-1,)
    for part in chain:
        base, entered = len(labels), outs[0]
        labels += part.labels
        reads += [tuple([i + base if i >= 0 else entered if i == -1 else i for i in read]) for read in part.reads]
        sizes += part.sizes
        outs = tuple([i + base if i >= 0 else entered if i == -1 else i for i in part.outs])
    return Part(tuple(labels), tuple(reads), tuple(sizes), outs)
