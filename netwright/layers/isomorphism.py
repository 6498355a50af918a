"""Whether two graphs of layers are one: a number that they have in common where they are isomorphic.

Colours are refined from both sides until no more nodes are told apart; nodes that are then alike without being twins are fixed
one after the other (McKay & Piperno 2014, arXiv:1301.1493), so that different graphs stay different.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from netwright.core.block import Attrs

__all__ = ["Item", "digest"]


class Item(NamedTuple):
    """A node: inputs are places, or negative for what comes from outside."""

    op: str
    inputs: tuple[int, ...]
    attrs: Attrs
    path: str
    hole: str
    scope: str


_MASK = (1 << 64) - 1


def _mixed(a: int, b: int) -> int:
    x = (a * 0x9E3779B97F4A7C15 + b + 0x7F4A7C159E3779B9) & _MASK
    x = ((x ^ (x >> 29)) * 0xBF58476D1CE4E5B9) & _MASK
    return x ^ (x >> 32)


@lru_cache(maxsize=65536)
def _label(op: str, attrs: Attrs, what: str) -> int:
    return int.from_bytes(hashlib.blake2b(repr((op, _plain(attrs), what)).encode(), digest_size=8).digest(), "big")


def _plain(value: Any) -> Any:
    """Values that are equal, written alike: True as 1, 1.0 as 1."""
    if isinstance(value, tuple):
        return tuple(map(_plain, value))
    return int(value) if isinstance(value, bool) or (isinstance(value, float) and value.is_integer()) else value


def digest(items: Sequence[Item], outputs: Sequence[int], orders: Sequence[bool] = (False,), shared: bool = False) -> int:
    """A number that two graphs have in common where they are isomorphic."""
    edges = _Edges(items, outputs, orders, shared)
    return _mixed(_certificate(edges, edges.settled(edges.start)), len(items))


class _Edges:
    """A graph for colour refinement: for each node what it reads and who reads it, with the place of the input where that
    counts (else 0). Inputs from outside, zero, shared weights and recurrences are nodes too, and come first; runs of layers
    that nothing enters or leaves between are one node."""

    def __init__(self, items: Sequence[Item], outputs: Sequence[int], orders: Sequence[bool], shared: bool) -> None:
        start: list[int] = []
        ins: list[list[tuple[int, int]]] = []
        extra: dict[Any, int] = {}

        def place(what: Any, text: str) -> int:
            if what not in extra:
                extra[what] = len(start)
                start.append(_label("", (), text))
                ins.append([])
            return extra[what]

        for item in items:
            for i in item.inputs:
                if i < 0:
                    place(i, f"input {i}")
        paths = Counter((item.op, item.path) for item in items) if shared else {}
        for item in items if shared else ():
            if item.path and paths[item.op, item.path] > 1:
                place(("path", item.op, item.path), "weights")
            if item.scope:
                place(("scope", item.scope), "scope")
        uses = Counter([i for item in items for i in item.inputs] + list(outputs))
        where: list[int] = []
        for item, exchanged in zip(items, orders, strict=True):
            reads = item.inputs
            label = _label(item.op, item.attrs, item.hole)
            if len(reads) == 1 and reads[0] >= 0 and uses[reads[0]] == 1 and not shared:
                p = where[reads[0]]
                start[p] = _mixed(start[p], label)
                where.append(p)
                continue
            found = [(where[i] if i >= 0 else extra[i], 0 if exchanged else k) for k, i in enumerate(reads, 1)]
            if shared and item.path and paths[item.op, item.path] > 1:
                found.append((extra["path", item.op, item.path], -1))
            if shared and item.scope:
                found.append((extra["scope", item.scope], -2))
            where.append(len(start))
            start.append(label)
            ins.append(found)
        for k, end in enumerate(outputs):
            at = where[end] if end >= 0 else place(end, f"input {end}")
            start[at] = _mixed(start[at], k + 1)
        self.start, self.ins = start, ins
        self.outs: list[list[tuple[int, int]]] = [[] for _ in start]
        for n, reads_of in enumerate(ins):
            for i, k in reads_of:
                self.outs[i].append((n, k))

    def settled(self, colours: list[int]) -> list[int]:
        """Colours refined until no more nodes are told apart. The first two passes carry what is known all the way through."""
        ins, outs = self.ins, self.outs
        colours = list(colours)
        n = len(colours)
        for p in range(n):
            colours[p] = _mixed(colours[p], sum([_mixed(colours[i], k) for i, k in ins[p]]) & _MASK)
        for p in range(n - 1, -1, -1):
            colours[p] = _mixed(colours[p], sum([_mixed(colours[i], k + 77) for i, k in outs[p]]) & _MASK)
        start_kinds = kinds = len(set(colours))
        while start_kinds < n:
            colours = [
                _mixed(
                    _mixed(colours[p], sum([_mixed(colours[i], k) for i, k in ins[p]]) & _MASK),
                    sum([_mixed(colours[i], k + 77) for i, k in outs[p]]) & _MASK,
                )
                for p in range(n)
            ]
            more = len(set(colours))
            if more == kinds:
                break
            kinds = more
        return colours


def _certificate(edges: _Edges, colours: list[int]) -> int:
    """The colours in order, once those that are alike but not twins have been told apart in every way: the least."""
    alike: dict[int, list[int]] = {}
    for p, colour in enumerate(colours):
        alike.setdefault(colour, []).append(p)
    if len(alike) < len(colours):
        for colour in sorted(alike):
            group = alike[colour]
            if len(group) > 1 and len({(tuple(sorted(edges.ins[p])), tuple(sorted(edges.outs[p]))) for p in group}) > 1:
                fixed = [edges.settled([_mixed(c, 5) if q == p else c for q, c in enumerate(colours)]) for p in group]
                ways = {tuple(sorted(found)): found for found in fixed}
                return min(_certificate(edges, found) for found in ways.values())
    total = 0
    for colour in sorted(colours):
        total = _mixed(total, colour)
    return total
