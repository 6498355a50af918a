"""A gated linear unit: one linear layer, activated, opens another (Shazeer 2020, arXiv:2002.05202)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

from netwright.core.architecture import Tensor
from netwright.layers.base import Cut, Layer, OnnxNode, Part, Shape, expect, prefix

__all__ = ["LAYER"]


class Glu(Layer):
    """Attributes: ``units``, or ``ratio`` (as a multiple of the features), ``bias`` True. The gate is a SiLU (SwiGLU)."""

    attributes = ("units", "ratio", "bias")

    def units(self, x: Tensor, attrs: Mapping[str, Any]) -> int:
        """Features that come out."""
        units: int = x.shape[-1] * attrs["ratio"] if "ratio" in attrs else attrs["units"]
        return units

    def shape(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Tensor:
        return Tensor((*expect(inputs[0], "a gated linear unit", 1, 2)[:-1], self.units(inputs[0], attrs)))

    def weights(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Mapping[str, Shape]:
        units = self.units(inputs[0], attrs)
        one = {"weight": (units, inputs[0].shape[-1]), **({"bias": (units,)} if attrs.get("bias", True) else {})}
        return {f"{part}.{name}": shape for part in ("gate", "value") for name, shape in one.items()}

    def flops(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> int:
        return 4 * prod(inputs[0].shape) * self.units(inputs[0], attrs)

    def cut(self, inputs: Sequence[Part], large: Mapping[str, Any], small: Mapping[str, Any]) -> Cut:
        (x,) = inputs
        units = prefix(self.units(x.small, small), self.units(x.large, large), "units")
        one = {"weight": (units, x.kept), "bias": (units,)}
        return Cut(units, {f"{part}.{name}": axes for part in ("gate", "value") for name, axes in one.items()})

    def keeps_zero(self, attrs: Mapping[str, Any]) -> bool:
        return not attrs.get("bias", True)

    def source(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> str:
        bias = "" if attrs.get("bias", True) else ", bias=False"
        return f"Glu({inputs[0].shape[-1]}, {self.units(inputs[0], attrs)}{bias})"

    def onnx(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Sequence[OnnxNode]:
        return [
            *self.product("gate", attrs),
            *self.product("value", attrs),
            OnnxNode("Sigmoid", ("gate_out",), ("open",)),
            OnnxNode("Mul", ("gate_out", "open"), ("active",)),
            OnnxNode("Mul", ("active", "value_out")),
        ]

    def product(self, part: str, attrs: Mapping[str, Any]) -> Sequence[OnnxNode]:
        """One of the two linear layers."""
        bias = attrs.get("bias", True)
        nodes = [
            OnnxNode("Transpose", (f"{part}.weight",), (f"{part}_turned",), {"perm": [1, 0]}),
            OnnxNode("MatMul", ("x0", f"{part}_turned"), (f"{part}_product" if bias else f"{part}_out",)),
        ]
        return [*nodes, OnnxNode("Add", (f"{part}_product", f"{part}.bias"), (f"{part}_out",))] if bias else nodes

    def label(self, attrs: Mapping[str, Any]) -> str:
        return f"gated linear · {attrs['units']}" if "units" in attrs else f"gated linear · ×{attrs['ratio']}"


LAYER = Glu()
