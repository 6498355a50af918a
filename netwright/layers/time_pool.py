"""Mean over time: (time, features) → (features,)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from netwright.core.architecture import Tensor
from netwright.layers.base import Layer, OnnxNode, expect

__all__ = ["LAYER"]


class TimePool(Layer):
    """No attributes."""

    def shape(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Tensor:
        return Tensor(expect(inputs[0], "pooling over time", 2)[1:])

    def source(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> str:
        return "x0.mean(1)"

    def onnx(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Sequence[OnnxNode]:
        return [OnnxNode("ReduceMean", ("x0", "axes"), attrs={"keepdims": 0}, constants={"axes": (1,)})]

    def label(self, attrs: Mapping[str, Any]) -> str:
        return "mean over time"


LAYER = TimePool()
