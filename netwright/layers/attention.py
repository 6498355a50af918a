"""Multi-head self-attention over time (Vaswani et al. 2017, arXiv:1706.03762)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import cos, sin
from typing import Any

from netwright.core.architecture import Tensor
from netwright.errors import SpaceError
from netwright.layers.base import Cut, Indices, Layer, OnnxNode, Part, Shape, expect, prefix

__all__ = ["LAYER"]


class Attention(Layer):
    """Attributes: ``heads``; ``size`` of each (else the heads share the features, which they must divide), ``bias`` True,
    ``causal`` False: no step sees a later one, ``rotary`` False: queries and keys are turned by their place (Su et al. 2021,
    arXiv:2104.09864)."""

    attributes = ("heads", "size", "bias", "causal", "rotary")

    def sizes(self, x: Tensor, attrs: Mapping[str, Any]) -> tuple[int, int, int]:
        """Features, features of one head, features of all heads."""
        _, features = expect(x, "attention", 2)
        heads = attrs["heads"]
        if "size" not in attrs and features % heads:
            raise SpaceError(f"{features} features cannot be split into {heads} heads")
        size = attrs.get("size", features // heads)
        if attrs.get("rotary") and size % 2:
            raise SpaceError(f"heads of {size} features cannot be turned: that takes pairs")
        return features, size, size * heads

    def shape(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Tensor:
        self.sizes(inputs[0], attrs)
        return inputs[0]

    def weights(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Mapping[str, Shape]:
        features, _, whole = self.sizes(inputs[0], attrs)
        weights = {"in_proj_weight": (3 * whole, features), "out_proj.weight": (features, whole)}
        bias = {"in_proj_bias": (3 * whole,), "out_proj.bias": (features,)}
        return {**weights, **(bias if attrs.get("bias", True) else {})}

    def flops(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> int:
        features, _, whole = self.sizes(inputs[0], attrs)
        steps = inputs[0].shape[0]
        return 2 * (4 * steps * features * whole + 2 * steps * steps * whole)

    def cut(self, inputs: Sequence[Part], large: Mapping[str, Any], small: Mapping[str, Any]) -> Cut:
        """Of queries, keys and values the first heads, and the first features of each; where heads become wider as they become
        fewer, the first features whatever their head."""
        (x,) = inputs
        (_, wide, most), (_, narrow, size) = self.sizes(x.large, large), self.sizes(x.small, small)
        own: Indices = prefix(size, most, "features of its heads")
        if narrow <= wide and small["heads"] <= large["heads"]:
            own = tuple(head * wide + i for head in range(small["heads"]) for i in range(narrow))
        rows = tuple(part * most + i for part in range(3) for i in own)
        tensors = {"in_proj_weight": (rows, x.kept), "in_proj_bias": (rows,)}
        return Cut(x.kept, {**tensors, "out_proj.weight": (x.kept, own), "out_proj.bias": (x.kept,)})

    def source(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> str:
        given = [str(inputs[0].shape[1])] + [f"{name}={attrs[name]}" for name in self.attributes if name in attrs]
        return f"Attention({', '.join(given)})"

    def onnx(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Sequence[OnnxNode]:
        (steps, _), heads = inputs[0].shape, attrs["heads"]
        _, size, whole = self.sizes(inputs[0], attrs)
        bias, turned = attrs.get("bias", True), "_turned" * bool(attrs.get("rotary"))
        split = {"split_shape": (0, steps, 3, heads, size)}
        return [
            OnnxNode("Transpose", ("in_proj_weight",), ("in_turned",), {"perm": [1, 0]}),
            OnnxNode("MatMul", ("x0", "in_turned"), ("in_product",)),
            *([OnnxNode("Add", ("in_product", "in_proj_bias"), ("qkv",))] if bias else []),
            OnnxNode("Reshape", ("qkv" if bias else "in_product", "split_shape"), ("parts",), constants=split),
            OnnxNode("Transpose", ("parts",), ("by_head",), {"perm": [2, 0, 3, 1, 4]}),  # 3 N heads T size
            OnnxNode("Gather", ("by_head", "first"), ("q",), {"axis": 0}, {"first": 0}),
            OnnxNode("Gather", ("by_head", "second"), ("k",), {"axis": 0}, {"second": 1}),
            OnnxNode("Gather", ("by_head", "third"), ("v",), {"axis": 0}, {"third": 2}),
            *([*_turned("q", steps, size), *_turned("k", steps, size)] if turned else []),
            OnnxNode("Mul", (f"q{turned}", "scale"), ("q_scaled",), constants={"scale": size**-0.5}),
            OnnxNode("Transpose", (f"k{turned}",), ("k_upright",), {"perm": [0, 1, 3, 2]}),
            OnnxNode("MatMul", ("q_scaled", "k_upright"), ("scores",)),
            *(_masked(steps) if attrs.get("causal") else []),
            OnnxNode("Softmax", ("masked" if attrs.get("causal") else "scores",), ("shares",), {"axis": -1}),
            OnnxNode("MatMul", ("shares", "v"), ("heads",)),
            OnnxNode("Transpose", ("heads",), ("by_step",), {"perm": [0, 2, 1, 3]}),
            OnnxNode("Reshape", ("by_step", "shape"), ("together",), constants={"shape": (0, steps, whole)}),
            OnnxNode("Transpose", ("out_proj.weight",), ("out_turned",), {"perm": [1, 0]}),
            OnnxNode("MatMul", ("together", "out_turned"), ("out_product" if bias else "y",)),
            *([OnnxNode("Add", ("out_product", "out_proj.bias"))] if bias else []),
        ]

    def label(self, attrs: Mapping[str, Any]) -> str:
        return f"{'causal ' * bool(attrs.get('causal'))}attention · {attrs['heads']} heads"


def _masked(steps: int) -> Sequence[OnnxNode]:
    """Minus infinity where a step would see a later one."""
    constants = {"never": float("-inf"), "square": (steps, steps)}
    return [
        OnnxNode("Expand", ("never", "square"), ("wall",), constants=constants),
        OnnxNode("Trilu", ("wall", "above"), ("later",), {"upper": 1}, {"above": 1}),
        OnnxNode("Add", ("scores", "later"), ("masked",)),
    ]


def _turned(name: str, steps: int, size: int) -> Sequence[OnnxNode]:
    """Pairs of features turned by an angle that grows with the place, fast in the first pairs, slowly in the last."""
    half = size // 2
    angles = [[place * 10_000 ** (-pair / half) for pair in range(half)] for place in range(steps)]
    constants = {"cos": tuple(tuple(map(cos, row)) for row in angles), "sin": tuple(tuple(map(sin, row)) for row in angles)}
    a, b = f"{name}_a", f"{name}_b"
    return [
        OnnxNode("Split", (name,), (a, b), {"axis": -1, "num_outputs": 2}),
        *(
            OnnxNode("Mul", (part, how), (f"{part}_{how}",), constants={how: constants[how]})
            for part in (a, b)
            for how in ("cos", "sin")
        ),
        OnnxNode("Sub", (f"{a}_cos", f"{b}_sin"), (f"{name}_left",)),
        OnnxNode("Add", (f"{b}_cos", f"{a}_sin"), (f"{name}_right",)),
        OnnxNode("Concat", (f"{name}_left", f"{name}_right"), (f"{name}_turned",), {"axis": -1}),
    ]


LAYER = Attention()
