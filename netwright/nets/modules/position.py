"""A learned vector for each place of a sequence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn

from netwright.core.architecture import Tensor

__all__ = ["Position", "build"]


class Position(nn.Module):
    """Adds a learned vector to each step of (batch, time, features)."""

    def __init__(self, steps: int, features: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(steps, features))
        nn.init.normal_(self.weight, std=0.02)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.weight


def build(inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> nn.Module:
    return Position(*inputs[0].shape)
