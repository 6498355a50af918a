"""Layer normalization over the last axis of vectors and sequences (Ba et al. 2016, arXiv:1607.06450)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from netwright.core.architecture import Tensor
from netwright.layers.base import Layer, OnnxNode, Shape, expect

__all__ = ["LAYER"]


class LayerNorm(Layer):
    """Attributes: ``eps`` 1e-5, which is added to the variance."""

    attributes = ("eps",)

    channelwise = True

    def shape(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Tensor:
        expect(inputs[0], "layer normalization", 1, 2)
        return inputs[0]

    def weights(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Mapping[str, Shape]:
        return {"weight": inputs[0].shape[-1:], "bias": inputs[0].shape[-1:]}

    def source(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> str:
        eps = f", eps={attrs['eps']}" if "eps" in attrs else ""
        return f"nn.LayerNorm({inputs[0].shape[-1]}{eps})"

    def onnx(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Sequence[OnnxNode]:
        return [OnnxNode("LayerNormalization", ("x0", "weight", "bias"), attrs={"axis": -1, "epsilon": attrs.get("eps", 1e-5)})]

    def label(self, attrs: Mapping[str, Any]) -> str:
        return "layer norm"


LAYER = LayerNorm()
