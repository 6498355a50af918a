"""Raw values to zero mean and unit variance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn

from netwright.core.architecture import Tensor

__all__ = ["Normalize", "build"]


class Normalize(nn.Module):
    """(x - mean) / std, for each channel of an input with ``axes`` axes."""

    mean: torch.Tensor
    std: torch.Tensor

    def __init__(self, mean: tuple[float, ...], std: tuple[float, ...], axes: int) -> None:
        super().__init__()
        shape = (len(mean),) + (1,) * (axes - 1)
        self.register_buffer("mean", torch.tensor(mean).view(shape))
        self.register_buffer("std", torch.tensor(std).view(shape))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (x - self.mean) / self.std


def build(inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> nn.Module:
    return Normalize(attrs["mean"], attrs["std"], len(inputs[0].shape))
