"""Mean over a window that slides over a map; padding is not counted in the mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from netwright.core.architecture import Tensor
from netwright.layers.base import Layer, OnnxNode, windows

__all__ = ["LAYER"]


class AvgPool(Layer):
    """Attributes: ``kernel`` 2, ``stride`` (the kernel), ``padding`` 0. Sizes are rounded down."""

    attributes = ("kernel", "stride", "padding")
    channelwise = True

    def shape(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Tensor:
        return windows(inputs[0], attrs)[0]

    def keeps_zero(self, attrs: Mapping[str, Any]) -> bool:
        return True

    def source(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> str:
        _, kernel, stride, padding = windows(inputs[0], attrs)
        extra = f", {padding}, count_include_pad=False" if padding else ""
        return f"F.avg_pool2d(x0, {kernel}, {stride}{extra})"

    def onnx(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Sequence[OnnxNode]:
        _, kernel, stride, padding = windows(inputs[0], attrs)
        return [
            OnnxNode(
                "AveragePool",
                ("x0",),
                attrs={"kernel_shape": [kernel] * 2, "strides": [stride] * 2, "pads": [padding] * 4},
            )
        ]

    def label(self, attrs: Mapping[str, Any]) -> str:
        return f"mean {attrs.get('kernel', 2)}×{attrs.get('kernel', 2)}"


LAYER = AvgPool()
