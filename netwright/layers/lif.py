"""Leaky integrate-and-fire neurons over time (Gerstner & Kistler 2002): currents in, spikes (0 or 1) out, step by step.

v ← v + (x − v) / tau; a spike where v reaches the threshold, which then puts v back to 0. While training, the step's
derivative is that of an arc tangent (Fang et al. 2021, arXiv:2007.05785), and none passes through the putting back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from netwright.core.architecture import Tensor
from netwright.layers.base import Layer, OnnxNode, expect

__all__ = ["LAYER"]


class Lif(Layer):
    """Attributes: ``threshold`` 1.0, ``tau`` 4/3. The first axis is time."""

    attributes = ("threshold", "tau")
    channelwise = True

    def shape(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Tensor:
        expect(inputs[0], "a spiking neuron", 2, 4)
        return inputs[0]

    def keeps_zero(self, attrs: Mapping[str, Any]) -> bool:
        return bool(attrs.get("threshold", 1.0) > 0)

    def stores(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> bool:
        return True  # a loop, and no expression

    def source(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> str:
        return f"Lif({attrs.get('threshold', 1.0)}, {attrs.get('tau', 4 / 3)})"

    def onnx(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Sequence[OnnxNode]:
        """Step by step: the graph has no loop."""
        steps = inputs[0].shape[0]
        constants = {"tau": attrs.get("tau", 4 / 3), "threshold": attrs.get("threshold", 1.0), "one": 1.0, "axis": (1,)}
        nodes = []
        for t in range(steps):
            nodes.append(OnnxNode("Gather", ("x0", f"step{t}"), (f"now{t}",), {"axis": 1}, {f"step{t}": t}))
            change = f"now{t}"
            if t:
                change = f"change{t}"
                nodes.append(OnnxNode("Sub", (f"now{t}", f"kept{t - 1}"), (change,)))
            nodes.append(OnnxNode("Div", (change, "tau"), (f"part{t}",), constants=constants))
            if t:
                nodes.append(OnnxNode("Add", (f"kept{t - 1}", f"part{t}"), (f"v{t}",)))
            v = f"v{t}" if t else f"part{t}"
            nodes += [
                OnnxNode("GreaterOrEqual", (v, "threshold"), (f"fires{t}",), constants=constants),
                OnnxNode("Cast", (f"fires{t}",), (f"spike{t}",), {"to": 1}),
                OnnxNode("Unsqueeze", (f"spike{t}", "axis"), (f"out{t}",), constants=constants),
                OnnxNode("Sub", ("one", f"spike{t}"), (f"stays{t}",), constants=constants),
                OnnxNode("Mul", (v, f"stays{t}"), (f"kept{t}",)),
            ]
        return [*nodes, OnnxNode("Concat", tuple(f"out{t}" for t in range(steps)), attrs={"axis": 1})]

    def label(self, attrs: Mapping[str, Any]) -> str:
        return f"LIF ≥ {attrs.get('threshold', 1.0)}"


LAYER = Lif()
