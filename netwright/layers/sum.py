"""The sum of inputs that have one shape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from netwright.core.architecture import Tensor
from netwright.errors import SpaceError
from netwright.layers.base import Layer, OnnxNode

__all__ = ["LAYER", "Sum"]


class Sum(Layer):
    """No attributes; any number of inputs."""

    arity = None
    channelwise = True

    def shape(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Tensor:
        if any(x.shape != inputs[0].shape for x in inputs):
            raise SpaceError(
                f"a sum needs inputs of one shape, not {' and '.join(str(x.shape) for x in inputs)}",
                todo="Give the branches one shared width, or say project=True.",
            )
        return inputs[0]

    def view(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> bool:
        return len(inputs) == 1

    def keeps_zero(self, attrs: Mapping[str, Any]) -> bool:
        return True

    def source(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> str:
        return " + ".join(f"x{i}" for i in range(len(inputs)))

    def onnx(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Sequence[OnnxNode]:
        return [OnnxNode("Sum", tuple(f"x{i}" for i in range(len(inputs))))] if len(inputs) > 1 else []

    def label(self, attrs: Mapping[str, Any]) -> str:
        return "sum"


LAYER = Sum()
