"""A gate between two values, element by element: z · a + (1 − z) · b, as in a GRU (Cho et al. 2014, arXiv:1406.1078)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from netwright.core.architecture import Tensor
from netwright.layers.base import Layer, OnnxNode
from netwright.layers.product import alike

__all__ = ["LAYER"]


class Blend(Layer):
    """No attributes. Inputs: z, a and b."""

    arity = 3
    channelwise = True

    def shape(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Tensor:
        return alike(inputs, "a blend")

    def keeps_zero(self, attrs: Mapping[str, Any]) -> bool:
        return True

    def source(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> str:
        return "x0 * x1 + (1 - x0) * x2"

    def onnx(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Sequence[OnnxNode]:
        return [
            OnnxNode("Mul", ("x0", "x1"), ("first",)),
            OnnxNode("Sub", ("one", "x0"), ("rest",), constants={"one": 1.0}),
            OnnxNode("Mul", ("rest", "x2"), ("second",)),
            OnnxNode("Add", ("first", "second")),
        ]

    def label(self, attrs: Mapping[str, Any]) -> str:
        return "blend"


LAYER = Blend()
