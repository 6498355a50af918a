"""One search as a frozen dataclass ↔ TOML. Validates what it can without building anything."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import tomli_w

from netwright.core.metrics import parse_limit
from netwright.errors import RecipeError
from netwright.registry import plain, suggest

__all__ = ["ENVIRONMENT", "Budget", "Recipe", "environment", "parse_budget", "parse_set"]

ENVIRONMENT = {
    "NETWRIGHT_RUNS": ("runs", "folder in which runs are made"),
    "NETWRIGHT_DATA": ("../shared/data", "folder of published tables, in it or in its `nas`; a relative one beside the checkout"),
    "NETWRIGHT_MEMORY_GIB": ("", "memory limit of each worker, in GiB; empty: 80 % of what is free, shared out"),
}
"""Every environment variable that is read: name → (default, meaning)."""

_UNITS = {"s": 1.0, "sec": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_PIECE = re.compile(r"([-+]?[\d.]+)\s*(trials?|sec|min|s|m|h|d)?")


def environment(name: str) -> str:
    """The value of one of the variables of :data:`ENVIRONMENT`, or its default."""
    return os.environ.get(name) or ENVIRONMENT[name][0]


@dataclass(frozen=True)
class Budget:
    """What may be spent: ``seconds`` of wall-clock, everything included, and ``trials``; whichever ends first. None: no bound."""

    seconds: float | None = None
    trials: int | None = None

    def __str__(self) -> str:
        parts = [f"{self.seconds:g} s"] * (self.seconds is not None) + [f"{self.trials} trials"] * (self.trials is not None)
        return " and ".join(parts) or "no bound"

    def extended(self, more: Budget) -> Budget:
        """With more of what is bounded."""
        seconds = self.seconds if more.seconds is None else (self.seconds or 0.0) + more.seconds
        trials = self.trials if more.trials is None else (self.trials or 0) + more.trials
        return Budget(seconds, trials)


def parse_budget(*texts: str) -> Budget:
    """Read ``90s``, ``1h30m``, ``200 trials``, or several joined by commas. Raises :class:`RecipeError`."""
    seconds: float | None = None
    trials: int | None = None
    for text in (piece.strip() for joined in texts for piece in joined.split(",")):
        body = text.removeprefix("+").strip()
        pieces = _PIECE.findall(body)
        if not body or "".join("".join(p) for p in pieces) != body.replace(" ", ""):
            raise RecipeError(f"budget {text!r} cannot be read", todo='Write "90s", "10m", "2h", "200 trials", or two of them.')
        for number, unit in pieces:
            try:
                amount = float(number)
            except ValueError:
                raise RecipeError(f"budget {text!r}: {number!r} is not a number", todo='Write "90s" or "200 trials".') from None
            if not unit:
                raise RecipeError(f"budget {text!r} has no unit", todo=f'Write "{number}s", "{number}m" or "{number} trials".')
            if amount <= 0:
                raise RecipeError(f"budget {text!r} is not positive", todo='Write for instance "90s" or "200 trials".')
            if unit.startswith("trial"):
                if amount != int(amount):
                    raise RecipeError(
                        f"budget {text!r} is not a whole number of trials", todo=f'Write "{int(amount) + 1} trials".'
                    )
                trials = (trials or 0) + int(amount)
            else:
                seconds = (seconds or 0.0) + amount * _UNITS[unit]
    return Budget(seconds, trials)


def parse_set(texts: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Read ``strategy.population=50`` and the like into part → option → value (numbers and true/false are recognised)."""
    options: dict[str, dict[str, Any]] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        kind, dot, option = name.strip().partition(".")
        if not equals or not dot or not option:
            raise RecipeError(f"setting {text!r} cannot be read", todo='Write it as "strategy.population=50".')
        if kind not in Recipe.PARTS:
            raise RecipeError(f"setting {text!r}: no part is called {kind!r}", todo=suggest(kind, Recipe.PARTS))
        options.setdefault(kind, {})[option] = plain(value)
    return options


@dataclass(frozen=True)
class Recipe:
    """One search. Names are those of the parts; ``options`` maps a part to its settings; empty means: choose and say so."""

    data: str = ""
    table: str = ""
    target: str = ""
    test: str = ""
    split_by: str = ""
    space: str = ""
    strategy: str = "auto"
    estimator: str = "train"
    device: str = "cpu"
    objectives: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()
    budget: Budget = field(default_factory=Budget)
    seed: int = 0
    workers: int = 0
    start_with: str = ""
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    PARTS = ("strategy", "space", "estimator", "device", "task", "control")  # not a field: no annotation

    def checked(self) -> Recipe:
        """The same recipe, or a :class:`RecipeError` (or :class:`LimitError`) about the first thing that cannot be."""
        if self.table and self.data:
            raise RecipeError(f"both data ({self.data}) and a table ({self.table}) are given", todo="A table has its own data.")
        for limit in self.limits if not self.table else ():  # a table's metrics are its own
            parse_limit(limit)
        if self.workers < 0:
            raise RecipeError(f"{self.workers} workers cannot be", todo="Use --workers 1 or more; 0 chooses.")
        if not 0 <= self.seed < 2**63:
            raise RecipeError(f"seed {self.seed} cannot be", todo="Use a whole number from 0.")
        return self

    def with_options(self, options: Mapping[str, Mapping[str, Any]]) -> Recipe:
        merged = {kind: {**self.options.get(kind, {}), **options.get(kind, {})} for kind in {*self.options, *options}}
        return replace(self, options=merged)

    def of(self, part: str) -> dict[str, Any]:
        """The settings of a part."""
        return dict(self.options.get(part, {}))

    def to_json(self) -> dict[str, Any]:
        """Only what differs from the defaults, plus the names of the parts."""
        plain = asdict(self)
        plain["budget"] = {k: v for k, v in plain["budget"].items() if v is not None}
        plain["objectives"], plain["limits"] = list(self.objectives), list(self.limits)
        plain["options"] = {kind: dict(values) for kind, values in self.options.items() if values}
        always = {"data", "space", "strategy", "estimator", "device", "objectives", "limits", "budget", "seed"}
        return {k: v for k, v in plain.items() if k in always or v not in ("", 0, {}, [])}

    @classmethod
    def from_json(cls, data: Mapping[str, Any], *, where: str = "recipe") -> Recipe:
        """Read a recipe. Raises :class:`RecipeError` for a key that no recipe has, or a value of the wrong kind."""
        known = {f.name: f for f in fields(cls)}
        given = dict(data)
        for key in given:
            if key not in known:
                raise RecipeError(f"no setting is called {key!r}", where=where, todo=suggest(key, known))
        budget = given.pop("budget", {})
        try:
            if isinstance(budget, str):
                budget = parse_budget(budget)
            elif isinstance(budget, list):
                budget = parse_budget(*budget)
            else:
                budget = Budget(**budget)
            for key in ("objectives", "limits"):
                value = given.get(key, ())
                given[key] = (value,) if isinstance(value, str) else tuple(str(v) for v in value)
            for key in ("seed", "workers"):
                given[key] = int(given.get(key, 0))
        except (TypeError, ValueError) as error:
            raise RecipeError(f"a value cannot be read ({error})", where=where, todo="See docs/recipes.md.") from None
        return cls(budget=budget, **given).checked()

    def to_toml(self) -> str:
        return tomli_w.dumps(self.to_json())

    @classmethod
    def from_toml(cls, path: Path) -> Recipe:
        try:
            return cls.from_json(tomllib.loads(path.read_text(encoding="utf-8")), where=str(path))
        except FileNotFoundError:
            raise RecipeError("no such recipe file", where=str(path), todo="Check the path.") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise RecipeError(f"not a TOML file ({error})", where=str(path), todo="See docs/recipes.md.") from None
