"""SpikeNAS-Bench (IEEE Trans. Artificial Intelligence, document 10855683): NAS-Bench-201's graph, its edges of spiking neurons.

An edge is nothing, a skip, or a 3×3 convolution of the spikes of leaky integrate-and-fire neurons with a low, middle or high
threshold. The network sees the image at each of five time steps; between the steps only the neurons remember.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from netwright.core.architecture import Answer, Architecture, Signature
from netwright.core.contracts import Need
from netwright.core.space import Cell, Choice, Edge, Seq, Space, Term, Tie, op

__all__ = ["EDGES", "THRESHOLDS", "needs", "offers", "row", "space", "trace"]

needs = frozenset({Need.IMAGES})
offers = frozenset({Need.FINITE})

THRESHOLDS = (0.5, 1.0, 1.5)
"""Of the options 2, 3 and 4; 0 is no edge, 1 a skip."""

EDGES = ((0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3))
"""From which node to which, in the order of the digits of a published number, the lowest first."""

_HOLES = {f"op_{start}_{end}": f"cell.{end - 1}.{start}.op" for start, end in EDGES}


def _each(layer: str, **attrs: Any) -> Term:
    """A layer at each time step."""
    return op("each_step", layer=layer, attrs=tuple(sorted(attrs.items())))


def _fire(threshold: float = 1.0) -> Term:
    return op("lif", threshold=threshold, tau=4 / 3)


def _conv(width: int) -> Term:
    return Seq(_each("conv", width=width, kernel=3), _each("batch_norm"))


def _cell(width: int) -> Term:
    spiking = [Seq(_fire(threshold), _conv(width)) for threshold in THRESHOLDS]
    options = Choice(op("zero"), op("identity"), *spiking)
    return Tie("cell", Cell(tuple(tuple(Edge(start, options) for start in range(end)) for end in (1, 2, 3))))


def space(signature: Signature, *, width: int = 128, steps: int = 5, hidden: int = 1024, neurons: int = 10) -> Space:
    """The space for images of that size: 15,625 cells. ``neurons`` vote for each class; 10 of them for CIFAR-10."""
    return Space(
        Seq(
            *(op("conv", width=width, kernel=3), op("batch_norm"), op("repeat_steps", steps=steps)),
            _cell(width),
            *(_each("batch_norm"), _fire(), _conv(2 * width), _each("avg_pool", kernel=2, stride=2)),
            _cell(2 * width),
            *(_each("batch_norm"), _fire(), _each("avg_pool", kernel=2, stride=2), _each("flatten")),
            *(op("dropout", rate=0.5), op("linear", units=hidden, bias=False), _fire()),
            *(op("linear", units=neurons * signature.outputs), op("time_pool"), op("feature_pool", size=neurons)),
        ),
        name="spikenas",
        signature=signature,
    )


def trace(row: Mapping[str, Any]) -> dict[str, Answer]:
    """The decisions of a published cell: the options ``op_0_1`` … ``op_2_3`` of its edges."""
    return {hole: int(row[name]) for name, hole in _HOLES.items()}


def row(architecture: Architecture) -> dict[str, Any]:
    """The options of the edges, and the published number: these as the digits of a number to base 5."""
    decisions = architecture.decisions
    options = {name: int(decisions[hole]) for name, hole in _HOLES.items()}  # type: ignore[arg-type]
    return {**options, "id": sum(5**i * option for i, option in enumerate(options.values()))}
