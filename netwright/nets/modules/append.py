"""Sequences one after the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import nn

from netwright.core.architecture import Tensor
from netwright.nets.modules.concat import Concat

__all__ = ["build"]


def build(inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> nn.Module:
    return Concat(1)
