"""A nonlinearity, element by element."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch import nn

from netwright.core.architecture import Tensor

__all__ = ["build"]


_KINDS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "relu6": nn.ReLU6,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "hardswish": nn.Hardswish,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "hardsigmoid": nn.Hardsigmoid,
    "elu": nn.ELU,
    "leaky_relu": nn.LeakyReLU,
}


def build(inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> nn.Module:
    return _KINDS[attrs["kind"]]()
