"""What a bench is asked to do: a problem over a table, the strategies, the seeds. Plain data, kept with its results."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from netwright.errors import RecipeError
from netwright.recipe import parse_budget

__all__ = ["Budget", "Plan", "parse"]

Unit = Literal["queries", "epochs", "seconds"]

_COUNT = re.compile(r"\s*(\d{1,3}(?:[,_]\d{3})+|\d+)\s*(quer(?:y|ies)|trials?|epochs?)?\s*")


@dataclass(frozen=True)
class Budget:
    """What each search may spend: queries of the table, epochs of training, or seconds of simulated time."""

    amount: float
    unit: Unit = "queries"

    def __str__(self) -> str:
        return f"{self.amount:,.0f} {self.unit}"


def parse(text: str) -> Budget:
    """Read ``150``, ``150 trials``, ``5000 epochs``, or simulated time: ``20h``. Raises :class:`RecipeError`."""
    match = _COUNT.fullmatch(text)
    if not match:
        try:
            seconds = parse_budget(text).seconds
        except RecipeError:
            seconds = None
        if seconds is None:
            raise RecipeError(f"budget {text!r} cannot be read", todo='Write "150", "5000 epochs" or "20h".')
        return Budget(seconds, "seconds")
    number, unit = match[1].replace(",", "").replace("_", ""), match[2] or ""
    try:
        amount = int(number)
    except ValueError:
        amount = 0
    if amount < 1:
        raise RecipeError(f"budget {text!r} is no whole number from 1", todo='Write "150", "5000 epochs" or "20h".')
    return Budget(amount, "epochs" if unit.startswith("epoch") else "queries")


@dataclass(frozen=True)
class Plan:
    """``objectives`` and ``limits`` as a recipe has them. ``distinct``: the column whose equal values make one architecture.
    ``within``: what comes as near to the best counts as found. ``first``: of the seeds."""

    table: str
    strategies: tuple[str, ...]
    objectives: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()
    distinct: str = ""
    budget: Budget = Budget(150)
    within: float = 0.0
    first: int = 0
    seeds: int = 20

    def problem(self) -> dict[str, Any]:
        """What may not change where a bench goes on; more strategies and more seeds may come."""
        told = self.to_json()
        return {name: told[name] for name in ("table", "objectives", "limits", "distinct", "budget")}

    def to_json(self) -> dict[str, Any]:
        plain = asdict(self)
        return {**plain, **{name: list(plain[name]) for name in ("strategies", "objectives", "limits")}}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Plan:
        lists = {name: tuple(data[name]) for name in ("strategies", "objectives", "limits")}
        return cls(**{**data, **lists, "budget": Budget(**data["budget"])})
