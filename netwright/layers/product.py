"""The product of inputs that have one shape, number by number: a gate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from netwright.core.architecture import Tensor
from netwright.errors import SpaceError
from netwright.layers.base import Layer, OnnxNode

__all__ = ["LAYER", "alike"]


def alike(inputs: Sequence[Tensor], what: str) -> Tensor:
    """The one shape that all inputs have. Raises :class:`SpaceError` where they have several."""
    if any(x.shape != inputs[0].shape for x in inputs):
        raise SpaceError(f"{what} needs inputs of one shape, not {' and '.join(str(x.shape) for x in inputs)}")
    return inputs[0]


class Product(Layer):
    """No attributes; any number of inputs."""

    arity = None
    channelwise = True

    def shape(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Tensor:
        return alike(inputs, "a product")

    def view(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> bool:
        return len(inputs) == 1

    def keeps_zero(self, attrs: Mapping[str, Any]) -> bool:
        return True

    def source(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> str:
        return " * ".join(f"x{i}" for i in range(len(inputs)))

    def onnx(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Sequence[OnnxNode]:
        if len(inputs) == 1:
            return []
        names = ["x0", *(f"upto{i}" for i in range(1, len(inputs) - 1)), "y"]
        return [OnnxNode("Mul", (names[i - 1], f"x{i}"), (names[i],)) for i in range(1, len(inputs))]

    def label(self, attrs: Mapping[str, Any]) -> str:
        return "product"


LAYER = Product()
