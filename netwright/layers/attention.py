"""Multi-head self-attention over time (Vaswani et al. 2017, arXiv:1706.03762)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from netwright.core.architecture import Tensor
from netwright.errors import SpaceError
from netwright.layers.base import Layer, OnnxNode, Shape, expect

__all__ = ["LAYER"]


class Attention(Layer):
    """Attributes: ``heads``, which must divide the features."""

    attributes = ("heads",)

    def shape(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Tensor:
        _, features = expect(inputs[0], "attention", 2)
        if features % attrs["heads"]:
            raise SpaceError(f"{features} features cannot be split into {attrs['heads']} heads")
        return inputs[0]

    def weights(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Mapping[str, Shape]:
        size = inputs[0].shape[1]
        return {
            "in_proj_weight": (3 * size, size),
            "in_proj_bias": (3 * size,),
            "out_proj.weight": (size, size),
            "out_proj.bias": (size,),
        }

    def flops(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> int:
        steps, size = inputs[0].shape
        return 2 * (4 * steps * size * size + 2 * steps * steps * size)

    def source(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> str:
        return f"Attention({inputs[0].shape[1]}, {attrs['heads']})"

    def onnx(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Sequence[OnnxNode]:
        (steps, size), heads = inputs[0].shape, attrs["heads"]
        split = {"split_shape": (0, steps, 3, heads, size // heads)}
        return [
            OnnxNode("Transpose", ("in_proj_weight",), ("in_turned",), {"perm": [1, 0]}),
            OnnxNode("MatMul", ("x0", "in_turned"), ("in_product",)),
            OnnxNode("Add", ("in_product", "in_proj_bias"), ("qkv",)),
            OnnxNode("Reshape", ("qkv", "split_shape"), ("parts",), constants=split),
            OnnxNode("Transpose", ("parts",), ("by_head",), {"perm": [2, 0, 3, 1, 4]}),  # 3 N heads T size
            OnnxNode("Gather", ("by_head", "first"), ("q",), {"axis": 0}, {"first": 0}),
            OnnxNode("Gather", ("by_head", "second"), ("k",), {"axis": 0}, {"second": 1}),
            OnnxNode("Gather", ("by_head", "third"), ("v",), {"axis": 0}, {"third": 2}),
            OnnxNode("Mul", ("q", "scale"), ("q_scaled",), constants={"scale": (size // heads) ** -0.5}),
            OnnxNode("Transpose", ("k",), ("k_turned",), {"perm": [0, 1, 3, 2]}),
            OnnxNode("MatMul", ("q_scaled", "k_turned"), ("scores",)),
            OnnxNode("Softmax", ("scores",), ("shares",), {"axis": -1}),
            OnnxNode("MatMul", ("shares", "v"), ("heads",)),
            OnnxNode("Transpose", ("heads",), ("by_step",), {"perm": [0, 2, 1, 3]}),
            OnnxNode("Reshape", ("by_step", "shape"), ("together",), constants={"shape": (0, steps, size)}),
            OnnxNode("Transpose", ("out_proj.weight",), ("out_turned",), {"perm": [1, 0]}),
            OnnxNode("MatMul", ("together", "out_turned"), ("out_product",)),
            OnnxNode("Add", ("out_product", "out_proj.bias")),
        ]

    def label(self, attrs: Mapping[str, Any]) -> str:
        return f"attention · {attrs['heads']} heads"


LAYER = Attention()
