"""A fully connected layer, applied to the last axis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

from netwright.core.architecture import Tensor
from netwright.layers.base import Cut, Layer, OnnxNode, Part, Shape, expect, prefix

__all__ = ["LAYER"]


class Linear(Layer):
    """Attributes: ``units``, or ``ratio`` (as a multiple of the features), ``bias`` True."""

    attributes = ("units", "ratio", "bias")

    def units(self, x: Tensor, attrs: Mapping[str, Any]) -> int:
        """Features that come out."""
        units: int = x.shape[-1] * attrs["ratio"] if "ratio" in attrs else attrs["units"]
        return units

    def shape(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Tensor:
        return Tensor((*expect(inputs[0], "a linear layer", 1, 2)[:-1], self.units(inputs[0], attrs)))

    def weights(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Mapping[str, Shape]:
        units = self.units(inputs[0], attrs)
        bias = {"bias": (units,)} if attrs.get("bias", True) else {}
        return {"weight": (units, inputs[0].shape[-1]), **bias}

    def flops(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> int:
        return 2 * prod(inputs[0].shape) * self.units(inputs[0], attrs)

    def cut(self, inputs: Sequence[Part], large: Mapping[str, Any], small: Mapping[str, Any]) -> Cut:
        units = prefix(self.units(inputs[0].small, small), self.units(inputs[0].large, large), "units")
        return Cut(units, {"weight": (units, inputs[0].kept), "bias": (units,)})

    def keeps_zero(self, attrs: Mapping[str, Any]) -> bool:
        return not attrs.get("bias", True)

    def source(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> str:
        bias = "" if attrs.get("bias", True) else ", bias=False"
        return f"nn.Linear({inputs[0].shape[-1]}, {self.units(inputs[0], attrs)}{bias})"

    def onnx(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Sequence[OnnxNode]:
        bias = attrs.get("bias", True)
        if len(inputs[0].shape) == 1:
            return [OnnxNode("Gemm", ("x0", "weight", *(["bias"] if bias else [])), attrs={"transB": 1})]
        turned = OnnxNode("Transpose", ("weight",), ("turned",), {"perm": [1, 0]})
        if not bias:
            return [turned, OnnxNode("MatMul", ("x0", "turned"))]
        return [turned, OnnxNode("MatMul", ("x0", "turned"), ("product",)), OnnxNode("Add", ("product", "bias"))]

    def label(self, attrs: Mapping[str, Any]) -> str:
        return f"linear · {attrs['units']}" if "units" in attrs else f"linear · ×{attrs['ratio']}"


LAYER = Linear()
