"""Attention over a node's neighbours and itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from netwright.core.architecture import Tensor

__all__ = ["GraphAttention", "build"]


class GraphAttention(nn.Module):
    """Every node weighs its neighbours and itself by a softmax, in several heads side by side."""

    def __init__(self, features: int, units: int, heads: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(nn.init.xavier_uniform_(torch.empty(units, features)))
        self.speaks = nn.Parameter(nn.init.xavier_uniform_(torch.empty(heads, units // heads)))
        self.listens = nn.Parameter(nn.init.xavier_uniform_(torch.empty(heads, units // heads)))
        self.bias = nn.Parameter(torch.zeros(units))

    def forward(self, x: torch.Tensor, adjacency: torch.Tensor) -> torch.Tensor:
        said = F.linear(x, self.weight).reshape(*x.shape[:2], *self.speaks.shape)
        row = (said * self.speaks).sum(3).transpose(1, 2).unsqueeze(2)
        column = (said * self.listens).sum(3).transpose(1, 2).unsqueeze(3)
        hears = F.relu(adjacency) + torch.eye(x.shape[1], device=x.device) > 0
        scores = F.leaky_relu(column + row, 0.2).masked_fill(~hears.unsqueeze(1), -1e30)
        joined = torch.matmul(torch.softmax(scores, -1), said.transpose(1, 2))
        return joined.transpose(1, 2).flatten(2) + self.bias


def build(inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> nn.Module:
    return GraphAttention(inputs[0].shape[1], attrs["units"], attrs["heads"])
