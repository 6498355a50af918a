"""Zeros of its input's shape: an edge that is not there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from netwright.core.architecture import Tensor
from netwright.layers.base import Layer, OnnxNode

__all__ = ["LAYER"]


class Zero(Layer):
    """No attributes."""

    def shape(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Tensor:
        return inputs[0]

    def source(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> str:
        return "torch.zeros_like(x0)"

    def onnx(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Sequence[OnnxNode]:
        return [OnnxNode("Mul", ("x0", "zero"), constants={"zero": 0.0})]

    def label(self, attrs: Mapping[str, Any]) -> str:
        return "zero"


LAYER = Zero()
