"""Leaky integrate-and-fire neurons over time, with a surrogate gradient."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn

from netwright.core.architecture import Tensor

__all__ = ["Lif", "build"]


class Lif(nn.Module):
    """Spikes of leaky integrate-and-fire neurons over the second axis; gradient of an arc tangent."""

    def __init__(self, threshold: float, tau: float) -> None:
        super().__init__()
        self.threshold, self.tau = threshold, tau

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        v = torch.zeros_like(x[:, 0])
        spikes = []
        for now in x.unbind(1):
            v = v + (now - v) / self.tau
            spike = (v >= self.threshold).to(x.dtype)
            kept = v * (1 - spike)
            if torch.is_grad_enabled():
                soft = torch.atan(torch.pi * (v - self.threshold)) / torch.pi
                spike = spike + (soft - soft.detach())
            spikes.append(spike)
            v = kept
        return torch.stack(spikes, 1)


def build(inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> nn.Module:
    return Lif(attrs.get("threshold", 1.0), attrs.get("tau", 4 / 3))
