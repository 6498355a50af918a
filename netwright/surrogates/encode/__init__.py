"""Architectures as numbers: one file, one encoding, named as it is typed."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from netwright.core.architecture import Architecture
from netwright.core.contracts import Surrogate
from netwright.core.space import Space
from netwright.errors import RecipeError

__all__ = ["FLAT", "Encoded", "Encoder", "encoded", "read_by"]

Encoder = Callable[[Sequence[Architecture]], Any]
"""Architectures → codes: a numpy array whose first axis is the architecture. An architecture's code does not depend on others."""


class Encoded:
    """The codes of one space and encoding, each computed once."""

    def __init__(self, encoder: Encoder) -> None:
        self.encoder = encoder
        self._codes: dict[Any, Any] = {}

    def __call__(self, architectures: Sequence[Architecture]) -> Any:
        """Codes of shape (n, …)."""
        new = {a.trace: a for a in architectures if a.trace not in self._codes}
        if new:
            self._codes.update(zip(new, self.encoder(list(new.values())), strict=True))
        return np.stack([self._codes[a.trace] for a in architectures]) if architectures else np.zeros((0, 1))


FLAT = ("graph", "laid", "onehot", "path", "wl")
"""Those whose codes any surrogate can read."""


def read_by(surrogate: type[Surrogate], name: str) -> str:
    """The encoding that a surrogate reads: the one asked for, else its own. Raises :class:`RecipeError` where it cannot."""
    own = surrogate.encoding
    if name in ("", own):
        return own
    if name not in FLAT or own not in FLAT:
        known = FLAT if own in FLAT else (own,)
        what = f"{surrogate.__name__.lower()} cannot read the encoding {name!r}"
        raise RecipeError(what, where="surrogate", todo=f"Choose one of {', '.join(known)}.")
    return name


def encoded(space: Space, name: str) -> Encoded:
    """The codes of a space in an encoding of this folder; kept as long as the space is."""
    of_space: dict[str, Encoded] = space.__dict__.setdefault("_codes", {})
    if name not in of_space:
        of_space[name] = Encoded(importlib.import_module(f"{__name__}.{name}").encoder(space))
    return of_space[name]
