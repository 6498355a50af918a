"""Attention over a node's neighbours and itself (Veličković et al. 2018, arXiv:1710.10903)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from netwright.core.architecture import Tensor
from netwright.errors import SpaceError
from netwright.layers.base import OnnxNode, Shape
from netwright.layers.graph_conv import GraphLayer

__all__ = ["LAYER"]


class GraphAttention(GraphLayer):
    """Attributes: ``units``, ``heads``, which must divide the units. An entry above 0 of the adjacency is an edge."""

    attributes = ("units", "heads")

    def shape(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Tensor:
        if attrs["units"] % attrs["heads"]:
            raise SpaceError(f"{attrs['units']} units cannot be split into {attrs['heads']} heads")
        return super().shape(inputs, attrs)

    def weights(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Mapping[str, Shape]:
        _, features, units = self.sizes(inputs, attrs)
        each = (attrs["heads"], units // attrs["heads"])
        return {"weight": (units, features), "speaks": each, "listens": each, "bias": (units,)}

    def flops(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> int:
        nodes, features, units = self.sizes(inputs, attrs)
        return 2 * nodes * units * (features + nodes)

    def source(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> str:
        _, features, units = self.sizes(inputs, attrs)
        return f"GraphAttention({features}, {units}, {attrs['heads']})"

    def onnx(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Sequence[OnnxNode]:
        nodes, _, units = self.sizes(inputs, attrs)
        heads = attrs["heads"]
        split = {"split": (0, nodes, heads, units // heads), "whole": (0, nodes, units), "axis": (3,), "head_axis": (1,)}
        return [
            OnnxNode("Transpose", ("weight",), ("turned",), {"perm": [1, 0]}),
            OnnxNode("MatMul", ("x0", "turned"), ("said",)),
            OnnxNode("Reshape", ("said", "split"), ("apart",), constants=split),  # N nodes heads size
            OnnxNode("Mul", ("apart", "speaks"), ("speaking",)),
            OnnxNode("ReduceSum", ("speaking", "axis"), ("speaker",), {"keepdims": 0}, split),  # N nodes heads
            OnnxNode("Mul", ("apart", "listens"), ("listening",)),
            OnnxNode("ReduceSum", ("listening", "axis"), ("listener",), {"keepdims": 0}, split),
            OnnxNode("Transpose", ("speaker",), ("speaker_turned",), {"perm": [0, 2, 1]}),
            OnnxNode("Transpose", ("listener",), ("listener_turned",), {"perm": [0, 2, 1]}),
            OnnxNode("Unsqueeze", ("speaker_turned", "from"), ("row",), constants={"from": (2,)}),  # N heads 1 nodes
            OnnxNode("Unsqueeze", ("listener_turned", "to"), ("column",), constants={"to": (3,)}),
            OnnxNode("Add", ("column", "row"), ("both",)),
            OnnxNode("LeakyRelu", ("both",), ("scores",), {"alpha": 0.2}),
            OnnxNode("Gather", ("x1", "first"), ("one",), {"axis": 0}, {"first": 0}),
            OnnxNode("EyeLike", ("one",), ("self",)),
            OnnxNode("Relu", ("x1",), ("edges",)),
            OnnxNode("Add", ("edges", "self"), ("heard",)),
            OnnxNode("Greater", ("heard", "none"), ("hears",), constants={"none": 0.0}),
            OnnxNode("Unsqueeze", ("hears", "head_axis"), ("mask",), constants=split),
            OnnxNode("Where", ("mask", "scores", "never"), ("masked",), constants={"never": -1e30}),
            OnnxNode("Softmax", ("masked",), ("shares",), {"axis": -1}),
            OnnxNode("Transpose", ("apart",), ("by_head",), {"perm": [0, 2, 1, 3]}),
            OnnxNode("MatMul", ("shares", "by_head"), ("joined",)),
            OnnxNode("Transpose", ("joined",), ("by_node",), {"perm": [0, 2, 1, 3]}),
            OnnxNode("Reshape", ("by_node", "whole"), ("together",), constants=split),
            OnnxNode("Add", ("together", "bias")),
        ]

    def label(self, attrs: Mapping[str, Any]) -> str:
        return f"gat · {attrs['units']} · {attrs['heads']} heads"


LAYER = GraphAttention()
