"""Long short-term memory: the hidden state at every step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn

from netwright.core.architecture import Tensor

__all__ = ["Lstm", "build"]


class Lstm(nn.LSTM):
    """Long short-term memory that gives the hidden state at every step."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:  # type: ignore[override]
        states: torch.Tensor = super().forward(x)[0]
        return states


def build(inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> nn.Module:
    return Lstm(inputs[0].shape[1], attrs["units"], batch_first=True)
