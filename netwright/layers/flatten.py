"""All axes as one: (channels, height, width) → (channels · height · width,)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

from netwright.core.architecture import Tensor
from netwright.errors import SpaceError
from netwright.layers.base import Cut, Layer, OnnxNode, Part

__all__ = ["LAYER"]


class Flatten(Layer):
    """No attributes."""

    def shape(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Tensor:
        return Tensor((prod(inputs[0].shape),), inputs[0].dtype)

    def view(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> bool:
        return True

    def cut(self, inputs: Sequence[Part], large: Mapping[str, Any], small: Mapping[str, Any]) -> Cut:
        """All pixels of the channels that are kept; all steps of the features."""
        large_shape, small_shape = inputs[0].large.shape, inputs[0].small.shape
        axis = 1 if len(large_shape) == 2 else 0
        others = large_shape[:axis] + large_shape[axis + 1 :]
        if others != small_shape[:axis] + small_shape[axis + 1 :]:
            raise SpaceError(f"{small_shape} is flattened where the supernet has {large_shape}: its places are other places")
        size, kept = prod(others), inputs[0].kept
        if axis:
            return Cut(tuple(step * large_shape[1] + i for step in range(size) for i in kept), {})
        return Cut(tuple(i * size + place for i in kept for place in range(size)), {})

    def keeps_zero(self, attrs: Mapping[str, Any]) -> bool:
        return True

    def source(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> str:
        return "x0.flatten(1)"

    def onnx(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Sequence[OnnxNode]:
        return [OnnxNode("Flatten", ("x0",))]

    def label(self, attrs: Mapping[str, Any]) -> str:
        return "flatten"


LAYER = Flatten()
