"""Mean over a sliding window."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import nn

from netwright.core.architecture import Tensor
from netwright.layers.base import windows

__all__ = ["build"]


def build(inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> nn.Module:
    return nn.AvgPool2d(*windows(inputs[0], attrs)[1:], count_include_pad=False)
