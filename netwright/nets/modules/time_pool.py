"""The mean over time, the largest, the first, or the last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn

from netwright.core.architecture import Tensor

__all__ = ["TimePool", "build"]


class TimePool(nn.Module):
    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.kind in ("first", "last"):
            return x[:, 0 if self.kind == "first" else -1].clone()
        return x.mean(1) if self.kind == "mean" else x.amax(1)


def build(inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> nn.Module:
    return TimePool(attrs.get("kind", "mean"))
