"""The same input at each of a number of time steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn

from netwright.core.architecture import Tensor

__all__ = ["RepeatSteps", "build"]


class RepeatSteps(nn.Module):
    def __init__(self, steps: int) -> None:
        super().__init__()
        self.steps = steps

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.unsqueeze(1).repeat(1, self.steps, *[1] * (x.dim() - 1))


def build(inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> nn.Module:
    return RepeatSteps(attrs["steps"])
