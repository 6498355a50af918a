"""A simple recurrent layer: (time, features) → (time, units) (Elman 1990, Cognitive Science 14:179)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from netwright.core.architecture import Tensor
from netwright.layers.base import Cut, Layer, OnnxNode, Part, Shape, expect, prefix

__all__ = ["LAYER", "Recurrent"]


class Recurrent(Layer):
    """What rnn, gru and lstm share. Attributes: ``units``. Parameters are torch's, named ``weight_ih_l0`` and so on.

    ``gates``: places of torch's gates in ONNX's order.
    """

    attributes = ("units",)
    name: ClassVar[str]
    gates: ClassVar[tuple[int, ...]]
    settings: ClassVar[Mapping[str, Any]] = {}

    def shape(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Tensor:
        return Tensor((expect(inputs[0], "a recurrent layer", 2)[0], attrs["units"]))

    def weights(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Mapping[str, Shape]:
        units = attrs["units"]
        rows = len(self.gates) * units
        return {
            "weight_ih_l0": (rows, inputs[0].shape[1]),
            "weight_hh_l0": (rows, units),
            "bias_ih_l0": (rows,),
            "bias_hh_l0": (rows,),
        }

    def flops(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> int:
        (steps, features), units = inputs[0].shape, int(attrs["units"])
        return 2 * steps * len(self.gates) * units * (features + units)

    def cut(self, inputs: Sequence[Part], large: Mapping[str, Any], small: Mapping[str, Any]) -> Cut:
        most = large["units"]
        units = prefix(small["units"], most, "units")
        rows = tuple(gate * most + i for gate in range(len(self.gates)) for i in units)
        tensors = {"weight_ih_l0": (rows, inputs[0].kept), "weight_hh_l0": (rows, units)}
        return Cut(units, {**tensors, "bias_ih_l0": (rows,), "bias_hh_l0": (rows,)})

    def source(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> str:
        return f"{self.name.title()}({inputs[0].shape[1]}, {attrs['units']}, batch_first=True)"

    def onnx(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Sequence[OnnxNode]:
        nodes = [node for name in self.weights(inputs, attrs) for node in self.ordered(name)]
        return [
            *nodes,
            OnnxNode("Concat", ("bias_ih_l0_in_order", "bias_hh_l0_in_order"), ("bias",), {"axis": 0}),
            OnnxNode("Unsqueeze", ("weight_ih_l0_in_order", "zero"), ("w",), constants={"zero": (0,)}),
            OnnxNode("Unsqueeze", ("weight_hh_l0_in_order", "zero"), ("r",), constants={"zero": (0,)}),
            OnnxNode("Unsqueeze", ("bias", "zero"), ("b",), constants={"zero": (0,)}),
            OnnxNode("Transpose", ("x0",), ("steps",), {"perm": [1, 0, 2]}),
            OnnxNode(self.name.upper(), ("steps", "w", "r", "b"), ("states",), {"hidden_size": attrs["units"], **self.settings}),
            OnnxNode("Squeeze", ("states", "one"), ("hidden",), constants={"one": (1,)}),
            OnnxNode("Transpose", ("hidden",), attrs={"perm": [1, 0, 2]}),
        ]

    def ordered(self, name: str) -> Sequence[OnnxNode]:
        """A tensor with its gates in ONNX's order."""
        if len(self.gates) == 1:
            return [OnnxNode("Identity", (name,), (f"{name}_in_order",))]
        parts = tuple(f"{name}_{i}" for i in range(len(self.gates)))
        return [
            OnnxNode("Split", (name,), parts, {"axis": 0, "num_outputs": len(parts)}),
            OnnxNode("Concat", tuple(parts[i] for i in self.gates), (f"{name}_in_order",), {"axis": 0}),
        ]

    def label(self, attrs: Mapping[str, Any]) -> str:
        return f"{self.name} · {attrs['units']}"


class Rnn(Recurrent):
    """Attributes: ``units``. The nonlinearity is tanh."""

    name = "rnn"
    gates = (0,)


LAYER = Rnn()
