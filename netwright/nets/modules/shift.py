"""A map moved up and left by one pixel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from netwright.core.architecture import Tensor

__all__ = ["Shift", "build"]


class Shift(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.pad(x[:, :, 1:, 1:], (0, 1, 0, 1))


def build(inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> nn.Module:
    return Shift()
