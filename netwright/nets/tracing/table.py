"""What the table of operators is made of: values of ours, and how a handler is entered and declines."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import torch
from torch import nn

__all__ = ["FUNCTIONS", "MODULES", "Handler", "Hidden", "Unmapped", "Value", "Weight", "function", "module", "one", "want"]


class Value(NamedTuple):
    """What a traced value is among our layers: the item that computes it, or −1 for the input.

    ``turned``: torch has (features, time) where ours is (time, features). ``single``: torch has axes of size one behind it,
    (channels, 1, 1), where ours is (channels,).
    """

    at: int
    turned: bool = False
    single: bool = False


class Weight(NamedTuple):
    """A parameter that is used as it stands, without its batch axis."""

    tensor: torch.Tensor


class Hidden(NamedTuple):
    """The last hidden states of a recurrent module, one for each of its layers."""

    layers: tuple[Value, ...]


class Unmapped(Exception):
    """No layer does this. The message says why not, and perhaps what would do."""


Handler = Callable[..., Any]
_H = TypeVar("_H", bound=Handler)
FUNCTIONS: dict[str, Handler] = {}
"""Name of a function or method of tensors → what maps it; its parameters are torch's own."""

MODULES: dict[type[nn.Module], Handler] = {}
"""Class of ``torch.nn`` → what maps a call of it."""


def function(*names: str) -> Callable[[_H], _H]:
    """Enters a handler for functions and methods of these names."""

    def enter(handler: _H) -> _H:
        FUNCTIONS.update(dict.fromkeys(names, handler))
        return handler

    return enter


def module(*kinds: type[nn.Module]) -> Callable[[_H], _H]:
    """Enters a handler for modules of these classes, which it is given first."""

    def enter(handler: _H) -> _H:
        MODULES.update(dict.fromkeys(kinds, handler))
        return handler

    return enter


def one(value: Any, what: str) -> int:
    """A setting that is given for each axis, where all agree."""
    values = set(value) if isinstance(value, (tuple, list)) else {value}
    if len(values) != 1:
        raise Unmapped(f"{what} {value} differs between axes")
    return int(values.pop())


def want(holds: bool, why: str) -> None:
    """Raises :class:`Unmapped` where something does not hold."""
    if not holds:
        raise Unmapped(why)
