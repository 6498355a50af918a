"""Each channel of a map weighed by a number: (channels, height, width) and (channels,) → the map's shape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from netwright.core.architecture import Tensor
from netwright.errors import SpaceError
from netwright.layers.base import Layer, OnnxNode, expect

__all__ = ["LAYER"]


class Gate(Layer):
    """No attributes. Inputs: the map, then a number for each of its channels."""

    arity = 2
    channelwise = True

    def shape(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Tensor:
        x, weights = inputs
        channels = expect(x, "a gate", 3)[0]
        if weights.shape != (channels,):
            raise SpaceError(f"a gate of {channels} channels needs as many numbers, not {weights.shape}")
        return x

    def keeps_zero(self, attrs: Mapping[str, Any]) -> bool:
        return True

    def source(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> str:
        return "x0 * x1[:, :, None, None]"

    def onnx(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Sequence[OnnxNode]:
        return [
            OnnxNode("Unsqueeze", ("x1", "axes"), ("wide",), constants={"axes": (2, 3)}),
            OnnxNode("Mul", ("x0", "wide")),
        ]

    def label(self, attrs: Mapping[str, Any]) -> str:
        return "gate"


LAYER = Gate()
