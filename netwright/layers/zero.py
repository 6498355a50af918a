"""Zeros: an edge that is not there. Of its input's shape, or of the shape that a convolution would give."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from netwright.core.architecture import Tensor
from netwright.layers.base import Cut, Layer, OnnxNode, Part, expect, prefix

__all__ = ["LAYER"]


class Zero(Layer):
    """Attributes: for maps, ``width`` (the input's) and ``stride`` 1."""

    attributes = ("width", "stride")

    def shape(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Tensor:
        if not attrs:
            return inputs[0]
        channels, *sizes = expect(inputs[0], "a zero with a width or a stride", 3)
        return Tensor((attrs.get("width", channels), *(-(-size // attrs.get("stride", 1)) for size in sizes)))

    def cut(self, inputs: Sequence[Part], large: Mapping[str, Any], small: Mapping[str, Any]) -> Cut:
        return Cut(prefix(small["width"], large["width"], "channels") if "width" in large else inputs[0].kept, {})

    def keeps_zero(self, attrs: Mapping[str, Any]) -> bool:
        return True

    def source(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> str:
        shape = self.shape(inputs, attrs).shape
        same = shape == inputs[0].shape
        return "torch.zeros_like(x0)" if same else f"x0.new_zeros((x0.shape[0], {', '.join(map(str, shape))}))"

    def onnx(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Sequence[OnnxNode]:
        shape = self.shape(inputs, attrs).shape
        if shape == inputs[0].shape:
            return [OnnxNode("Mul", ("x0", "zero"), constants={"zero": 0.0})]
        return [
            OnnxNode("Shape", ("x0",), ("rows",), {"start": 0, "end": 1}),
            OnnxNode("Concat", ("rows", "sizes"), ("whole",), {"axis": 0}, {"sizes": shape}),
            OnnxNode("Expand", ("zero", "whole"), constants={"zero": 0.0}),
        ]

    def label(self, attrs: Mapping[str, Any]) -> str:
        return "zero"


LAYER = Zero()
