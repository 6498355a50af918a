"""The name you type is the file you open: parts are found by listing a wing's folder, others by entry points."""

from __future__ import annotations

import ast
import difflib
import importlib
import importlib.util
import inspect
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

from netwright.core.contracts import Device, Estimator, Strategy, Surrogate
from netwright.errors import RecipeError

__all__ = ["KINDS", "Named", "listed", "module", "named", "nested", "part", "plain", "suggest", "summary"]

KINDS: dict[str, str] = {
    "strategies": "strategy",
    "surrogates": "surrogate",
    "peers": "peer",
    "spaces": "space",
    "estimators": "estimator",
    "devices": "device",
    "layers": "layer",
}
"""Wings whose files are parts, and what one of them is called."""

_NOT_PARTS = {"__init__", "base", "candidates", "canonical", "counts", "elastic", "improvement", "isomorphism", "scopes"}


@cache
def listed(kind: str) -> dict[str, str]:
    """Name → module of every part of a kind, Netwright's own and those that other packages bring as entry points
    (group ``netwright.strategies`` and so on)."""
    folder = Path(__file__).parent / kind
    own = {p.stem: f"netwright.{kind}.{p.stem}" for p in sorted(folder.glob("*.py"))}
    found = {name: path for name, path in own.items() if name not in _NOT_PARTS and not name.startswith("_")}
    return {**{point.name: point.value for point in entry_points(group=f"netwright.{kind}")}, **found}


MOST_NAMED = 30
"""Names that an error lists at most."""


def suggest(name: str, known: Any) -> str:
    """``Did you mean 'evolution'?``, or the list of what there is."""
    names = list(known)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    if close:
        return f"Did you mean {close[0]!r}?"
    shown = ", ".join(names[:MOST_NAMED]) + (f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else "")
    return f"Known: {shown}." if names else "There is none."


def module(kind: str, name: str) -> ModuleType:
    """The module of a part. Raises :class:`RecipeError` that says what was probably meant."""
    known = listed(kind)
    if name not in known:
        raise RecipeError(f"unknown {KINDS[kind]} {name!r}", todo=suggest(name, known))
    return importlib.import_module(known[name])


# ---- how parts are named in one text ------------------------------------------------------------------------------------

_PART = re.compile(r"\s*([\w./-]+)\s*(?:\[([^][]*)\])?\s*(?:\((.*)\))?\s*", re.DOTALL)


@dataclass(frozen=True)
class Named:
    """One part of ``asha[eta=4](bayes)``: its name and the settings given with it."""

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)


def nested(text: str, kind: str) -> list[Named]:
    """Read ``asha[eta=4](bayes[surrogate=forest])``: the outermost part first. Settings are separated by commas; numbers and
    true/false are recognised. Raises :class:`RecipeError`."""
    found: list[Named] = []
    rest: str | None = text
    while rest is not None:
        match = _PART.fullmatch(rest)
        if not match:
            raise RecipeError(f"{kind} {text!r} cannot be read", todo='Write "name", "name[setting=value]" or "outer(inner)".')
        found.append(Named(match[1], _settings(match[2] or "", text, kind)))
        rest = match[3]
    return found


def _settings(text: str, whole: str, kind: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for piece in filter(None, (piece.strip() for piece in text.split(","))):
        name, equals, value = (side.strip() for side in piece.partition("="))
        if not name or not equals or not value:
            raise RecipeError(f"{kind} {whole!r}: {piece!r} is no setting", todo='Write it as "name[setting=value]".')
        if name in found:
            raise RecipeError(f"{kind} {whole!r}: {name} is set twice", todo="Set it once.")
        found[name] = plain(value)
    return found


def plain(text: str) -> Any:
    """A number, true or false where the text is one, else the text."""
    try:
        return tomllib.loads(f"v = {text.strip()}")["v"]
    except tomllib.TOMLDecodeError:
        return text.strip()  # a bare word


def named(text: str) -> list[str]:
    """Split a list at the commas between parts: ``random,evolution[population=50,tournament=5],asha(bayes)``."""
    found, depth, start = list[str](), 0, 0
    for place, sign in enumerate(text):
        depth += (sign in "[(") - (sign in "])")
        if sign == "," and depth == 0:
            found.append(text[start:place].strip())
            start = place + 1
    return [*found, text[start:].strip()]


CONTRACTS: dict[str, type] = {
    "strategies": Strategy,
    "surrogates": Surrogate,
    "peers": Strategy,
    "estimators": Estimator,
    "devices": Device,
}


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
