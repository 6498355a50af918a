"""The options of an open decision, added up, each with its weight where weights are given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn

from netwright.core.architecture import Tensor
from netwright.nets.modules.sum import Sum

__all__ = ["Mix", "build"]


class Mix(Sum):
    """``shares``: one number for each input, or None for a plain sum."""

    shares: torch.Tensor | None = None

    def forward(self, x: torch.Tensor, *more: torch.Tensor) -> torch.Tensor:
        if self.shares is None:
            return super().forward(x, *more)
        shared = zip(self.shares, (x, *more), strict=True)
        return super().forward(*(share * option for share, option in shared))


def build(inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> nn.Module:
    return Mix()
