"""The pixels of a map as a sequence, row by row: (channels, height, width) → (height · width, channels)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from netwright.core.architecture import Tensor
from netwright.layers.base import Layer, OnnxNode, expect

__all__ = ["LAYER"]


class Tokens(Layer):
    """No attributes."""

    channelwise = True

    def shape(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Tensor:
        channels, high, wide = expect(inputs[0], "a map taken as a sequence", 3)
        return Tensor((high * wide, channels))

    def keeps_zero(self, attrs: Mapping[str, Any]) -> bool:
        return True

    def view(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> bool:
        return True

    def source(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> str:
        return "x0.flatten(2).transpose(1, 2)"

    def onnx(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Sequence[OnnxNode]:
        rows = {"rows": (0, inputs[0].shape[0], -1)}
        return [
            OnnxNode("Reshape", ("x0", "rows"), ("flat",), constants=rows),
            OnnxNode("Transpose", ("flat",), attrs={"perm": [0, 2, 1]}),
        ]

    def label(self, attrs: Mapping[str, Any]) -> str:
        return "pixels as a sequence"


LAYER = Tokens()
