"""A map at another resolution, bilinear: networks for images of one size that look at them at another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from netwright.core.architecture import Tensor
from netwright.layers.base import Layer, OnnxNode, Shape, expect

__all__ = ["LAYER"]


class Resize(Layer):
    """Attributes: ``size``: pixels of the shorter side; the longer one keeps its proportion."""

    attributes = ("size",)
    channelwise = True

    def sides(self, x: Tensor, attrs: Mapping[str, Any]) -> Shape:
        """Height and width that come out."""
        _, high, wide = expect(x, "resizing", 3)
        short, size = min(high, wide), int(attrs["size"])
        return tuple((2 * side * size + short) // (2 * short) for side in (high, wide))

    def shape(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Tensor:
        return Tensor((inputs[0].shape[0], *self.sides(inputs[0], attrs)))

    def view(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> bool:
        return self.sides(inputs[0], attrs) == inputs[0].shape[1:]

    def keeps_zero(self, attrs: Mapping[str, Any]) -> bool:
        return True

    def source(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> str:
        if self.view(inputs, attrs):
            return "x0"
        return f'F.interpolate(x0, {self.sides(inputs[0], attrs)}, mode="bilinear")'

    def onnx(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Sequence[OnnxNode]:
        if self.view(inputs, attrs):
            return []
        constants = {"none": (), "sides": self.sides(inputs[0], attrs)}
        return [OnnxNode("Resize", ("x0", "none", "none", "sides"), ("y",), {"mode": "linear", "axes": [2, 3]}, constants)]

    def label(self, attrs: Mapping[str, Any]) -> str:
        return f"resize · {attrs['size']}"


LAYER = Resize()
