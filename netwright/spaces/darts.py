"""DARTS (Liu et al. 2019, arXiv:1806.09055): a normal and a reduction cell, each of four nodes that read two earlier ones.

The network around the cells is the published one, without its auxiliary head; images of 96 pixels and more get the stem for
ImageNet, which divides the map by eight.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from netwright.core.architecture import Answer, Architecture, Signature
from netwright.core.contracts import Need
from netwright.core.space import Cell, Chain, Choice, Edge, Graph, Seq, Space, Subset, Term, Tie, op
from netwright.errors import SpaceError
from netwright.spaces._blocks import conv_norm, factorized, relu_conv_norm

__all__ = ["NODES", "OPS", "needs", "offers", "row", "space", "trace"]

needs = frozenset({Need.IMAGES})
offers = frozenset({Need.FINITE})

OPS = ("max_pool_3x3", "avg_pool_3x3", "skip_connect", "sep_conv_3x3", "sep_conv_5x5", "dil_conv_3x3", "dil_conv_5x5")
"""The published names, in the published order, without ``none``, which no published cell holds."""

NODES = 4
LARGE = 96
"""Images from this size on get the stem for ImageNet."""


def _depthwise(width: int, kernel: int, stride: int, dilation: int = 1) -> tuple[Term, ...]:
    filters = op("conv", kernel=kernel, stride=stride, dilation=dilation, groups=0)
    return op("activation", kind="relu"), filters, op("conv", width=width, kernel=1), op("batch_norm")


def _edge(source: int, width: int, stride: int) -> Edge:
    pools = (op(kind, kernel=3, stride=stride, padding=1) for kind in ("max_pool", "avg_pool"))
    skip = factorized(width) if stride > 1 else op("identity")
    separable = (Seq(*_depthwise(width, k, stride), *_depthwise(width, k, 1)) for k in (3, 5))
    dilated = (Seq(*_depthwise(width, k, stride, 2)) for k in (3, 5))
    return Edge(source, Choice(*pools, skip, *separable, *dilated))


def _cell(name: str, width: int, stride: int) -> Term:
    """Two different inputs for each node, and what each goes through. All inner nodes are the output."""
    nodes = []
    for node in range(NODES):
        edges = (_edge(source, width, stride if source < 2 else 1) for source in range(2 + node))
        nodes.append(Subset(tuple(edges), 2, 2))
    return Tie(name, Cell(tuple(nodes), inputs=2, output="concat"))


def _stem(channels: int, large: bool) -> tuple[Term, ...]:
    if not large:
        return (conv_norm(3 * channels, 3),)
    start = Seq(conv_norm(channels // 2, 3, stride=2, kind="relu"), conv_norm(channels, 3, stride=2))
    return start, relu_conv_norm(channels, 3, stride=2)


def space(signature: Signature, *, layers: int = 0, channels: int = 0) -> Space:
    """The space for images of that size: 20 cells of 36 channels, or for large images 14 cells of 48.

    The cells at a third and two thirds of the ``layers`` halve the map and double the ``channels``.
    """
    large = min(signature.inputs[0][1].shape[1:]) >= LARGE
    layers, channels = layers or (14 if large else 20), channels or (48 if large else 36)
    stem = _stem(channels, large)
    parts = list(stem[1:])
    halved = large  # whether what the cell before last gave is twice as large as what the last one gave
    known: dict[tuple[str, int], Term] = {}
    for layer in range(layers):
        reduces = layer in (layers // 3, 2 * layers // 3)
        channels *= 1 + reduces
        name = "reduce" if reduces else "normal"
        cell = known.setdefault((name, channels), _cell(name, channels, 1 + reduces))
        older = factorized(channels) if halved else relu_conv_norm(channels)
        before = "x1" if parts else "x"
        fitted = (("older", older, (before,)), ("newer", relu_conv_norm(channels), ("x",)))
        parts.append(Graph((*fitted, ("cell", cell, ("older", "newer"))), "cell"))
        halved = reduces
    tail = (op("global_pool"), op("linear", units=signature.outputs))
    return Space(Seq(stem[0], Chain(*parts), *tail), name="darts", signature=signature)


def trace(row: Mapping[str, Any]) -> dict[str, Answer]:
    """The decisions of a genotype: under ``normal`` and ``reduce`` eight pairs (operation, input), two for each node."""
    found: dict[str, Answer] = {}
    for cell in ("normal", "reduce"):
        pairs: Sequence[tuple[str, int]] = row[cell]
        for node in range(NODES):
            two = sorted((source, name) for name, source in pairs[2 * node : 2 * node + 2])
            sources = tuple(source for source, _ in two)
            if len(set(sources)) != 2 or max(sources) > 1 + node or any(name not in OPS for _, name in two):
                raise SpaceError(f"node {node} reads {two}, which no cell of DARTS can", where=f"darts, {cell}")
            found[f"{cell}.{node}"] = sources
            found |= {f"{cell}.{node}.{source}.op": OPS.index(name) for source, name in two}
    return found


def row(architecture: Architecture) -> dict[str, Any]:
    """The genotype of an architecture, the inputs of each node in order."""
    decisions = architecture.decisions
    found: dict[str, Any] = {}
    for cell in ("normal", "reduce"):
        pairs = []
        for node in range(NODES):
            sources = decisions[f"{cell}.{node}"]
            assert isinstance(sources, tuple)
            for source in sources:
                answer = decisions[f"{cell}.{node}.{source}.op"]
                assert isinstance(answer, int)
                pairs.append((OPS[answer], source))
        found[cell] = pairs
    return found
