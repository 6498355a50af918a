"""Batch normalization over each channel (Ioffe & Szegedy 2015, arXiv:1502.03167)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from netwright.core.architecture import Tensor
from netwright.layers.base import Layer, OnnxNode, Shape, expect

__all__ = ["LAYER"]


class BatchNorm(Layer):
    """No attributes. Running statistics are buffers."""

    def shape(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Tensor:
        expect(inputs[0], "batch normalization", 1, 3)
        return inputs[0]

    def weights(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Mapping[str, Shape]:
        return {"weight": inputs[0].shape[:1], "bias": inputs[0].shape[:1]}

    def buffers(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Mapping[str, Shape]:
        return {"running_mean": inputs[0].shape[:1], "running_var": inputs[0].shape[:1]}

    def source(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> str:
        x = inputs[0].shape
        return f"nn.BatchNorm{'2d' if len(x) == 3 else '1d'}({x[0]})"

    def onnx(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Sequence[OnnxNode]:
        names = ("x0", "weight", "bias", "running_mean", "running_var")
        return [OnnxNode("BatchNormalization", names, attrs={"epsilon": 1e-5})]

    def label(self, attrs: Mapping[str, Any]) -> str:
        return "batch norm"


LAYER = BatchNorm()
