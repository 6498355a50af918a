"""A map moved up and left by one pixel, zeros behind it: what a factorized reduction samples beside the map itself (Liu et al.
2019, arXiv:1806.09055)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from netwright.core.architecture import Tensor
from netwright.layers.base import Layer, OnnxNode, expect

__all__ = ["LAYER"]


class Shift(Layer):
    """No attributes."""

    channelwise = True

    def shape(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Tensor:
        expect(inputs[0], "a shift", 3)
        return inputs[0]

    def keeps_zero(self, attrs: Mapping[str, Any]) -> bool:
        return True

    def source(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> str:
        return "F.pad(x0[:, :, 1:, 1:], (0, 1, 0, 1))"

    def onnx(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Sequence[OnnxNode]:
        cut = {"start": (1, 1), "end": (2**31, 2**31), "axes": (2, 3)}
        return [
            OnnxNode("Slice", ("x0", "start", "end", "axes"), ("cut",), constants=cut),
            OnnxNode("Pad", ("cut", "pads"), constants={"pads": (0, 0, 0, 0, 0, 0, 1, 1)}),
        ]

    def label(self, attrs: Mapping[str, Any]) -> str:
        return "shift"


LAYER = Shift()
