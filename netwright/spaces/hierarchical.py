"""Motifs of motifs (Liu et al. 2018, arXiv:1711.00436): three levels, each a set of small graphs over the one below.

Level 1 is six primitives, level 2 six motifs of four nodes whose edges are primitives, level 3 one cell of five nodes whose
edges are motifs. A motif takes the same decisions wherever it stands; its weights are those of the place. Every node takes one
edge or more from the nodes before it, and sets what comes in side by side, as published (so that widths grow up to the next
convolution), or adds it up (``join="sum"``), where every part keeps its width.
"""

from __future__ import annotations

from netwright.core.architecture import Signature
from netwright.core.contracts import Need
from netwright.core.space import Cell, Choice, Edge, Seq, Space, Subset, Term, Tie, op
from netwright.spaces._blocks import conv_norm

__all__ = ["needs", "offers", "space"]

needs = frozenset({Need.IMAGES})
offers: frozenset[Need] = frozenset()


def _separable(width: int, stride: int = 1) -> Term:
    return Seq(op("conv", kernel=3, groups=0, stride=stride), conv_norm(width, kind="relu"))


def _primitives(width: int) -> tuple[Term, ...]:
    """Level 1: all keep the size of the map."""
    return (
        conv_norm(width, kind="relu"),
        Seq(op("conv", kernel=3, groups=0), op("batch_norm"), op("activation", kind="relu")),
        _separable(width),
        op("max_pool", kernel=3, stride=1, padding=1),
        op("avg_pool", kernel=3, stride=1, padding=1),
        op("identity"),
    )


def _graph(nodes: int, options: tuple[Term, ...], join: str) -> Term:
    """Every node after the first: any of the edges from those before it, each an option."""
    edges = tuple(Edge(source, Choice(*options)) for source in range(nodes))
    return Cell(tuple(Subset(edges[:node]) for node in range(1, nodes)), join=join)


def space(
    signature: Signature,
    *,
    width: int = 16,
    cells: int = 1,
    motifs: int = 6,
    inner: int = 4,
    outer: int = 5,
    join: str = "concat",
) -> Space:
    """The space for images of that size. ``inner`` and ``outer``: nodes of a motif and of the cell; ``cells`` of each width.

    Between the three widths a separable convolution of stride 2 doubles the channels.
    """
    parts: list[Term] = [conv_norm(width, 3, kind="relu")]
    for stage in range(3):
        if stage:
            width *= 2
            parts.append(_separable(width, stride=2))
        level2 = tuple(Tie(f"motif{i}", _graph(inner, _primitives(width), join)) for i in range(1, motifs + 1))
        parts += [Tie("cell", _graph(outer, level2, join))] * cells
    parts += [op("global_pool"), op("linear", units=signature.outputs)]
    return Space(Seq(*parts), name="hierarchical", signature=signature)
