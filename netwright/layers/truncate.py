"""The first channels of a map; the others are dropped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from netwright.core.architecture import Tensor
from netwright.errors import SpaceError
from netwright.layers.base import Cut, Layer, OnnxNode, Part, expect

__all__ = ["LAYER"]


class Truncate(Layer):
    """Attributes: ``width``: how many channels stay."""

    attributes = ("width",)

    def shape(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Tensor:
        channels, *sizes = expect(inputs[0], "truncation", 3)
        if not 0 < attrs["width"] <= channels:
            raise SpaceError(f"{attrs['width']} of {channels} channels cannot be kept")
        return Tensor((attrs["width"], *sizes))

    def keeps_zero(self, attrs: Mapping[str, Any]) -> bool:
        return True

    def view(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> bool:
        return True

    def cut(self, inputs: Sequence[Part], large: Mapping[str, Any], small: Mapping[str, Any]) -> Cut:
        return Cut(inputs[0].kept[: small["width"]], {})

    def source(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> str:
        return f"x0[:, :{attrs['width']}]"

    def onnx(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Sequence[OnnxNode]:
        ends = {"start": (0,), "end": (attrs["width"],), "axis": (1,)}
        return [OnnxNode("Slice", ("x0", "start", "end", "axis"), constants=ends)]

    def label(self, attrs: Mapping[str, Any]) -> str:
        return f"first {attrs['width']}"


LAYER = Truncate()
