"""NAS-Bench-101 (Ying et al. 2019, arXiv:1902.09635): one cell of at most seven vertices and nine edges, used nine times.

A cell is a graph: vertex 0 is its input, the last one its output, those between compute; each has an operation. It is laid as
published:

- Vertices that no path from input to output passes are left out. Where no path is left, what is laid is the cell of one edge,
  from the input to the output: the benchmark has no cell that ignores its input, and neither has this space.
- Isomorphic cells are one cell. Of the orders of its vertices that lead forward, the first in the order of the benchmark's own
  enumeration counts (:func:`representative`), so that all of them lay the same graph.
- The cell's input reaches a vertex through a 1×1 convolution of that vertex's width, other vertices directly; what meets at a
  vertex is added. The vertices that lead to the output are set side by side and share its channels; where these cannot be
  divided, the first ones get one more, and a vertex that hears a wider one drops the channels that it lacks.
- Around it: a 3×3 convolution of 128 channels, three stacks of three cells, each stack after the first at half the size and
  twice the channels, the mean over space, a linear layer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import permutations
from typing import Any

from netwright.core.architecture import Answer, Architecture, Signature
from netwright.core.contracts import Need
from netwright.core.space import Choice, Graph, Let, Seq, Space, Subset, Term, Tie, op
from netwright.errors import SpaceError
from netwright.spaces._blocks import conv_norm

__all__ = ["EDGES", "OPS", "needs", "offers", "representative", "row", "space", "trace"]

needs = frozenset({Need.IMAGES})
offers: frozenset[Need] = frozenset()

OPS = ("conv3x3", "conv1x1", "maxpool3x3")
"""In the order of the benchmark's enumeration."""

VERTICES = 7
MOST_EDGES = 9

EDGES = tuple((start, end) for end in range(1, VERTICES) for start in range(end))
"""From which vertex to which; the order is that of the benchmark's bits, the lowest first."""

Edges = tuple[tuple[int, int], ...]
Cell = tuple[Edges, tuple[str, ...]]
"""Edges, and the operation of each vertex between input and output."""


def _pruned(edges: Edges, ops: tuple[str, ...]) -> Cell:
    """Without the vertices that no path from input to output passes; the rest are numbered anew."""
    last = len(ops) + 1
    heard, leading = {0}, {last}
    for start, end in sorted(edges, key=lambda edge: edge[1]):
        if start in heard:
            heard.add(end)
    for start, end in sorted(edges, reverse=True):
        if end in leading:
            leading.add(start)
    kept = sorted(heard & leading | {0, last})
    if last not in heard:
        return ((0, 1),), ()
    number = {vertex: i for i, vertex in enumerate(kept)}
    inner = tuple(ops[vertex - 1] for vertex in kept[1:-1])
    return tuple((number[a], number[b]) for a, b in edges if a in number and b in number), inner


def _ordered(edges: Edges, ops: tuple[str, ...], by_rows: bool = False) -> Cell:
    """The same cell, its vertices in the order whose adjacency matrix, then operations, are the smallest number.

    The matrix is read column by column, its first entry the lowest bit, as the benchmark's enumeration does; or ``by_rows``.
    """
    last = len(ops) + 1
    best: tuple[int, tuple[int, ...]] | None = None
    found: Cell = edges, ops
    codes = tuple(OPS.index(name) for name in ops)
    place = [0] * last + [last]
    for order in permutations(range(1, last)):
        for new, old in enumerate(order, 1):
            place[old] = new
        bits = 0
        for start, end in edges:
            a, b = place[start], place[end]
            if a > b:
                break
            bits |= 1 << (a * last - a * (a + 1) // 2 + b - 1 if by_rows else a + b * (b - 1) // 2)
        else:
            labels = tuple(codes[old - 1] for old in order)
            if best is None or (bits, labels) < best:
                best = bits, labels
                moved = tuple(sorted((place[a], place[b]) for a, b in edges))
                found = moved, tuple(OPS[code] for code in labels)
    return found


@lru_cache(maxsize=65536)
def representative(edges: Edges, ops: tuple[str, ...]) -> Cell:
    """The cell that stands for all its isomorphic copies, without what it does not need."""
    return _ordered(*_pruned(edges, ops))


@lru_cache(maxsize=1024)
def _conv(width: int, kernel: int = 1) -> Term:
    return conv_norm(width, kernel, kind="relu")


def widths(edges: Edges, inputs: int, outputs: int) -> list[int]:
    """The channels of each vertex, the input's and the output's at the ends."""
    last = max(end for _, end in edges)
    found = [inputs, *[0] * (last - 1), outputs]
    joined = sorted(start for start, end in edges if end == last and start)
    for i, vertex in enumerate(joined):
        found[vertex] = outputs // len(joined) + (i < outputs % len(joined))
    for vertex in range(last - 1, 0, -1):
        if vertex not in joined:
            found[vertex] = max(found[end] for start, end in edges if start == vertex)
    return found


@dataclass(frozen=True)
class Laid:
    """Lays a cell between so many channels."""

    inputs: int
    outputs: int

    def __call__(self, edges: Edges, **ops: str) -> Term:
        edges, names = representative(edges, tuple(ops.values()))
        last = len(names) + 1
        width = widths(edges, self.inputs, self.outputs)
        parts: list[tuple[str, Term, tuple[str, ...]]] = []

        def put(name: str, term: Term, *reads: str) -> str:
            parts.append((name, term, reads))
            return name

        def joined(vertex: int, reads: list[str], how: str) -> str:
            return put(f"{how}{vertex}", op(how), *reads) if len(reads) > 1 else reads[0]

        for vertex in range(1, last):
            reads = []
            for start, _ in (edge for edge in edges if edge[1] == vertex and edge[0]):
                wide = width[start] > width[vertex]
                cut = op("truncate", width=width[vertex])
                reads.append(put(f"cut{start}{vertex}", cut, f"v{start}") if wide else f"v{start}")
            if (0, vertex) in edges:
                reads.append(put(f"in{vertex}", _conv(width[vertex]), "x"))
            name = names[vertex - 1]
            pool = op("max_pool", kernel=3, stride=1, padding=1)
            work = pool if name == "maxpool3x3" else _conv(width[vertex], int(name[-1]))
            put(f"v{vertex}", work, joined(vertex, reads, "sum"))
        ends = [f"v{start}" for start, end in edges if end == last and start]
        outs = [joined(last, ends, "concat")] if ends else []
        if (0, last) in edges:
            outs.append(put(f"in{last}", _conv(self.outputs), "x"))
        return Graph(parts, joined(last, outs, "sum"))


def space(signature: Signature, *, width: int = 128, stacks: int = 3, cells: int = 3) -> Space:
    """The space for images of that size: 423,624 cells, each of which many choices of edges stand for."""
    parts: list[Term] = [_conv(width, 3)]
    edges = Subset(EDGES, 1, MOST_EDGES)
    ops = {f"op{vertex}": Choice(*OPS) for vertex in range(1, VERTICES - 1)}
    channels = width
    for stack in range(stacks):
        if stack:
            parts.append(op("max_pool", kernel=2, stride=2))
            width *= 2
        for first in (True, False):  # cells between the same channels are one term, and laid once
            cell = Tie("cell", Let(Laid(channels, width), edges=edges, **ops))
            parts += [cell] * (1 if first else cells - 1)
            channels = width
    parts += [op("global_pool"), op("linear", units=signature.outputs)]
    return Space(Seq(*parts), name="nasbench101", signature=signature)


def trace(row: Mapping[str, Any]) -> dict[str, Answer]:
    """The decisions of a published cell: ``adjacency``, a matrix of 0 and 1, and ``ops``, the names of all its vertices."""
    matrix, names = row["adjacency"], list(row["ops"])
    last = len(names) - 1
    edges = [(a, b) for a in range(last + 1) for b in range(last + 1) if matrix[a][b]]
    known = all(name in OPS for name in names[1:-1])
    if not 0 < last < VERTICES or len(edges) > MOST_EDGES or not known or any(a >= b for a, b in edges):
        raise SpaceError(f"{names} with {len(edges)} edges is not a cell of NAS-Bench-101", where="nasbench101")
    chosen = sorted(EDGES.index((a, VERTICES - 1 if b == last else b)) for a, b in edges)
    inner = [OPS.index(name) for name in names[1:-1]]
    inner += [0] * (VERTICES - 2 - len(inner))
    return {"cell.edges": tuple(chosen), **{f"cell.op{i}": code for i, code in enumerate(inner, 1)}}


def row(architecture: Architecture) -> dict[str, Any]:
    """The cell as tables write it: ``adjacency`` and ``ops`` in the order that is the smallest read by rows, and the
    benchmark's own ``hash``."""
    decisions = architecture.decisions
    chosen = decisions["cell.edges"]
    assert isinstance(chosen, tuple)
    ops = tuple(OPS[decisions[f"cell.op{i}"]] for i in range(1, VERTICES - 1))  # type: ignore[index]
    edges, names = _ordered(*_pruned(tuple(EDGES[i] for i in chosen), ops), by_rows=True)
    size = len(names) + 2
    matrix = [[int((a, b) in edges) for b in range(size)] for a in range(size)]
    return {"adjacency": matrix, "ops": ["input", *names, "output"], "hash": _hash(matrix, names)}


def _hash(matrix: list[list[int]], names: tuple[str, ...]) -> str:
    """The benchmark's key: what every vertex knows of its neighbours, of their neighbours, and so on."""

    def md5(text: str) -> str:
        return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()

    vertices = range(len(matrix))
    labels = [-1, *(OPS.index(name) for name in names), -2]
    hashes = [md5(str((sum(matrix[v]), sum(line[v] for line in matrix), labels[v]))) for v in vertices]
    for _ in vertices:
        heard = ["".join(sorted(hashes[w] for w in vertices if matrix[w][v])) for v in vertices]
        told = ["".join(sorted(hashes[w] for w in vertices if matrix[v][w])) for v in vertices]
        hashes = [md5(f"{heard[v]}|{told[v]}|{hashes[v]}") for v in vertices]
    return md5(str(sorted(hashes)))
