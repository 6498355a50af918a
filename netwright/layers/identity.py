"""Passes its input on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from netwright.core.architecture import Tensor
from netwright.layers.base import Layer, OnnxNode

__all__ = ["LAYER"]


class Identity(Layer):
    """No attributes."""

    channelwise = True

    def shape(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Tensor:
        return inputs[0]

    def view(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> bool:
        return True

    def keeps_zero(self, attrs: Mapping[str, Any]) -> bool:
        return True

    def source(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> str:
        return "x0"

    def onnx(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Sequence[OnnxNode]:
        return []

    def label(self, attrs: Mapping[str, Any]) -> str:
        return "identity"


LAYER = Identity()
