"""A map at another resolution."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from netwright.core.architecture import Tensor
from netwright.layers.resize import LAYER

__all__ = ["Resize", "build"]


class Resize(nn.Module):
    def __init__(self, sides: tuple[int, ...]) -> None:
        super().__init__()
        self.sides = sides

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.interpolate(x, self.sides, mode="bilinear")


def build(inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> nn.Module:
    return nn.Identity() if LAYER.view(inputs, attrs) else Resize(LAYER.sides(inputs[0], attrs))
