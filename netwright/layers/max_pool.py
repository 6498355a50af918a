"""Maximum over a window that slides over a map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from netwright.core.architecture import Tensor
from netwright.layers.base import Layer, OnnxNode, windows

__all__ = ["LAYER"]


class MaxPool(Layer):
    """Attributes: ``kernel`` 2, ``stride`` (the kernel), ``padding`` 0. Sizes are rounded down."""

    attributes = ("kernel", "stride", "padding")
    channelwise = True

    def shape(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Tensor:
        return windows(inputs[0], attrs)[0]

    def keeps_zero(self, attrs: Mapping[str, Any]) -> bool:
        return True

    def source(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> str:
        _, kernel, stride, padding = windows(inputs[0], attrs)
        return f"F.max_pool2d(x0, {kernel}, {stride}{f', {padding}' if padding else ''})"

    def onnx(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Sequence[OnnxNode]:
        _, kernel, stride, padding = windows(inputs[0], attrs)
        return [
            OnnxNode(
                "MaxPool",
                ("x0",),
                attrs={"kernel_shape": [kernel] * 2, "strides": [stride] * 2, "pads": [padding] * 4},
            )
        ]

    def label(self, attrs: Mapping[str, Any]) -> str:
        return f"max {attrs.get('kernel', 2)}×{attrs.get('kernel', 2)}"


LAYER = MaxPool()
