"""The mean of inputs that have one shape, element by element: how ENAS ends a cell (Pham et al. 2018, arXiv:1802.03268)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from netwright.core.architecture import Tensor
from netwright.layers.base import Layer, OnnxNode
from netwright.layers.product import alike

__all__ = ["LAYER"]


class Mean(Layer):
    """No attributes; any number of inputs."""

    arity = None
    channelwise = True

    def shape(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Tensor:
        return alike(inputs, "a mean")

    def view(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> bool:
        return len(inputs) == 1

    def keeps_zero(self, attrs: Mapping[str, Any]) -> bool:
        return True

    def source(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> str:
        if len(inputs) == 1:
            return "x0"
        return f"({' + '.join(f'x{i}' for i in range(len(inputs)))}) / {len(inputs)}"

    def onnx(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Sequence[OnnxNode]:
        return [OnnxNode("Mean", tuple(f"x{i}" for i in range(len(inputs))))] if len(inputs) > 1 else []

    def label(self, attrs: Mapping[str, Any]) -> str:
        return "mean"


LAYER = Mean()
