"""All axes as one: (channels, height, width) → (channels · height · width,)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

from netwright.core.architecture import Tensor
from netwright.layers.base import Layer, OnnxNode

__all__ = ["LAYER"]


class Flatten(Layer):
    """No attributes."""

    def shape(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Tensor:
        return Tensor((prod(inputs[0].shape),), inputs[0].dtype)

    def view(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> bool:
        return True

    def source(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> str:
        return "x0.flatten(1)"

    def onnx(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Sequence[OnnxNode]:
        return [OnnxNode("Flatten", ("x0",))]

    def label(self, attrs: Mapping[str, Any]) -> str:
        return "flatten"


LAYER = Flatten()
