"""Another layer at every time step."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn

from netwright.core.architecture import Tensor

__all__ = ["EachStep", "build"]


class EachStep(nn.Module):
    """One layer for all time steps, laid side by side in the batch."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y: torch.Tensor = self.layer(x.flatten(0, 1))
        return y.reshape(-1, x.shape[1], *y.shape[1:])


def build(inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> nn.Module:
    inner = importlib.import_module(f"netwright.nets.modules.{attrs['layer']}")
    return EachStep(inner.build([Tensor(inputs[0].shape[1:], inputs[0].dtype)], dict(attrs.get("attrs", ()))))
