"""Inputs side by side along the first axis: channels, or features of vectors; the last axis of sequences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from netwright.core.architecture import Tensor
from netwright.errors import SpaceError
from netwright.layers.base import Cut, Layer, OnnxNode, Part, expect

__all__ = ["LAYER"]


class Concat(Layer):
    """No attributes; any number of inputs that agree in every other axis."""

    arity = None

    def axis(self, x: Tensor) -> int:
        """The axis that grows, without the batch: channels or features."""
        return 1 if len(expect(x, "a concatenation", 1, 2, 3)) == 2 else 0

    def shape(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Tensor:
        axis = self.axis(inputs[0])
        rest = [x.shape[:axis] + x.shape[axis + 1 :] for x in inputs]
        if any(len(x.shape) != len(inputs[0].shape) for x in inputs) or len(set(rest)) > 1:
            raise SpaceError(f"a concatenation of {' and '.join(str(x.shape) for x in inputs)}: the sizes do not agree")
        first = inputs[0].shape
        return Tensor((*first[:axis], sum(x.shape[axis] for x in inputs), *first[axis + 1 :]))

    def cut(self, inputs: Sequence[Part], large: Mapping[str, Any], small: Mapping[str, Any]) -> Cut:
        """The inputs' own, each counted from where that input begins in the large one."""
        axis = self.axis(inputs[0].large)
        starts = [sum(x.large.shape[axis] for x in inputs[:i]) for i in range(len(inputs))]
        return Cut(tuple(start + i for start, x in zip(starts, inputs, strict=True) for i in x.kept), {})

    def view(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> bool:
        return len(inputs) == 1

    def keeps_zero(self, attrs: Mapping[str, Any]) -> bool:
        return True

    def source(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> str:
        together = ", ".join(f"x{i}" for i in range(len(inputs)))
        return f"torch.cat(({together}), {self.axis(inputs[0]) + 1})" if len(inputs) > 1 else "x0"

    def onnx(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Sequence[OnnxNode]:
        names = tuple(f"x{i}" for i in range(len(inputs)))
        return [OnnxNode("Concat", names, attrs={"axis": self.axis(inputs[0]) + 1})] if len(inputs) > 1 else []

    def label(self, attrs: Mapping[str, Any]) -> str:
        return "concat"


LAYER = Concat()
