"""A fully connected layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import nn

from netwright.core.architecture import Tensor
from netwright.layers.linear import LAYER

__all__ = ["build"]


def build(inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> nn.Module:
    return nn.Linear(inputs[0].shape[-1], LAYER.units(inputs[0], attrs), attrs.get("bias", True))
