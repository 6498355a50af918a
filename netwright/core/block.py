"""What a part of a space lays: nodes relative to where the part stands, so that a part used again is laid once and stamped.

Everything that can be said of a part wherever it stands (its parameters, its canonical form) is said once, on the block.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

__all__ = ["NETWORK", "Attrs", "Block", "Builder", "Leaf", "Node", "Stamp", "joined", "lay", "walked"]

Attrs = tuple[tuple[str, Any], ...]
"""Attributes of a layer as sorted (name, value) pairs: hashable, and the same whatever order they were written in."""

NETWORK = -1_000_000
"""Added to −1, −2 …: an input of the whole network, whatever part asks for it."""


class Node(NamedTuple):
    """One layer at one place.

    ``inputs`` are indices of earlier nodes, or −1, −2 … for the network's inputs. ``weights`` is the path where its weights
    live: the same path means the same weights in every architecture of the space. ``hole`` names the decision whose options
    a ``mix`` node joins. Nodes that share a ``scope`` are one recurrence, run once for each time step.
    """

    op: str
    inputs: tuple[int, ...]
    attrs: Attrs = ()
    weights: str = ""
    hole: str = ""
    scope: str = ""


class Leaf(NamedTuple):
    """A node inside a block. Inputs: ≥ 0 are places in the block, −1 is the block's newest input, −2 the one before it."""

    op: str
    inputs: tuple[int, ...]
    attrs: Attrs = ()
    path: str = ""
    hole: str = ""


class Stamp(NamedTuple):
    """A block inside a block: its inputs (oldest first), what its paths begin with, and the place of its first node."""

    block: Block
    inputs: tuple[int, ...]
    path: str
    base: int
    scoped: bool = False


class Block:
    """Items in the order in which they run; ``size`` nodes in all; ``out`` is the place of the output, or an input's number.

    ``scoped``: a recurrence is in it. ``many``: it may stand in several places, so that what is found out about it is worth
    keeping in ``memo``, by who found it. ``tied``: where its decisions are, if others of the architecture follow the same.
    """

    __slots__ = ("items", "many", "memo", "out", "scoped", "size", "tied")

    def __init__(self, items: tuple[Leaf | Stamp, ...], size: int, out: int, scoped: bool = False) -> None:
        self.items, self.size, self.out, self.scoped = items, size, out, scoped
        self.many = False
        self.tied = ""
        self.memo: dict[Any, Any] = {}


def joined(path: str, more: str) -> str:
    """A path inside a path. One that begins with ``/`` is a name of its own: weights shared wherever they are used."""
    return more[1:] if more[:1] == "/" else path + more


class Builder:
    """Puts a block together."""

    __slots__ = ("items", "scoped", "size")

    def __init__(self) -> None:
        self.items: list[Leaf | Stamp] = []
        self.size = 0
        self.scoped = False

    def leaf(self, op: str, inputs: tuple[int, ...], attrs: Attrs = (), path: str = "", hole: str = "") -> int:
        """Add a layer; returns its place."""
        self.items.append(Leaf(op, inputs, attrs, path, hole))
        self.size += 1
        return self.size - 1

    def put(self, block: Block, inputs: tuple[int, ...], path: str, scoped: bool = False) -> int:
        """Add a block; returns the place of its output."""
        out = block.out
        if block.size:
            base = self.size
            self.items.append(Stamp(block, inputs, path, base, scoped))
            self.scoped = self.scoped or scoped or block.scoped
            self.size = base + block.size
            if out >= 0:
                return base + out
        return inputs[out] if out > NETWORK else out

    def block(self, out: int) -> Block:
        return Block(tuple(self.items), self.size, out, self.scoped)


def _input(i: int, first: int) -> int:
    return first if i == NETWORK - 1 else i - NETWORK


def lay(block: Block, inputs: tuple[int, ...], first: int, nodes: list[Node], path: str = "", scope: str = "") -> None:
    """Append the nodes of a block. ``first``: what stands for the network's first input (−1, or a node before)."""
    base = len(nodes)
    for item in block.items:
        reads = tuple([base + i if i >= 0 else inputs[i] if i > NETWORK else _input(i, first) for i in item.inputs])
        inner = joined(path, item.path)
        if isinstance(item, Leaf):
            nodes.append(Node(item.op, reads, item.attrs, inner, item.hole, scope))
        elif item.block.many:
            _stamp(item.block, reads, first, nodes, inner, inner if item.scoped else scope)
        else:
            lay(item.block, reads, first, nodes, inner, inner if item.scoped else scope)


def _stamp(block: Block, inputs: tuple[int, ...], first: int, nodes: list[Node], path: str, scope: str) -> None:
    """As :func:`lay`, for a block that comes again: from its list of nodes, which is made once."""
    base = len(nodes)
    for op, reads, attrs, more, hole, inside in _listed(block):
        places = tuple([base + i if i >= 0 else inputs[i] if i > NETWORK else _input(i, first) for i in reads])
        where = path + more if more[:1] != "/" else more[1:]
        within = scope if inside is None else joined(path, inside)
        nodes.append(_NODE(Node, (op, places, attrs, where, hole, within)))


_NODE = tuple.__new__


def _listed(block: Block) -> list[tuple[str, tuple[int, ...], Attrs, str, str, str | None]]:
    """The nodes of a block, with places and paths relative to it; the last is the path of a recurrence inside it."""
    found: list[tuple[str, tuple[int, ...], Attrs, str, str, str | None]] | None = block.memo.get("listed")
    if found is None:
        found = block.memo["listed"] = []
        for item in block.items:
            if isinstance(item, Leaf):
                found.append((item.op, item.inputs, item.attrs, item.path, item.hole, None))
                continue
            base, inputs, path = item.base, item.inputs, item.path
            for op, reads, attrs, more, hole, inside in _listed(item.block):
                places = tuple([base + i if i >= 0 else inputs[i] if i > NETWORK else i for i in reads])
                own = path if item.scoped else None
                within = own if inside is None else _under(path, inside)
                found.append((op, places, attrs, _under(path, more), hole, within))
    return found


def _under(path: str, more: str) -> str:
    """As :func:`joined`, for paths that will stand under another."""
    return more if more[:1] == "/" else path + more


def walked(
    block: Block, inputs: tuple[int, ...], first: int, base: int = 0, path: str = "", scope: str = ""
) -> Iterator[tuple[str, tuple[int, ...], Attrs, str]]:
    """The graph of a block, node by node, without laying it."""
    for item in block.items:
        reads = tuple(
            [
                base + i if i >= 0 else inputs[i] if i > NETWORK else first if i == NETWORK - 1 else i - NETWORK
                for i in item.inputs
            ]
        )
        if isinstance(item, Leaf):
            yield item.op, reads, item.attrs, scope
        else:
            inner = joined(path, item.path)
            yield from walked(item.block, reads, first, base + item.base, inner, inner if item.scoped else scope)
