"""A 1×1 convolution or a linear layer that fits one tensor to another's shape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import nn

from netwright.core.architecture import Tensor
from netwright.layers.project import LAYER

__all__ = ["build"]


def build(inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> nn.Module:
    x, like = (tensor.shape for tensor in inputs)
    if x == like:
        return nn.Identity()
    if len(x) == 3:
        return nn.Conv2d(x[0], like[0], 1, LAYER.stride(*inputs), bias=False)
    return nn.Linear(x[-1], like[-1], bias=False)
