"""A learned vector before a sequence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn

from netwright.core.architecture import Tensor

__all__ = ["ClassToken", "build"]


class ClassToken(nn.Module):
    """A learned vector before the steps of (batch, time, features)."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(features) * 0.02)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat((self.weight.expand(len(x), 1, -1), x), 1)


def build(inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> nn.Module:
    return ClassToken(inputs[0].shape[1])
