"""The name you type is the file you open: parts are found by listing a wing's folder, others by entry points."""

from __future__ import annotations

import ast
import difflib
import importlib
import importlib.util
import inspect
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

from netwright.core.contracts import Device, Estimator, Strategy
from netwright.errors import RecipeError

__all__ = ["KINDS", "listed", "module", "part", "suggest", "summary"]

KINDS: dict[str, str] = {
    "strategies": "strategy",
    "spaces": "space",
    "estimators": "estimator",
    "devices": "device",
    "layers": "layer",
}
"""Wings whose files are parts, and what one of them is called."""

_NOT_PARTS = {"__init__", "base", "canonical", "counts", "elastic", "isomorphism", "scopes"}


@cache
def listed(kind: str) -> dict[str, str]:
    """Name → module of every part of a kind, Netwright's own and those that other packages bring as entry points
    (group ``netwright.strategies`` and so on)."""
    folder = Path(__file__).parent / kind
    own = {p.stem: f"netwright.{kind}.{p.stem}" for p in sorted(folder.glob("*.py"))}
    found = {name: path for name, path in own.items() if name not in _NOT_PARTS and not name.startswith("_")}
    return {**{point.name: point.value for point in entry_points(group=f"netwright.{kind}")}, **found}


def suggest(name: str, known: Any) -> str:
    """``Did you mean 'evolution'?``, or the list of what there is."""
    names = list(known)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    return f"Did you mean {close[0]!r}?" if close else f"Known: {', '.join(names)}."


def module(kind: str, name: str) -> ModuleType:
    """The module of a part. Raises :class:`RecipeError` that says what was probably meant."""
    known = listed(kind)
    if name not in known:
        raise RecipeError(f"unknown {KINDS[kind]} {name!r}", todo=suggest(name, known))
    return importlib.import_module(known[name])


CONTRACTS: dict[str, type] = {"strategies": Strategy, "estimators": Estimator, "devices": Device}


def part(kind: str, name: str) -> Any:
    """The class of a part: the one in its module's ``__all__`` that fulfils the contract."""
    found = module(kind, name)
    for public in getattr(found, "__all__", ()):
        value = getattr(found, public)
        if inspect.isclass(value) and issubclass(value, CONTRACTS[kind]):
            return value
    what = CONTRACTS[kind].__name__
    raise RecipeError(
        f"no {what} is public in it", where=found.__name__, todo=f"Derive a class from {what} and name it in __all__."
    )


def summary(kind: str, name: str) -> str:
    """The first sentence of a part's module, read without importing it."""
    origin = importlib.util.find_spec(listed(kind)[name])
    if origin is None or origin.origin is None:
        return ""
    text = ast.get_docstring(ast.parse(Path(origin.origin).read_text(encoding="utf-8"))) or ""
    return text.splitlines()[0] if text else ""
