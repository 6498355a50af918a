"""NAS-Bench-Graph (Qin et al. 2022, arXiv:2206.09166): four operations on a graph's nodes, each fed by the input or another one.

Inputs: ``x``, (nodes, features), and ``adjacency``, (nodes, nodes), plain: 1 where two nodes are joined, nothing of a node to
itself. The operations that feed no other one are set side by side. A head of one axis gets the mean over the nodes (a class for
each graph); one of two axes (nodes, classes) a class for each node, as published.

Cells that are the same in another order, or whose skips can be moved to the front, are one cell: :func:`representative`, the
benchmark's own rule, brings every cell into the form that its table lists.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from netwright.core.architecture import Answer, Architecture, Signature
from netwright.core.contracts import Need
from netwright.core.space import Choice, Graph, Input, Let, Seq, Space, Term, op
from netwright.errors import SpaceError

__all__ = ["LINKS", "OPS", "needs", "offers", "representative", "row", "space", "trace"]

needs = frozenset({Need.GRAPHS})
offers: frozenset[Need] = frozenset()

LINKS = (
    *((0, 0, 0, 0), (0, 0, 0, 1), (0, 0, 1, 1), (0, 0, 1, 2), (0, 0, 1, 3)),
    *((0, 1, 1, 1), (0, 1, 1, 2), (0, 1, 2, 2), (0, 1, 2, 3)),
)
"""What feeds each operation: 0 the input, 1 the first operation, and so on."""

OPS = ("gat", "gcn", "gin", "cheb", "sage", "arma", "graph", "fc", "skip")

Cell = tuple[tuple[int, ...], tuple[str, ...]]


# ---- the benchmark's rule of which cells are one ------------------------------------------------------------------------


@lru_cache(maxsize=65536)
def representative(link: tuple[int, ...], ops: tuple[str, ...]) -> Cell:
    """The form in which the benchmark lists a cell: skips first, operations in equal places in the order of :data:`OPS`."""
    fed, names = list(link), list(ops)
    for place in range(4):
        if names[place] != "skip":
            continue
        feeds = any(source == place + 1 for source in fed)
        beside = any(other != place and source == fed[place] for other, source in enumerate(fed))
        if feeds or not beside or _at_input(place, fed, names):
            fed, names = _first(place, fed, names)
    if fed in ([0, 1, 2, 1], [0, 1, 1, 3]):  # the two other ways to write 0 1 1 2
        order = (0, 1, 3, 2) if fed[3] == 1 else (0, 2, 1, 3)
        fed, names = [0, 1, 1, 2], [names[i] for i in order]
    return tuple(fed), _sorted(tuple(fed), tuple(names))


def _at_input(place: int, fed: list[int], names: list[str]) -> bool:
    """Whether only skips lie between the input and what stands at a place, itself included."""
    while place > -1:
        if names[place] != "skip":
            return False
        place = fed[place] - 1
    return True


def _first(place: int, fed: list[int], names: list[str]) -> tuple[list[int], list[str]]:
    """A skip moved to the front: what it fed is fed by its source."""
    fed = list(fed)
    for other, source in enumerate(fed):
        if source == place + 1:
            fed[other] = fed[place]
        if source <= place:
            fed[other] += 1
    return [0, *fed[:place], *fed[place + 1 :]], [names[place], *names[:place], *names[place + 1 :]]


def _sorted(link: tuple[int, ...], names: tuple[str, ...]) -> tuple[str, ...]:
    alike: dict[tuple[int, ...], tuple[int, ...]] = {
        (0, 0, 0, 0): (0, 1, 2, 3),
        (0, 0, 0, 1): (1, 2),
        (0, 0, 1, 1): (2, 3),
        (0, 1, 1, 1): (1, 2, 3),
        (0, 1, 2, 2): (2, 3),
    }
    codes = [OPS.index(name) for name in names]
    if link == (0, 0, 1, 2) and (codes[0], codes[2]) > (codes[1], codes[3]):
        codes = [codes[1], codes[0], codes[3], codes[2]]
    places = alike.get(link, ())
    for place, code in zip(places, sorted(codes[i] for i in places), strict=True):
        codes[place] = code
    return tuple(OPS[code] for code in codes)


# ---- the network --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Laid:
    """Lays a cell and what stands around it. ``each``: whether every node has an answer of its own."""

    units: int
    heads: int
    dropout: float
    before: int
    after: int
    classes: int
    each: bool

    def operation(self, name: str) -> Term:
        if name == "skip":
            return op("identity")
        if name == "fc":
            return op("linear", units=self.units)
        if name == "gat":
            return op("graph_attention", units=self.units, heads=self.heads)
        return op("graph_conv", kind=name, units=self.units)

    def __call__(self, link: tuple[int, ...], **ops: str) -> Term:
        link, names = representative(link, tuple(ops.values()))
        drop = op("dropout", rate=self.dropout)
        norm = Seq(op("each_step", layer="batch_norm"), op("activation", kind="relu"), drop)
        first = [op("linear", units=self.units)] * self.before
        parts: list[tuple[str, Term, tuple[str, ...]]] = [
            ("edges", Input("adjacency"), ("x",)),
            ("v0", Seq(Input("x"), drop, *first), ("x",)),
        ]
        raw = [not self.before]  # what is as wide as the features is not normalised
        for place, (source, name) in enumerate(zip(link, names, strict=True), 1):
            read = f"v{source}"
            if not raw[source]:
                parts.append((f"norm{place}", norm, (read,)))
                read = f"norm{place}"
            graph = name not in ("skip", "fc")
            parts.append((f"v{place}", self.operation(name), (read, "edges") if graph else (read,)))
            raw.append(raw[source] and name == "skip")
        ends = tuple(f"v{place}" for place in range(5) if place not in link)
        tail = [op("linear", units=self.units)] * self.after
        pool = [] if self.each else [op("time_pool")]
        last = Seq(op("activation", kind="relu"), *pool, *tail, op("linear", units=self.classes))
        return Graph([*parts, ("joined", op("concat"), ends), ("end", last, ("joined",))])


def space(
    signature: Signature, *, units: int = 128, before: int = 0, after: int = 0, heads: int = 2, dropout: float = 0.5
) -> Space:
    """The space for graphs of that size: 26,206 cells, and one of skips only.

    ``before``, ``after``: linear layers around the cell. As published: Cora and CiteSeer have 256 units and one layer after it,
    Coauthor CS one before it, PubMed and Amazon Photo none.
    """
    head = signature.heads[0][1].shape
    made = Laid(units, heads, dropout, before, after, head[-1], len(head) == 2)
    body = Let(made, link=Choice(*LINKS), **{f"op{place}": Choice(*OPS) for place in range(1, 5)})
    return Space(body, name="nasbench_graph", signature=signature)


def trace(row: Mapping[str, Any]) -> dict[str, Answer]:
    """The decisions of a published cell: ``link``, what feeds each operation, and ``ops``, their names."""
    link, ops = tuple(row["link"]), tuple(row["ops"])
    if link not in LINKS or len(ops) != 4 or not set(ops) <= set(OPS):
        raise SpaceError(f"{list(link)} of {list(ops)} is not a cell of NAS-Bench-Graph", where="nasbench_graph")
    return {"net.link": LINKS.index(link), **{f"net.op{i}": OPS.index(name) for i, name in enumerate(ops, 1)}}


def row(architecture: Architecture) -> dict[str, Any]:
    """The cell as its table lists it, and the benchmark's own ``hash``: the digits of a number to base 10."""
    decisions = architecture.decisions
    codes = [int(decisions[f"net.{name}"]) for name in ("link", "op1", "op2", "op3", "op4")]  # type: ignore[arg-type]
    link, ops = representative(LINKS[codes[0]], tuple(OPS[code] for code in codes[1:]))
    digits = [LINKS.index(link), *(OPS.index(name) for name in ops)]
    return {"link": list(link), "ops": list(ops), "hash": int("".join(map(str, digits)))}
