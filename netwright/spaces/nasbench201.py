"""NAS-Bench-201 (Dong & Yang 2020, arXiv:2001.00326): one cell of four nodes and six edges, stamped in three stages.

The network around the cell is the published one: a 3×3 convolution, three stages of five cells at 16, 32 and 64 channels,
between them a residual block that halves the map, and a linear layer over the mean of what is left.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from netwright.core.architecture import Answer, Architecture, Signature
from netwright.core.contracts import Need
from netwright.core.space import Branches, Cell, Choice, Edge, Repeat, Seq, Space, Term, Tie, op
from netwright.errors import SpaceError

__all__ = ["EDGES", "OPS", "needs", "offers", "row", "space", "trace"]

needs = frozenset({Need.IMAGES})
offers = frozenset({Need.FINITE})

OPS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
"""The published names, in the published order."""

EDGES = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))
"""From which node to which, in the order of the published string."""

_HOLES = tuple(f"cell.{end - 1}.{start}.op" for start, end in EDGES)


def _conv(kernel: int, stride: int = 1, **width: int) -> Term:
    """ReLU, convolution, batch normalization."""
    return Seq(op("activation", kind="relu"), op("conv", kernel=kernel, stride=stride, **width), op("batch_norm"))


def _cell() -> Term:
    """As wide as what comes in, so that one cell serves all stages."""

    def edge(start: int) -> Edge:
        mean = op("avg_pool", kernel=3, stride=1, padding=1)
        return Edge(start, Choice(op("zero"), op("identity"), _conv(1, ratio=1), _conv(3, ratio=1), mean))

    return Tie("cell", Cell(tuple(tuple(edge(start) for start in range(end)) for end in (1, 2, 3))))


def _halve(width: int, odd: bool) -> Term:
    """The residual block between two stages. A map of odd size is averaged over 3×3 pixels, so that none is left out."""
    mean = op("avg_pool", kernel=3, stride=2, padding=1) if odd else op("avg_pool", kernel=2, stride=2)
    return Branches(Seq(_conv(3, 2, width=width), _conv(3, width=width)), Seq(mean, op("conv", width=width, kernel=1)))


def space(signature: Signature, *, width: int = 16, cells: int = 5) -> Space:
    """The space for images of that size: 15,625 cells."""
    sizes = signature.inputs[0][1].shape[1:]
    cell = _cell()
    parts: list[Term] = [op("conv", width=width, kernel=3), op("batch_norm")]
    for stage in range(3):
        if stage:
            width *= 2
            parts.append(_halve(width, any(size % 2 for size in sizes)))
            sizes = tuple(-(-size // 2) for size in sizes)
        parts.append(Repeat(cell, cells))
    parts += [op("batch_norm"), op("activation", kind="relu"), op("global_pool"), op("linear", units=signature.outputs)]
    return Space(Seq(*parts), name="nasbench201", signature=signature)


def trace(row: Mapping[str, Any]) -> dict[str, Answer]:
    """The decisions of a published string ``arch``: ``|op~0|+|op~0|op~1|+|op~0|op~1|op~2|``."""
    found = re.findall(r"(\w+)~(\d)", row["arch"])
    starts = [int(start) for _, start in found]
    if starts != [start for start, _ in EDGES] or any(name not in OPS for name, _ in found):
        raise SpaceError(f"{row['arch']!r} is not a cell of NAS-Bench-201", where="nasbench201")
    return {hole: OPS.index(name) for hole, (name, _) in zip(_HOLES, found, strict=True)}


def row(architecture: Architecture) -> dict[str, Any]:
    """The published string of an architecture."""
    decisions = architecture.decisions
    nodes: list[str] = ["", "", ""]
    for hole, (start, end) in zip(_HOLES, EDGES, strict=True):
        answer = decisions[hole]
        assert isinstance(answer, int)
        nodes[end - 1] += f"{OPS[answer]}~{start}|"
    return {"arch": "+".join(f"|{node}" for node in nodes)}
