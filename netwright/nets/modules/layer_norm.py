"""Layer normalization over the last axis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import nn

from netwright.core.architecture import Tensor

__all__ = ["build"]


def build(inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> nn.Module:
    return nn.LayerNorm(inputs[0].shape[-1], attrs.get("eps", 1e-5))
