"""2-D convolution."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import nn

from netwright.core.architecture import Tensor
from netwright.layers.conv import LAYER

__all__ = ["build"]


def build(inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> nn.Module:
    cin, cout, kernel, stride, groups, dilation, bias = LAYER.read(inputs, attrs)
    return nn.Conv2d(cin, cout, kernel, stride, LAYER.padding(attrs), dilation, groups, bias)
