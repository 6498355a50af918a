"""The mean over time, the largest, the first, or the last: (time, features) → (features,)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from netwright.core.architecture import Tensor
from netwright.errors import SpaceError
from netwright.layers.base import Layer, OnnxNode, expect

__all__ = ["LAYER"]


class TimePool(Layer):
    """Attributes: ``kind``: mean (the default), max, first or last."""

    attributes = ("kind",)

    channelwise = True

    def shape(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Tensor:
        if attrs.get("kind", "mean") not in ("mean", "max", "first", "last"):
            raise SpaceError(f"unknown pooling over time {attrs['kind']!r}", todo="Known: mean, max, first, last.")
        return Tensor(expect(inputs[0], "pooling over time", 2)[1:])

    def keeps_zero(self, attrs: Mapping[str, Any]) -> bool:
        return True

    def source(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> str:
        step = {"first": "x0[:, 0].clone()", "last": "x0[:, -1].clone()"}
        return {"mean": "x0.mean(1)", "max": "x0.amax(1)", **step}[attrs.get("kind", "mean")]

    def onnx(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Sequence[OnnxNode]:
        kind = attrs.get("kind", "mean")
        if kind in ("first", "last"):
            place = {"place": 0 if kind == "first" else inputs[0].shape[0] - 1}
            return [OnnxNode("Gather", ("x0", "place"), attrs={"axis": 1}, constants=place)]
        return [OnnxNode(f"Reduce{kind.title()}", ("x0", "axes"), attrs={"keepdims": 0}, constants={"axes": (1,)})]

    def label(self, attrs: Mapping[str, Any]) -> str:
        kind = attrs.get("kind", "mean")
        return f"{kind} step" if kind in ("first", "last") else f"{kind} over time"


LAYER = TimePool()
