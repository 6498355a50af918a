"""What a recurrence remembers: zeros at its first step, then what :mod:`netwright.layers.carry` kept at the step before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from netwright.core.architecture import Tensor
from netwright.layers.base import Cut, Layer, OnnxNode, Part, prefix

__all__ = ["LAYER"]


class State(Layer):
    """Attributes: ``units``, ``name`` of the state. Its input gives the batch size only."""

    attributes = ("units", "name")

    def shape(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Tensor:
        return Tensor((attrs["units"],))

    def cut(self, inputs: Sequence[Part], large: Mapping[str, Any], small: Mapping[str, Any]) -> Cut:
        return Cut(prefix(small["units"], large["units"], "units"), {})

    def source(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> str:
        return f"x0.new_zeros(x0.shape[0], {attrs['units']})"

    def onnx(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Sequence[OnnxNode]:
        return [
            OnnxNode("Shape", ("x0",), ("rows",), {"start": 0, "end": 1}),
            OnnxNode("Concat", ("rows", "units"), ("shape",), {"axis": 0}, constants={"units": (attrs["units"],)}),
            OnnxNode("ConstantOfShape", ("shape",)),  # zeros, of float32
        ]

    def label(self, attrs: Mapping[str, Any]) -> str:
        return f"state {attrs.get('name', '')} · {attrs['units']}".replace("  ", " ")


LAYER = State()
