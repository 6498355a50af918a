"""Squeeze-and-excitation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from netwright.core.architecture import Tensor
from netwright.layers.squeeze_excite import LAYER

__all__ = ["SqueezeExcite", "build"]


class SqueezeExcite(nn.Module):
    """Weighs each channel by a small network over the means of all channels."""

    def __init__(self, channels: int, hidden: int, hard: bool = False) -> None:
        super().__init__()
        self.hard = hard
        self.reduce = nn.Linear(channels, hidden)
        self.expand = nn.Linear(hidden, channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        score = self.expand(torch.relu(self.reduce(x.mean((2, 3)))))
        gate = F.hardsigmoid(score) if self.hard else torch.sigmoid(score)
        return x * gate[:, :, None, None]


def build(inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> nn.Module:
    return SqueezeExcite(*LAYER.sizes(inputs[0], attrs), attrs.get("gate") == "hardsigmoid")
