"""A nonlinearity, element by element."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import sqrt
from typing import Any

from netwright.core.architecture import Tensor
from netwright.errors import SpaceError
from netwright.layers.base import Layer, OnnxNode

__all__ = ["LAYER"]

_GELU = [  # x / 2 · (1 + erf(x / √2)), in the order that runtimes recognise
    OnnxNode("Div", ("x0", "root"), ("scaled",), constants={"root": sqrt(2.0)}),
    OnnxNode("Erf", ("scaled",), ("erf",)),
    OnnxNode("Add", ("erf", "one"), ("shifted",), constants={"one": 1.0}),
    OnnxNode("Mul", ("x0", "shifted"), ("twice",)),
    OnnxNode("Mul", ("twice", "half"), constants={"half": 0.5}),
]

_KINDS: dict[str, tuple[str, Sequence[OnnxNode]]] = {
    "relu": ("F.relu(x0)", [OnnxNode("Relu", ("x0",))]),
    "relu6": ("F.relu6(x0)", [OnnxNode("Clip", ("x0", "low", "high"), constants={"low": 0.0, "high": 6.0})]),
    "gelu": ("F.gelu(x0)", _GELU),
    "silu": ("F.silu(x0)", [OnnxNode("Sigmoid", ("x0",), ("gate",)), OnnxNode("Mul", ("x0", "gate"))]),
    "hardswish": ("F.hardswish(x0)", [OnnxNode("HardSwish", ("x0",))]),
    "tanh": ("torch.tanh(x0)", [OnnxNode("Tanh", ("x0",))]),
    "sigmoid": ("torch.sigmoid(x0)", [OnnxNode("Sigmoid", ("x0",))]),
    "hardsigmoid": ("F.hardsigmoid(x0)", [OnnxNode("HardSigmoid", ("x0",), attrs={"alpha": 1 / 6, "beta": 0.5})]),
    "elu": ("F.elu(x0)", [OnnxNode("Elu", ("x0",), attrs={"alpha": 1.0})]),
    "leaky_relu": ("F.leaky_relu(x0, 0.01)", [OnnxNode("LeakyRelu", ("x0",), attrs={"alpha": 0.01})]),
}


class Activation(Layer):
    """Attributes: ``kind``: relu, relu6, gelu, silu, hardswish, tanh, sigmoid, hardsigmoid, elu or
    leaky_relu."""

    attributes = ("kind",)
    channelwise = True

    def shape(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Tensor:
        if attrs["kind"] not in _KINDS:
            raise SpaceError(f"unknown activation {attrs['kind']!r}", todo=f"Known: {', '.join(_KINDS)}.")
        return inputs[0]

    def keeps_zero(self, attrs: Mapping[str, Any]) -> bool:
        return attrs["kind"] not in ("sigmoid", "hardsigmoid")

    def source(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> str:
        return _KINDS[attrs["kind"]][0]

    def onnx(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Sequence[OnnxNode]:
        return _KINDS[attrs["kind"]][1]

    def label(self, attrs: Mapping[str, Any]) -> str:
        return str(attrs["kind"])


LAYER = Activation()
