"""Columns of a table, as numbers and category codes, to the features of a network; missing values are NaN."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from netwright.core.architecture import Tensor
from netwright.errors import SpaceError
from netwright.layers.base import Layer, OnnxNode, expect

__all__ = ["LAYER", "Feature", "features"]


class Feature(NamedTuple):
    """One number that the network sees: made from ``column``; ``value`` is what fills a gap, or the category's code."""

    column: int
    kind: str
    value: float = 0.0
    mean: float = 0.0
    std: float = 1.0


def features(columns: Sequence[Sequence[Any]]) -> list[Feature]:
    """Features in the order of their columns: a number, its flag "was missing" if it has one, or a feature for each code.

    Kinds: ``number``, ``flag``, ``category``. Raises :class:`SpaceError` for a column of another kind.
    """
    found: list[Feature] = []
    for column, (kind, *given) in enumerate(columns):
        if kind == "category":
            found += [Feature(column, kind, code) for code in range(given[0])]
        elif kind == "number":
            found.append(Feature(column, kind, *given[:3]))
            found += [Feature(column, "flag")] * bool(given[3:] and given[3])
        else:
            raise SpaceError(f"column {column} is of unknown kind {kind!r}", todo="Known: number, category.")
    return found


class Encode(Layer):
    """Attributes: ``columns``: for each column ("number", fill, mean, std), with a fifth entry 1 where a 0/1 feature "was
    missing" is to follow, or ("category", n) with codes 0 to n − 1; any other code is all zeros."""

    attributes = ("columns",)

    def shape(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Tensor:
        (size,) = expect(inputs[0], "encoding", 1)
        if size != len(attrs["columns"]):
            raise SpaceError(f"{len(attrs['columns'])} columns are described, {size} come in")
        return Tensor((len(features(attrs["columns"])),))

    def stores(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> bool:
        return True

    def source(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> str:
        return f"Encode({attrs['columns']})".replace("'", '"')

    def onnx(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Sequence[OnnxNode]:
        column, kind, value, mean, std = zip(*features(attrs["columns"]), strict=True)
        value = tuple(map(float, value))
        return [
            OnnxNode("Gather", ("x0", "column"), ("values",), {"axis": 1}, {"column": column}),
            OnnxNode("IsNaN", ("values",), ("gaps",)),
            OnnxNode("Where", ("gaps", "value", "values"), ("filled",), constants={"value": value}),
            OnnxNode("Sub", ("filled", "mean"), ("centred",), constants={"mean": tuple(map(float, mean))}),
            OnnxNode("Div", ("centred", "std"), ("scaled",), constants={"std": tuple(map(float, std))}),
            OnnxNode("Equal", ("values", "value"), ("same",), constants={"value": value}),
            OnnxNode("Cast", ("gaps",), ("gaps_as_number",), {"to": 1}),
            OnnxNode("Cast", ("same",), ("same_as_number",), {"to": 1}),
            OnnxNode("Cast", ("flag",), ("is_flag",), {"to": 9}, {"flag": tuple(float(k == "flag") for k in kind)}),
            OnnxNode("Cast", ("number",), ("is_number",), {"to": 9}, {"number": tuple(float(k == "number") for k in kind)}),
            OnnxNode("Where", ("is_flag", "gaps_as_number", "same_as_number"), ("indicator",)),
            OnnxNode("Where", ("is_number", "scaled", "indicator")),
        ]

    def label(self, attrs: Mapping[str, Any]) -> str:
        return f"encode · {len(features(attrs['columns']))}"


LAYER = Encode()
