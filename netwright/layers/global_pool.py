"""Mean over all of space: (channels, height, width) → (channels,)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from netwright.core.architecture import Tensor
from netwright.layers.base import Layer, OnnxNode, expect

__all__ = ["LAYER"]


class GlobalPool(Layer):
    """No attributes."""

    channelwise = True

    def shape(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Tensor:
        return Tensor(expect(inputs[0], "global pooling", 3)[:1])

    def keeps_zero(self, attrs: Mapping[str, Any]) -> bool:
        return True

    def source(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> str:
        return "x0.mean((2, 3))"

    def onnx(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Sequence[OnnxNode]:
        return [OnnxNode("GlobalAveragePool", ("x0",), ("mean",)), OnnxNode("Flatten", ("mean",))]

    def label(self, attrs: Mapping[str, Any]) -> str:
        return "global mean"


LAYER = GlobalPool()
