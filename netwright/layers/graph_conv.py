"""Convolutions on graphs: every node joins what its neighbours say, y = P·x·W (+ x·R) + b, where P depends on the kind.

gcn: Kipf & Welling 2017, arXiv:1609.02907; gin: Xu et al. 2019, arXiv:1810.00826; sage: Hamilton et al. 2017, arXiv:1706.02216;
cheb: Defferrard et al. 2016, arXiv:1606.09375; arma: Bianchi et al. 2021, arXiv:1901.01343; graph: Morris et al. 2019,
arXiv:1810.02244.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from netwright.core.architecture import Tensor
from netwright.errors import SpaceError
from netwright.layers.base import Layer, OnnxNode, Shape, expect

__all__ = ["KINDS", "LAYER", "GraphLayer"]

KINDS = {
    # kind: how neighbours are weighed, whether a node is its own neighbour, whether it also speaks for itself (R)
    "gcn": ("symmetric", True, False),
    "gin": ("sum", True, False),
    "sage": ("mean", False, True),
    "cheb": ("symmetric", False, True),
    "arma": ("symmetric", False, True),
    "graph": ("sum", False, True),
}


class GraphLayer(Layer):
    """What layers on graphs share. Inputs: (nodes, features), and the adjacency (nodes, nodes).

    Entry (i, j) of the adjacency says how much node i hears of node j; entries of 0 and below are no edge. It is plain:
    each layer normalises it as it needs it.
    """

    arity = 2

    def sizes(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> tuple[int, int, int]:
        """Nodes, features, units."""
        x, adjacency = inputs
        nodes, features = expect(x, "a layer on a graph", 2)
        if adjacency.shape != (nodes, nodes):
            raise SpaceError(f"an adjacency of {nodes} nodes has the shape {(nodes, nodes)}, not {adjacency.shape}")
        return nodes, features, attrs["units"]

    def shape(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Tensor:
        nodes, _, units = self.sizes(inputs, attrs)
        return Tensor((nodes, units))


class GraphConv(GraphLayer):
    """Attributes: ``kind``: gcn, gin, sage, cheb, arma or graph; ``units``.

    cheb is of the first order (the Laplacian's sign is left to the weights); arma has one stack of one layer, and its ReLU.
    """

    attributes = ("kind", "units")

    def shape(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Tensor:
        if attrs["kind"] not in KINDS:
            raise SpaceError(f"unknown kind {attrs['kind']!r} of convolution on a graph", todo=f"Known: {', '.join(KINDS)}.")
        return super().shape(inputs, attrs)

    def weights(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Mapping[str, Shape]:
        _, features, units = self.sizes(inputs, attrs)
        root = {"root": (units, features)} if KINDS[attrs["kind"]][2] else {}
        return {"weight": (units, features), **root, "bias": (units,)}

    def flops(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> int:
        nodes, features, units = self.sizes(inputs, attrs)
        return 2 * nodes * units * (features * (2 if KINDS[attrs["kind"]][2] else 1) + nodes)

    def source(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> str:
        _, features, units = self.sizes(inputs, attrs)
        how, loops, root = KINDS[attrs["kind"]]
        relu = ", relu=True" * (attrs["kind"] == "arma")
        return f'GraphConv({features}, {units}, "{how}", loops={loops}, root={root}{relu})'

    def onnx(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Sequence[OnnxNode]:
        how, loops, root = KINDS[attrs["kind"]]
        nodes = [
            OnnxNode("Relu", ("x1",), ("edges",)),
            OnnxNode("Transpose", ("weight",), ("weight_turned",), {"perm": [1, 0]}),
            OnnxNode("MatMul", ("x0", "weight_turned"), ("said",)),
            OnnxNode("ReduceSum", ("edges", "axis"), ("heard",), {"keepdims": 1}, {"axis": (2,)}),
            OnnxNode("Add", ("heard", "loop"), ("degree",), constants={"loop": 1.0 if loops else 1e-12}),
        ]
        given = "said"
        if how == "symmetric":
            nodes += [OnnxNode("Sqrt", ("degree",), ("root_degree",)), OnnxNode("Div", ("said", "root_degree"), ("scaled",))]
            given = "scaled"
        nodes.append(OnnxNode("MatMul", ("edges", given), ("spread",)))
        last = "spread"
        if loops:
            nodes.append(OnnxNode("Add", (last, given), ("looped",)))
            last = "looped"
        if how != "sum":
            nodes.append(OnnxNode("Div", (last, "root_degree" if how == "symmetric" else "degree"), ("joined",)))
            last = "joined"
        if root:
            nodes += [
                OnnxNode("Transpose", ("root",), ("root_turned",), {"perm": [1, 0]}),
                OnnxNode("MatMul", ("x0", "root_turned"), ("own",)),
                OnnxNode("Add", (last, "own"), ("both",)),
            ]
            last = "both"
        if attrs["kind"] == "arma":
            return [*nodes, OnnxNode("Add", (last, "bias"), ("sum",)), OnnxNode("Relu", ("sum",))]
        return [*nodes, OnnxNode("Add", (last, "bias"))]

    def label(self, attrs: Mapping[str, Any]) -> str:
        return f"{attrs['kind']} · {attrs['units']}"


LAYER = GraphConv()
