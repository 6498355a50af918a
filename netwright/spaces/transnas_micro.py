"""TransNAS-Bench-101, micro (Duan et al. 2021, arXiv:2105.11871): one cell of four nodes and six edges, as NAS-Bench-201's.

An edge has four operations. The network around the cell is the published one, for classification: five modules of two cells, of
which the first, third and fifth halve the map and double the channels at the edges from their first node.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from netwright.core.architecture import Answer, Architecture, Signature
from netwright.core.contracts import Need
from netwright.core.space import Cell, Choice, Edge, Seq, Space, Term, Tie, op
from netwright.errors import SpaceError
from netwright.spaces._blocks import conv_norm, factorized, halvings, relu_conv_norm

__all__ = ["EDGES", "OPS", "needs", "offers", "row", "space", "trace"]

needs = frozenset({Need.IMAGES})
offers = frozenset({Need.FINITE})

OPS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3")
"""The published digits 0 to 3, with the names of NAS-Bench-201."""

EDGES = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))
"""From which node to which, in the order of the published string."""

MODULES = (4, 1, 4, 1, 4)
"""The published skeleton: 1 keeps the shape, 4 halves the map and doubles the channels."""

_HOLES = tuple(f"cell.{end - 1}.{start}.op" for start, end in EDGES)


def _cell(width: int, grows: bool, stride: int) -> Term:
    def edge(start: int) -> Edge:
        leads = grows and start == 0
        step = stride if leads else 1
        nothing: Term = op("zero")
        keep: Term = op("identity")
        if leads:
            keep = factorized(width, step)
            nothing = op("zero", width=width, stride=step)
        return Edge(start, Choice(nothing, keep, relu_conv_norm(width, 1, step), relu_conv_norm(width, 3, step)))

    return Tie("cell", Cell(tuple(tuple(edge(start) for start in range(end)) for end in (1, 2, 3))))


def space(signature: Signature, *, width: int = 64) -> Space:
    """The space for images of that size: 4,096 cells. ``width``: channels before the first module. Small images are halved less
    often."""
    size = min(signature.inputs[0][1].shape[1:])
    halves = (2, 2, *(2 for module in MODULES if module == 4))
    strides = list(halvings(size, halves, 4 if size < 96 else 1))
    parts: list[Term] = [conv_norm(width // 2, 3, strides.pop(0)), relu_conv_norm(width, 3, strides.pop(0))]
    for module in MODULES:
        if module == 4:
            width *= 2
            parts.append(_cell(width, True, strides.pop(0)))
        plain = _cell(width, False, 1)
        parts += [plain] if module == 4 else [plain, plain]
    parts += [op("global_pool"), op("linear", units=signature.outputs)]
    return Space(Seq(*parts), name="transnas_micro", signature=signature)


def trace(row: Mapping[str, Any]) -> dict[str, Answer]:
    """The decisions of six digits ``arch``: ``64-41414-1_02_333``, or as a tuple ``(1, 0, 2, 3, 3, 3)``."""
    text = str(row["arch"])
    digits = re.sub(r"\D", "", text.removeprefix("64-41414-"))
    if not re.fullmatch("[0-3]{6}", digits):
        raise SpaceError(f"{text!r} is not a cell of TransNAS-Bench-101 micro", where="transnas_micro")
    return {hole: int(digit) for hole, digit in zip(_HOLES, digits, strict=True)}


def row(architecture: Architecture) -> dict[str, Any]:
    """The six digits of an architecture, as the tables write them."""
    decisions = architecture.decisions
    return {"arch": f"({', '.join(str(decisions[hole]) for hole in _HOLES)})"}
