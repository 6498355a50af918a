"""Squeeze-and-excitation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn

from netwright.core.architecture import Tensor
from netwright.layers.squeeze_excite import LAYER

__all__ = ["SqueezeExcite", "build"]


class SqueezeExcite(nn.Module):
    """Weighs each channel by a small network over the means of all channels."""

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.reduce = nn.Linear(channels, hidden)
        self.expand = nn.Linear(hidden, channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        gate = torch.sigmoid(self.expand(torch.relu(self.reduce(x.mean((2, 3))))))
        return x * gate[:, :, None, None]


def build(inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> nn.Module:
    return SqueezeExcite(*LAYER.sizes(inputs[0], attrs))
