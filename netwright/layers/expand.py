"""A 1×1 convolution to ``ratio`` times the channels: the first half of an inverted bottleneck."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from netwright.core.architecture import Tensor
from netwright.layers.base import Layer, OnnxNode, Shape
from netwright.layers.conv import LAYER as CONV

__all__ = ["LAYER", "as_conv"]


def as_conv(inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes of the convolution that this layer is."""
    return {"width": inputs[0].shape[0] * attrs["ratio"], "kernel": 1}


class Expand(Layer):
    """Attribute: ``ratio``, a whole number."""

    def shape(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Tensor:
        return CONV.shape(inputs, as_conv(inputs, attrs))

    def weights(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Mapping[str, Shape]:
        return CONV.weights(inputs, as_conv(inputs, attrs))

    def flops(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> int:
        return CONV.flops(inputs, as_conv(inputs, attrs))

    def source(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> str:
        return CONV.source(inputs, as_conv(inputs, attrs))

    def onnx(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Sequence[OnnxNode]:
        return CONV.onnx(inputs, as_conv(inputs, attrs))

    def label(self, attrs: Mapping[str, Any]) -> str:
        return f"expand ×{attrs['ratio']}"


LAYER = Expand()
