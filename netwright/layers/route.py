"""A soft choice between experts, made for each example: softmax(W·x) weighs what they say (Jacobs et al. 1991, Neural Computation
3:79; in the networks of today Shazeer et al. 2017, arXiv:1701.06538)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from netwright.core.architecture import Tensor
from netwright.errors import SpaceError
from netwright.layers.base import Cut, Layer, OnnxNode, Part, Shape, expect

__all__ = ["LAYER"]


class Route(Layer):
    """No attributes. Inputs: what the choice is made by, then two or more experts of one shape.

    The choice is made once for a vector or a map (by its mean over space), at each step for a sequence.
    """

    arity = None

    def features(self, x: Tensor) -> int:
        """What the choice is made by."""
        shape = expect(x, "routing", 1, 2, 3)
        return shape[1] if len(shape) == 2 else shape[0]

    def shape(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Tensor:
        x, *experts = inputs
        self.features(x)
        if len(experts) < 2:
            raise SpaceError("routing needs two experts or more")
        shapes = {expert.shape for expert in experts}
        if len(shapes) > 1:
            raise SpaceError(f"experts of one shape can be routed to, not {' and '.join(str(e.shape) for e in experts)}")
        if len(x.shape) != len(experts[0].shape) or (len(x.shape) == 2 and x.shape[0] != experts[0].shape[0]):
            raise SpaceError(f"{x.shape} cannot choose between experts of {experts[0].shape}")
        return experts[0]

    def keeps_zero(self, attrs: Mapping[str, Any]) -> bool:
        return True

    def weights(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Mapping[str, Shape]:
        experts = len(inputs) - 1
        return {"weight": (experts, self.features(inputs[0])), "bias": (experts,)}

    def flops(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> int:
        steps = inputs[0].shape[0] if len(inputs[0].shape) == 2 else 1
        return 2 * steps * self.features(inputs[0]) * (len(inputs) - 1)

    def cut(self, inputs: Sequence[Part], large: Mapping[str, Any], small: Mapping[str, Any]) -> Cut:
        x, *experts = inputs
        if any(expert.kept != experts[0].kept for expert in experts):
            raise SpaceError("the experts keep different channels of the supernet", todo="Give them one named width.")
        many = range(len(experts))
        return Cut(experts[0].kept, {"weight": (many, x.kept), "bias": (many,)})

    def source(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> str:
        return f"Route({self.features(inputs[0])}, {len(inputs) - 1})"

    def onnx(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Sequence[OnnxNode]:
        x, experts = inputs[0].shape, len(inputs) - 1
        nodes = [OnnxNode("Transpose", ("weight",), ("turned",), {"perm": [1, 0]})]
        if len(x) == 3:
            nodes += [OnnxNode("GlobalAveragePool", ("x0",), ("mean",)), OnnxNode("Flatten", ("mean",), ("seen",))]
        nodes += [
            OnnxNode("MatMul", ("seen" if len(x) == 3 else "x0", "turned"), ("product",)),
            OnnxNode("Add", ("product", "bias"), ("scores",)),
            OnnxNode("Softmax", ("scores",), ("shares",), {"axis": -1}),
            OnnxNode("Split", ("shares",), tuple(f"share{i}" for i in range(experts)), {"axis": -1, "num_outputs": experts}),
        ]
        for i in range(experts):
            share = f"share{i}"
            if len(x) == 3:  # (N, 1) → (N, 1, 1, 1)
                nodes.append(OnnxNode("Unsqueeze", (share, "axes"), (f"wide{i}",), constants={"axes": (2, 3)}))
                share = f"wide{i}"
            nodes.append(OnnxNode("Mul", (share, f"x{i + 1}"), (f"part{i}",)))
        return [*nodes, OnnxNode("Sum", tuple(f"part{i}" for i in range(experts)))]

    def label(self, attrs: Mapping[str, Any]) -> str:
        return "route"


LAYER = Route()
