"""The mean of each run of neighbouring features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn

from netwright.core.architecture import Tensor

__all__ = ["FeaturePool", "build"]


class FeaturePool(nn.Module):
    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.reshape(x.shape[0], -1, self.size).mean(2)


def build(inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> nn.Module:
    return FeaturePool(attrs["size"])
