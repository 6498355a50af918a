"""Batch normalization without torch's count of batches, which nothing reads and every step would pay for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn

from netwright.core.architecture import Tensor
from netwright.layers.batch_norm import LAYER

__all__ = ["BatchNorm", "build"]


class BatchNorm(nn.BatchNorm1d):
    """Batch normalization of each feature of (batch, time, features)."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x.transpose(1, 2)).transpose(1, 2)


def build(inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> nn.Module:
    kind = (nn.BatchNorm1d, BatchNorm, nn.BatchNorm2d)[len(inputs[0].shape) - 1]
    module = kind(LAYER.size(inputs[0])[0], eps=attrs.get("eps", 1e-5))
    module.num_batches_tracked = None
    return module
