"""Time and features change places."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn

from netwright.core.architecture import Tensor

__all__ = ["Transpose", "build"]


class Transpose(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.transpose(1, 2)


def build(inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> nn.Module:
    return Transpose()
