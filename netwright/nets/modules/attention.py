"""Multi-head self-attention, with the parameters of ``nn.MultiheadAttention``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from netwright.core.architecture import Tensor

__all__ = ["Attention", "build"]


class Attention(nn.Module):
    """Multi-head self-attention over the middle axis of (batch, time, features)."""

    def __init__(self, features: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.in_proj_weight = nn.Parameter(torch.empty(3 * features, features))
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * features))
        self.out_proj = nn.Linear(features, features)
        nn.init.xavier_uniform_(self.in_proj_weight)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        n, steps, features = x.shape
        qkv = F.linear(x, self.in_proj_weight, self.in_proj_bias)
        q, k, v = qkv.view(n, steps, 3, self.heads, features // self.heads).permute(2, 0, 3, 1, 4)
        mixed: torch.Tensor = F.scaled_dot_product_attention(q, k, v)
        out: torch.Tensor = self.out_proj(mixed.transpose(1, 2).reshape(n, steps, features))
        return out


def build(inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> nn.Module:
    return Attention(inputs[0].shape[1], attrs["heads"])
