"""The network's output in the target's own unit, by constants found in the training data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from netwright.core.architecture import Tensor
from netwright.errors import SpaceError
from netwright.layers.base import Layer, OnnxNode, Shape, expect

__all__ = ["LAYER"]


class Rescale(Layer):
    """Attributes: ``mean`` and ``std``, one number per output. y · std + mean."""

    attributes = ("mean", "std")
    channelwise = True

    def shape(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Tensor:
        (units,) = expect(inputs[0], "rescaling", 1)
        if not len(attrs["mean"]) == len(attrs["std"]) == units:
            raise SpaceError(f"{len(attrs['mean'])} means and {len(attrs['std'])} deviations do not fit {units} outputs")
        return inputs[0]

    def buffers(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Mapping[str, Shape]:
        return {"mean": inputs[0].shape, "std": inputs[0].shape}

    def source(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> str:
        return f"Rescale({attrs['mean']}, {attrs['std']})"

    def onnx(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Sequence[OnnxNode]:
        return [OnnxNode("Mul", ("x0", "std"), ("scaled",)), OnnxNode("Add", ("scaled", "mean"))]

    def label(self, attrs: Mapping[str, Any]) -> str:
        return "rescale"


LAYER = Rescale()
