"""A soft choice between experts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn

from netwright.core.architecture import Tensor
from netwright.layers.route import LAYER

__all__ = ["Route", "build"]


class Route(nn.Linear):
    """Weighs what the experts say by a softmax over the features of ``x`` (of a map: their means)."""

    def forward(self, x: torch.Tensor, *experts: torch.Tensor) -> torch.Tensor:
        shares = torch.softmax(super().forward(x.mean((2, 3)) if x.dim() == 4 else x), -1)
        if x.dim() == 4:
            shares = shares[:, None, None]
        y = shares[..., :1] * experts[0]
        for i, expert in enumerate(experts[1:], 1):
            y = y + shares[..., i : i + 1] * expert
        return y


def build(inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> nn.Module:
    return Route(LAYER.features(inputs[0]), len(inputs) - 1)
