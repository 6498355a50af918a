"""Convolutions on graphs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from netwright.core.architecture import Tensor
from netwright.layers.graph_conv import KINDS

__all__ = ["GraphConv", "build"]


class GraphConv(nn.Module):
    """Every node joins what its neighbours say; ``how`` weighs them: sum, mean or symmetric."""

    def __init__(
        self,
        features: int,
        units: int,
        how: str,
        loops: bool,
        root: bool,
        relu: bool = False,
    ) -> None:
        super().__init__()
        self.how, self.loops, self.relu = how, loops, relu
        self.weight = nn.Parameter(nn.init.xavier_uniform_(torch.empty(units, features)))
        self.root = nn.Parameter(nn.init.xavier_uniform_(torch.empty(units, features))) if root else None
        self.bias = nn.Parameter(torch.zeros(units))

    def forward(self, x: torch.Tensor, adjacency: torch.Tensor) -> torch.Tensor:
        edges = F.relu(adjacency)
        said = F.linear(x, self.weight)
        degree = edges.sum(2, keepdim=True) + (1.0 if self.loops else 1e-12)
        if self.how == "symmetric":
            degree = degree.sqrt()
            said = said / degree
        y = torch.bmm(edges, said)
        if self.loops:
            y = y + said
        if self.how != "sum":
            y = y / degree
        if self.root is not None:
            y = y + F.linear(x, self.root)
        y = y + self.bias
        return F.relu(y) if self.relu else y


def build(inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> nn.Module:
    return GraphConv(inputs[0].shape[1], attrs["units"], *KINDS[attrs["kind"]], relu=attrs["kind"] == "arma")
