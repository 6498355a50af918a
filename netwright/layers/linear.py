"""A fully connected layer, applied to the last axis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

from netwright.core.architecture import Tensor
from netwright.layers.base import Layer, OnnxNode, Shape, expect

__all__ = ["LAYER"]


class Linear(Layer):
    """Attributes: ``units``, ``bias`` True."""

    attributes = ("units", "bias")

    def shape(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Tensor:
        return Tensor((*expect(inputs[0], "a linear layer", 1, 2)[:-1], attrs["units"]))

    def weights(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Mapping[str, Shape]:
        units = attrs["units"]
        bias = {"bias": (units,)} if attrs.get("bias", True) else {}
        return {"weight": (units, inputs[0].shape[-1]), **bias}

    def flops(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> int:
        return 2 * prod(inputs[0].shape) * int(attrs["units"])

    def source(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> str:
        bias = "" if attrs.get("bias", True) else ", bias=False"
        return f"nn.Linear({inputs[0].shape[-1]}, {attrs['units']}{bias})"

    def onnx(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Sequence[OnnxNode]:
        bias = attrs.get("bias", True)
        if len(inputs[0].shape) == 1:
            return [OnnxNode("Gemm", ("x0", "weight", *(["bias"] if bias else [])), attrs={"transB": 1})]
        turned = OnnxNode("Transpose", ("weight",), ("turned",), {"perm": [1, 0]})
        if not bias:
            return [turned, OnnxNode("MatMul", ("x0", "turned"))]
        return [turned, OnnxNode("MatMul", ("x0", "turned"), ("product",)), OnnxNode("Add", ("product", "bias"))]

    def label(self, attrs: Mapping[str, Any]) -> str:
        return f"linear · {attrs['units']}"


LAYER = Linear()
