"""Sequences one after the other: (time, features) and (more time, features) → (all time, features)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from netwright.core.architecture import Tensor
from netwright.errors import SpaceError
from netwright.layers.base import Layer, OnnxNode, expect

__all__ = ["LAYER"]


class Append(Layer):
    """No attributes; any number of inputs with the same features."""

    arity = None
    channelwise = True

    def shape(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Tensor:
        shapes = [expect(x, "appending", 2) for x in inputs]
        if len({features for _, features in shapes}) > 1:
            raise SpaceError(f"sequences of {' and '.join(str(f) for _, f in shapes)} features cannot follow one another")
        return Tensor((sum(steps for steps, _ in shapes), shapes[0][1]))

    def keeps_zero(self, attrs: Mapping[str, Any]) -> bool:
        return True

    def view(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> bool:
        return len(inputs) == 1

    def source(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> str:
        together = ", ".join(f"x{i}" for i in range(len(inputs)))
        return f"torch.cat(({together}), 1)" if len(inputs) > 1 else "x0"

    def onnx(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Sequence[OnnxNode]:
        names = tuple(f"x{i}" for i in range(len(inputs)))
        return [OnnxNode("Concat", names, attrs={"axis": 1})] if len(inputs) > 1 else []

    def label(self, attrs: Mapping[str, Any]) -> str:
        return "one after the other"


LAYER = Append()
