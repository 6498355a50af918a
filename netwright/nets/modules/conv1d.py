"""Convolution along time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn

from netwright.core.architecture import Tensor
from netwright.layers.conv1d import LAYER

__all__ = ["Conv1d", "build"]


class Conv1d(nn.Conv1d):
    """Convolution along the middle axis of (batch, time, features)."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x.transpose(1, 2)).transpose(1, 2)


def build(inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> nn.Module:
    _, features, width, kernel, stride, dilation, bias = LAYER.read(inputs, attrs)
    groups = LAYER.groups(inputs, attrs)
    return Conv1d(features, width, kernel, stride, dilation * (kernel // 2), dilation, groups, bias)
