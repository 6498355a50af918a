"""The mean of each run of neighbouring features, as neurons that vote for a class: (features,) → (features / size,)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from netwright.core.architecture import Tensor
from netwright.errors import SpaceError
from netwright.layers.base import Layer, OnnxNode, expect

__all__ = ["LAYER"]


class FeaturePool(Layer):
    """Attributes: ``size`` of a run, which must divide the features."""

    attributes = ("size",)

    def shape(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Tensor:
        (features,) = expect(inputs[0], "a vote", 1)
        if features % attrs["size"]:
            raise SpaceError(f"{features} features cannot be split into runs of {attrs['size']}")
        return Tensor((features // attrs["size"],))

    def keeps_zero(self, attrs: Mapping[str, Any]) -> bool:
        return True

    def source(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> str:
        return f"x0.unflatten(1, (-1, {attrs['size']})).mean(2)"

    def onnx(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Sequence[OnnxNode]:
        return [
            OnnxNode("Reshape", ("x0", "runs"), ("by_run",), constants={"runs": (0, -1, attrs["size"])}),
            OnnxNode("ReduceMean", ("by_run", "axes"), attrs={"keepdims": 0}, constants={"axes": (2,)}),
        ]

    def label(self, attrs: Mapping[str, Any]) -> str:
        return f"mean of {attrs['size']}"


LAYER = FeaturePool()
