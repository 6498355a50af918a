"""Fits a tensor to the shape of another, so that the two can be added; nothing at all where they agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

from netwright.core.architecture import Tensor
from netwright.errors import SpaceError
from netwright.layers.base import Cut, Layer, OnnxNode, Part, Shape, expect

__all__ = ["LAYER"]


class Project(Layer):
    """No attributes. Inputs: the tensor, and the one whose shape it takes. A 1×1 convolution or a linear layer, without bias."""

    arity = 2
    reads = 1

    def stride(self, x: Tensor, like: Tensor) -> int:
        """Step of the convolution. Raises :class:`SpaceError` where no step leads from the one map to the other."""
        high, wide = (-(-a // b) for a, b in zip(x.shape[1:], like.shape[1:], strict=True))
        if high != wide or tuple(-(-size // high) for size in x.shape[1:]) != like.shape[1:]:
            raise SpaceError(f"no stride leads from a map of {x.shape[1:]} to {like.shape[1:]}")
        return high

    def shape(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Tensor:
        x, like = inputs
        if len(x.shape) != len(like.shape) or (len(x.shape) == 2 and x.shape[0] != like.shape[0]):
            raise SpaceError(f"{x.shape} cannot be projected to {like.shape}")
        if len(expect(x, "a projection", 1, 2, 3)) == 3:
            self.stride(x, like)
        return like

    def view(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> bool:
        return inputs[0].shape == inputs[1].shape

    def weights(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Mapping[str, Shape]:
        return {} if inputs[0].shape == inputs[1].shape else self.shared(inputs, attrs)

    def flops(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> int:
        x, like = (tensor.shape for tensor in inputs)
        return 0 if x == like else 2 * prod(like) * (x[0] if len(x) == 3 else x[-1])

    def shared(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Mapping[str, Shape]:
        """Always the weights: the largest network may need none where smaller ones do."""
        x, like = (tensor.shape for tensor in inputs)
        return {"weight": (like[0], x[0], 1, 1) if len(x) == 3 else (like[-1], x[-1])}

    def cut(self, inputs: Sequence[Part], large: Mapping[str, Any], small: Mapping[str, Any]) -> Cut:
        x, like = inputs
        if x.small.shape == like.small.shape and x.kept != like.kept:
            raise SpaceError("what meets here are different channels of the supernet", todo="Give the parts one named width.")
        square = (range(1), range(1)) if len(x.large.shape) == 3 else ()
        return Cut(like.kept, {"weight": (like.kept, x.kept, *square)})

    def keeps_zero(self, attrs: Mapping[str, Any]) -> bool:
        return True

    def source(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> str:
        x, like = (tensor.shape for tensor in inputs)
        if x == like:
            return "x0"
        if len(x) < 3:
            return f"nn.Linear({x[-1]}, {like[-1]}, bias=False)"
        stride = self.stride(*inputs)
        return f"nn.Conv2d({x[0]}, {like[0]}, 1{f', stride={stride}' if stride > 1 else ''}, bias=False)"

    def onnx(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Sequence[OnnxNode]:
        x, like = (tensor.shape for tensor in inputs)
        if x == like:
            return []
        if len(x) == 3:
            stride = self.stride(*inputs)
            return [OnnxNode("Conv", ("x0", "weight"), attrs={"kernel_shape": [1, 1], "strides": [stride, stride]})]
        return [OnnxNode("Transpose", ("weight",), ("turned",), {"perm": [1, 0]}), OnnxNode("MatMul", ("x0", "turned"))]

    def label(self, attrs: Mapping[str, Any]) -> str:
        return "project"


LAYER = Project()
