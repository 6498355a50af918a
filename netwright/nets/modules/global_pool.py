"""Mean over all of space."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn

from netwright.core.architecture import Tensor

__all__ = ["GlobalPool", "build"]


class GlobalPool(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.mean((2, 3))


def build(inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> nn.Module:
    return GlobalPool()
