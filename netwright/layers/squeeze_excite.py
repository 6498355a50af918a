"""Squeeze-and-excitation: each channel weighed by a small network over all of them (Hu et al. 2018, arXiv:1709.01507)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from netwright.core.architecture import Tensor
from netwright.layers.base import Layer, OnnxNode, Shape, expect

__all__ = ["LAYER"]


class SqueezeExcite(Layer):
    """Attributes: ``ratio`` 4: channels to hidden units, at least one."""

    attributes = ("ratio",)

    def sizes(self, x: Tensor, attrs: Mapping[str, Any]) -> tuple[int, int]:
        """Channels and hidden units."""
        channels = expect(x, "squeeze-and-excitation", 3)[0]
        return channels, max(1, channels // attrs.get("ratio", 4))

    def shape(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Tensor:
        self.sizes(inputs[0], attrs)
        return inputs[0]

    def weights(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Mapping[str, Shape]:
        channels, hidden = self.sizes(inputs[0], attrs)
        return {
            "reduce.weight": (hidden, channels),
            "reduce.bias": (hidden,),
            "expand.weight": (channels, hidden),
            "expand.bias": (channels,),
        }

    def flops(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> int:
        channels, hidden = self.sizes(inputs[0], attrs)
        return 4 * channels * hidden

    def source(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> str:
        channels, hidden = self.sizes(inputs[0], attrs)
        return f"SqueezeExcite({channels}, {hidden})"

    def onnx(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Sequence[OnnxNode]:
        return [
            OnnxNode("GlobalAveragePool", ("x0",), ("mean",)),
            OnnxNode("Flatten", ("mean",), ("flat",)),
            OnnxNode("Gemm", ("flat", "reduce.weight", "reduce.bias"), ("hidden",), {"transB": 1}),
            OnnxNode("Relu", ("hidden",), ("active",)),
            OnnxNode("Gemm", ("active", "expand.weight", "expand.bias"), ("score",), {"transB": 1}),
            OnnxNode("Sigmoid", ("score",), ("gate",)),
            OnnxNode("Unsqueeze", ("gate", "axes"), ("wide",), constants={"axes": (2, 3)}),
            OnnxNode("Mul", ("x0", "wide")),
        ]

    def label(self, attrs: Mapping[str, Any]) -> str:
        return f"squeeze-excite /{attrs.get('ratio', 4)}"


LAYER = SqueezeExcite()
