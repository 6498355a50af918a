"""A learned vector for each of a number of codes: (time,) of whole numbers → (time, units)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from netwright.core.architecture import Tensor
from netwright.errors import SpaceError
from netwright.layers.base import Cut, Layer, OnnxNode, Part, Shape, prefix

__all__ = ["LAYER"]


class Embedding(Layer):
    """Attributes: ``count`` of codes, ``units``."""

    attributes = ("count", "units")

    def shape(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Tensor:
        (x,) = inputs
        if len(x.shape) != 1 or x.dtype not in ("int64", "int32"):
            raise SpaceError(f"an embedding needs (time,) of whole numbers, not {x.shape} of {x.dtype}")
        return Tensor((x.shape[0], attrs["units"]))

    def weights(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Mapping[str, Shape]:
        return {"weight": (attrs["count"], attrs["units"])}

    def cut(self, inputs: Sequence[Part], large: Mapping[str, Any], small: Mapping[str, Any]) -> Cut:
        units = prefix(small["units"], large["units"], "units")
        return Cut(units, {"weight": (prefix(small["count"], large["count"], "codes"), units)})

    def source(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> str:
        return f"nn.Embedding({attrs['count']}, {attrs['units']})"

    def onnx(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Sequence[OnnxNode]:
        return [OnnxNode("Gather", ("weight", "x0"))]

    def label(self, attrs: Mapping[str, Any]) -> str:
        return f"embedding · {attrs['units']}"


LAYER = Embedding()
