"""A learned vector before a sequence, which gathers what the whole of it says (Dosovitskiy et al. 2021, arXiv:2010.11929)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from netwright.core.architecture import Tensor
from netwright.layers.base import Cut, Layer, OnnxNode, Part, Shape, expect

__all__ = ["LAYER"]


class ClassToken(Layer):
    """No attributes. (time, features) → (time + 1, features)."""

    def shape(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Tensor:
        steps, features = expect(inputs[0], "a class token", 2)
        return Tensor((steps + 1, features))

    def weights(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Mapping[str, Shape]:
        return {"weight": inputs[0].shape[1:]}

    def cut(self, inputs: Sequence[Part], large: Mapping[str, Any], small: Mapping[str, Any]) -> Cut:
        return Cut(inputs[0].kept, {"weight": (inputs[0].kept,)})

    def source(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> str:
        return f"ClassToken({inputs[0].shape[1]})"

    def onnx(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Sequence[OnnxNode]:
        return [
            OnnxNode("Shape", ("x0",), ("rows",), {"start": 0, "end": 1}),
            OnnxNode("Concat", ("rows", "one"), ("sizes",), {"axis": 0}, {"one": (1, inputs[0].shape[1])}),
            OnnxNode("Expand", ("weight", "sizes"), ("token",)),
            OnnxNode("Concat", ("token", "x0"), attrs={"axis": 1}),
        ]

    def label(self, attrs: Mapping[str, Any]) -> str:
        return "class token"


LAYER = ClassToken()
