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

    def __init__(
        self,
        features: int,
        heads: int,
        size: int = 0,
        bias: bool = True,
        causal: bool = False,
        rotary: bool = False,
    ) -> None:
        super().__init__()
        self.heads, self.size, self.causal, self.rotary = heads, size or features // heads, causal, rotary
        whole = self.size * heads
        self.in_proj_weight = nn.Parameter(torch.empty(3 * whole, features))
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * whole)) if bias else None
        self.out_proj = nn.Linear(whole, features, bias=bias)
        nn.init.xavier_uniform_(self.in_proj_weight)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        n, steps, _ = x.shape
        qkv = F.linear(x, self.in_proj_weight, self.in_proj_bias)
        q, k, v = qkv.view(n, steps, 3, self.heads, self.size).permute(2, 0, 3, 1, 4)
        if self.rotary:
            q, k = self.turned(q), self.turned(k)
        mixed: torch.Tensor = F.scaled_dot_product_attention(q, k, v, is_causal=self.causal)
        out: torch.Tensor = self.out_proj(mixed.transpose(1, 2).reshape(n, steps, self.heads * self.size))
        return out

    def turned(self, x: torch.Tensor) -> torch.Tensor:
        """Pairs of features turned by an angle that grows with the place."""
        half = self.size // 2
        speed = 10_000 ** (-torch.arange(half, device=x.device) / half)
        angle = torch.arange(x.shape[2], device=x.device)[:, None] * speed
        a, b = x.chunk(2, -1)
        return torch.cat((a * angle.cos() - b * angle.sin(), b * angle.cos() + a * angle.sin()), -1)


def build(inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> nn.Module:
    return Attention(inputs[0].shape[1], **attrs)
