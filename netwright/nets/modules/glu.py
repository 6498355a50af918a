"""A gated linear unit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from netwright.core.architecture import Tensor
from netwright.layers.glu import LAYER

__all__ = ["Glu", "build"]


class Glu(nn.Module):
    """Two linear layers over the last axis; one, activated, opens the other."""

    def __init__(self, features: int, units: int, bias: bool = True) -> None:
        super().__init__()
        self.gate = nn.Linear(features, units, bias)
        self.value = nn.Linear(features, units, bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        opened: torch.Tensor = F.silu(self.gate(x)) * self.value(x)
        return opened


def build(inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> nn.Module:
    return Glu(inputs[0].shape[-1], LAYER.units(inputs[0], attrs), attrs.get("bias", True))
