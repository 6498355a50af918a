"""The same input at each of a number of time steps, as a spiking network sees a still image: a first axis of time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from netwright.core.architecture import Tensor
from netwright.layers.base import Layer, OnnxNode, expect

__all__ = ["LAYER"]


class RepeatSteps(Layer):
    """Attributes: ``steps``."""

    attributes = ("steps",)
    channelwise = True

    def shape(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Tensor:
        return Tensor((attrs["steps"], *expect(inputs[0], "repeating over time", 1, 3)))

    def keeps_zero(self, attrs: Mapping[str, Any]) -> bool:
        return True

    def source(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> str:
        return f"x0.unsqueeze(1).repeat(1, {attrs['steps']}{', 1' * len(inputs[0].shape)})"

    def onnx(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Sequence[OnnxNode]:
        size = (1, attrs["steps"], *[1] * len(inputs[0].shape))
        return [
            OnnxNode("Unsqueeze", ("x0", "axes"), ("once",), constants={"axes": (1,)}),
            OnnxNode("Expand", ("once", "size"), constants={"size": size}),
        ]

    def label(self, attrs: Mapping[str, Any]) -> str:
        return f"{attrs['steps']} time steps"


LAYER = RepeatSteps()
