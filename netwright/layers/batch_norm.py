"""Batch normalization over each channel (Ioffe & Szegedy 2015, arXiv:1502.03167)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from netwright.core.architecture import Tensor
from netwright.layers.base import Layer, OnnxNode, Shape, expect

__all__ = ["LAYER"]


class BatchNorm(Layer):
    """Attributes: ``eps`` 1e-5, added to the variance. Running statistics are buffers; a sequence's are over its steps."""

    attributes = ("eps",)
    channelwise = True

    def shape(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Tensor:
        expect(inputs[0], "batch normalization", 1, 2, 3)
        return inputs[0]

    def size(self, x: Tensor) -> Shape:
        """Channels of a map, features of a sequence or a vector."""
        return x.shape[-1:] if len(x.shape) == 2 else x.shape[:1]

    def weights(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Mapping[str, Shape]:
        return {"weight": self.size(inputs[0]), "bias": self.size(inputs[0])}

    def buffers(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Mapping[str, Shape]:
        return {"running_mean": self.size(inputs[0]), "running_var": self.size(inputs[0])}

    def source(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> str:
        kind = {1: "nn.BatchNorm1d", 2: "BatchNorm", 3: "nn.BatchNorm2d"}[len(inputs[0].shape)]
        eps = f", eps={attrs['eps']}" if "eps" in attrs else ""
        return f"{kind}({self.size(inputs[0])[0]}{eps})"

    def onnx(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Sequence[OnnxNode]:
        names = ("x0", "weight", "bias", "running_mean", "running_var")
        eps = {"epsilon": attrs.get("eps", 1e-5)}
        if len(inputs[0].shape) != 2:
            return [OnnxNode("BatchNormalization", names, attrs=eps)]
        return [
            OnnxNode("Transpose", ("x0",), ("channels",), {"perm": [0, 2, 1]}),
            OnnxNode("BatchNormalization", ("channels", *names[1:]), ("out",), eps),
            OnnxNode("Transpose", ("out",), attrs={"perm": [0, 2, 1]}),
        ]

    def label(self, attrs: Mapping[str, Any]) -> str:
        return "batch norm"


LAYER = BatchNorm()
