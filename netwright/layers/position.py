"""A learned vector for each place of a sequence, added to what stands there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from netwright.core.architecture import Tensor
from netwright.errors import SpaceError
from netwright.layers.base import Cut, Layer, OnnxNode, Part, Shape, expect

__all__ = ["LAYER"]


class Position(Layer):
    """No attributes."""

    def shape(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Tensor:
        expect(inputs[0], "a position", 2)
        return inputs[0]

    def weights(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Mapping[str, Shape]:
        return {"weight": inputs[0].shape}

    def cut(self, inputs: Sequence[Part], large: Mapping[str, Any], small: Mapping[str, Any]) -> Cut:
        (x,) = inputs
        steps = x.large.shape[0]
        if x.small.shape[0] != steps:
            raise SpaceError(f"{x.small.shape[0]} places are other places than the supernet's {steps}")
        return Cut(x.kept, {"weight": (range(steps), x.kept)})

    def source(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> str:
        return f"Position({inputs[0].shape[0]}, {inputs[0].shape[1]})"

    def onnx(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Sequence[OnnxNode]:
        return [OnnxNode("Add", ("x0", "weight"))]

    def label(self, attrs: Mapping[str, Any]) -> str:
        return "position"


LAYER = Position()
