"""Channels dealt out anew between grouped convolutions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn

from netwright.core.architecture import Tensor

__all__ = ["ChannelShuffle", "build"]


class ChannelShuffle(nn.Module):
    def __init__(self, groups: int) -> None:
        super().__init__()
        self.groups = groups

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        n, channels, high, wide = x.shape
        grouped = x.view(n, self.groups, channels // self.groups, high, wide)
        return grouped.transpose(1, 2).reshape(n, channels, high, wide)


def build(inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> nn.Module:
    return ChannelShuffle(attrs["groups"])
