"""The space of the table that comes with Netwright: one small cell, twice, at three widths; 525 networks, no two alike.

The cell is that of NAS-Bench-201 (Dong & Yang 2020, arXiv:2001.00326) with a node less. Its convolutions have no batch norm of
their own, and no edge on the way to the output can be missing, so that every answer gives another function.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from netwright.core.architecture import Answer, Architecture, Signature
from netwright.core.contracts import Need
from netwright.core.space import Cell, Choice, Edge, Seq, Space, Term, op
from netwright.errors import SpaceError

__all__ = ["EDGES", "OPS", "WIDTHS", "needs", "offers", "row", "space", "trace"]

needs = frozenset({Need.IMAGES})
offers = frozenset({Need.FINITE})

OPS = ("conv_1x1", "conv_3x3", "depthwise_3x3", "mean_3x3", "max_3x3")
"""What the two edges of the path can be."""

WIDTHS = (8, 16, 32)

EDGES = {"first": OPS, "second": OPS, "beside": ("none", "skip", *OPS)}
"""``first``: from the input to the inner node; ``second``: from there to the output; ``beside``: from the input to the output."""


def _layers() -> dict[str, Term]:
    """Each as wide as what comes in; zeros in give zeros out."""

    def conv(**attrs: int) -> Term:
        return Seq(op("activation", kind="relu"), op("conv", **attrs))

    return {
        "none": op("zero"),
        "skip": op("identity"),
        "conv_1x1": conv(kernel=1, ratio=1),
        "conv_3x3": conv(kernel=3, ratio=1),
        "depthwise_3x3": conv(kernel=3, groups=0),
        "mean_3x3": op("avg_pool", kernel=3, stride=1, padding=1),
        "max_3x3": op("max_pool", kernel=3, stride=1, padding=1),
    }


def space(signature: Signature) -> Space:
    """The networks for images of that size: 5 · 5 · 7 cells at 3 widths."""
    layers = _layers()
    first, second, beside = (Choice(*(layers[each] for each in options), name=name) for name, options in EDGES.items())
    cell = Cell(((Edge(0, first),), (Edge(0, beside), Edge(1, second))))
    ready = (op("batch_norm"), op("activation", kind="relu"))
    return Space(
        Seq(
            *(op("conv", width=Choice(*WIDTHS, name="width"), kernel=3), op("batch_norm"), cell, *ready),
            *(op("max_pool", kernel=3, stride=2, padding=1), cell, *ready),
            *(op("global_pool"), op("linear", units=signature.outputs)),
        ),
        name="minibench",
        signature=signature,
    )


def trace(row: Mapping[str, Any]) -> dict[str, Answer]:
    """The decisions of a row: ``width`` and the three edges by name."""
    try:
        return {"width": WIDTHS.index(row["width"]), **{name: options.index(row[name]) for name, options in EDGES.items()}}
    except ValueError:
        given = ", ".join(f"{name} {row[name]!r}" for name in ("width", *EDGES))
        raise SpaceError(f"{given} is none of its networks", where="minibench", todo="Its options are in the docs.") from None


def row(architecture: Architecture) -> dict[str, Any]:
    """The width and the three edges of an architecture, by name."""

    def chosen(name: str, options: tuple[Any, ...]) -> Any:
        answer = architecture.decisions[name]
        assert isinstance(answer, int)
        return options[answer]

    return {"width": chosen("width", WIDTHS), **{name: chosen(name, options) for name, options in EDGES.items()}}
