"""The first channels of a map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn

from netwright.core.architecture import Tensor

__all__ = ["Truncate", "build"]


class Truncate(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = width

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x[:, : self.width]


def build(inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> nn.Module:
    return Truncate(attrs["width"])
