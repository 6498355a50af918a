"""Squeeze-and-excitation: each channel weighed by a small network over all of them (Hu et al. 2018, arXiv:1709.01507)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from netwright.core.architecture import Tensor
from netwright.errors import SpaceError
from netwright.layers.base import Cut, Layer, OnnxNode, Part, Shape, expect, prefix

__all__ = ["LAYER"]


class SqueezeExcite(Layer):
    """Attributes: ``hidden`` units; or ``ratio`` 4: channels to hidden units, at least one, which ``multiple`` 1 rounds (half up,
    never below nine tenths). ``gate``: sigmoid, or its straight form hardsigmoid (Howard et al. 2019, arXiv:1905.02244)."""

    attributes = ("ratio", "hidden", "multiple", "gate")

    def sizes(self, x: Tensor, attrs: Mapping[str, Any]) -> tuple[int, int]:
        """Channels and hidden units."""
        channels = expect(x, "squeeze-and-excitation", 3)[0]
        if attrs.get("gate", "sigmoid") not in ("sigmoid", "hardsigmoid"):
            raise SpaceError(f"unknown gate {attrs['gate']!r}", todo="Known: sigmoid, hardsigmoid.")
        if "hidden" in attrs:
            return channels, attrs["hidden"]
        hidden, multiple = channels // attrs.get("ratio", 4), attrs.get("multiple", 1)
        rounded = max(multiple, (2 * hidden + multiple) // (2 * multiple) * multiple)
        return channels, rounded + multiple * (10 * rounded < 9 * hidden)

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

    def cut(self, inputs: Sequence[Part], large: Mapping[str, Any], small: Mapping[str, Any]) -> Cut:
        (x,) = inputs
        hidden = prefix(self.sizes(x.small, small)[1], self.sizes(x.large, large)[1], "hidden units")
        tensors = {"reduce.weight": (hidden, x.kept), "reduce.bias": (hidden,)}
        return Cut(x.kept, {**tensors, "expand.weight": (x.kept, hidden), "expand.bias": (x.kept,)})

    def keeps_zero(self, attrs: Mapping[str, Any]) -> bool:
        return True

    def source(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> str:
        channels, hidden = self.sizes(inputs[0], attrs)
        gate = ", hard=True" * (attrs.get("gate") == "hardsigmoid")
        return f"SqueezeExcite({channels}, {hidden}{gate})"

    def onnx(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Sequence[OnnxNode]:
        hard = attrs.get("gate") == "hardsigmoid"
        gate = OnnxNode(
            "HardSigmoid" if hard else "Sigmoid", ("score",), ("gate",), {"alpha": 1 / 6, "beta": 0.5} if hard else {}
        )
        return [
            OnnxNode("GlobalAveragePool", ("x0",), ("mean",)),
            OnnxNode("Flatten", ("mean",), ("flat",)),
            OnnxNode("Gemm", ("flat", "reduce.weight", "reduce.bias"), ("hidden",), {"transB": 1}),
            OnnxNode("Relu", ("hidden",), ("active",)),
            OnnxNode("Gemm", ("active", "expand.weight", "expand.bias"), ("score",), {"transB": 1}),
            gate,
            OnnxNode("Unsqueeze", ("gate", "axes"), ("wide",), constants={"axes": (2, 3)}),
            OnnxNode("Mul", ("x0", "wide")),
        ]

    def label(self, attrs: Mapping[str, Any]) -> str:
        return f"squeeze-excite · {attrs['hidden']}" if "hidden" in attrs else f"squeeze-excite /{attrs.get('ratio', 4)}"


LAYER = SqueezeExcite()
