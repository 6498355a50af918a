"""Raw values to zero mean and unit variance, by constants found in the training data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from netwright.core.architecture import Tensor
from netwright.errors import SpaceError
from netwright.layers.base import Layer, OnnxNode, Shape

__all__ = ["LAYER"]


class Normalize(Layer):
    """Attributes: ``mean`` and ``std``, one number per channel (the first axis). (x − mean) / std."""

    attributes = ("mean", "std")
    channelwise = True

    def shape(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Tensor:
        channels = inputs[0].shape[0]
        if not len(attrs["mean"]) == len(attrs["std"]) == channels:
            raise SpaceError(f"{len(attrs['mean'])} means and {len(attrs['std'])} deviations do not fit {channels} channels")
        return Tensor(inputs[0].shape)

    def buffers(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Mapping[str, Shape]:
        shape = (inputs[0].shape[0], *(1 for _ in inputs[0].shape[1:]))
        return {"mean": shape, "std": shape}

    def source(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> str:
        return f"Normalize({attrs['mean']}, {attrs['std']}, {len(inputs[0].shape)})"

    def onnx(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Sequence[OnnxNode]:
        return [OnnxNode("Sub", ("x0", "mean"), ("centred",)), OnnxNode("Div", ("centred", "std"))]

    def label(self, attrs: Mapping[str, Any]) -> str:
        return "normalize"


LAYER = Normalize()
