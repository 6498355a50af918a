"""Passes a value on, and makes it what a state of the recurrence is at the next step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from netwright.core.architecture import Tensor
from netwright.errors import SpaceError
from netwright.layers.base import Layer, OnnxNode

__all__ = ["LAYER"]


class Carry(Layer):
    """No attributes. Inputs: the state, and the value."""

    arity = 2
    channelwise = True

    def shape(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Tensor:
        state, value = inputs
        if state != value:
            raise SpaceError(f"a state of {state.shape} cannot become {value.shape}", todo="Give both the same units.")
        return value

    def keeps_zero(self, attrs: Mapping[str, Any]) -> bool:
        return True

    def source(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> str:
        return "x1"

    def onnx(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Sequence[OnnxNode]:
        return [OnnxNode("Identity", ("x1",))]

    def label(self, attrs: Mapping[str, Any]) -> str:
        return "carry"


LAYER = Carry()
