"""Time and features change places: (time, features) → (features, time)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from netwright.core.architecture import Tensor
from netwright.layers.base import Layer, OnnxNode, expect

__all__ = ["LAYER"]


class Transpose(Layer):
    """No attributes."""

    def shape(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Tensor:
        steps, features = expect(inputs[0], "a transposition", 2)
        return Tensor((features, steps), inputs[0].dtype)

    def keeps_zero(self, attrs: Mapping[str, Any]) -> bool:
        return True

    def view(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> bool:
        return True

    def source(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> str:
        return "x0.transpose(1, 2)"

    def onnx(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Sequence[OnnxNode]:
        return [OnnxNode("Transpose", ("x0",), attrs={"perm": [0, 2, 1]})]

    def label(self, attrs: Mapping[str, Any]) -> str:
        return "transpose"


LAYER = Transpose()
