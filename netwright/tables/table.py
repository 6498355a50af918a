"""A table in memory: from an architecture to its row, from a metric's name to its value at a budget, and what it cost."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

from netwright.core.architecture import Answer, Architecture
from netwright.core.metrics import Metric
from netwright.core.space import Space
from netwright.errors import DataError, LimitError, NetwrightError
from netwright.registry import module, suggest
from netwright.tables.schema import Column, Description
from netwright.tables.values import Asked, Values

__all__ = ["Data", "Table"]

Data = dict[str, Any]
"""Column → Arrow column, or numpy array."""

_ASKED = re.compile(r"(.+?)(?:@(\d+))?(?:#(\d+))?")


class Table:
    """A described table. ``where`` is what messages call it."""

    def __init__(
        self, name: str, described: Description, columns: tuple[Column, ...], data: Data, files: tuple[Path, ...], where: str
    ) -> None:
        self.name, self.described, self.columns, self.files, self.where = name, described, columns, files, where
        self.stored, self._values = data, dict[str, Values]()
        self.space, self.settings, self.signature = described.space, dict(described.settings), described.signature
        self._raw: dict[str, list[Any]] = {}
        self.keys, self.dropped = self._keys()
        self._place = {key: row for row, key in zip(self.rows, self.keys, strict=True)}

    def __len__(self) -> int:
        """Distinct architectures."""
        return len(self.keys)

    # ---- rows --------------------------------------------------------------------------------------------------------

    def _keys(self) -> tuple[list[tuple[Any, ...]], int]:
        """The key of every row that counts. Raises :class:`DataError` for a missing or doubled one."""
        parts = []
        for name in self.described.key:
            texts = self.stored[name].to_pylist()
            for row, text in enumerate(texts):
                if text is None or text != text:
                    raise DataError(f"row {row} has no {name}", where=self.where, todo="Every row names its architecture.")
            if name in self.described.json:
                self._raw[name] = [_parsed(text, name, row, self.where) for row, text in enumerate(texts)]
                texts = [_plain(value) for value in self._raw[name]]
            parts.append(texts)
        keys = list(zip(*parts, strict=True))
        counts = Counter(keys)
        if len(counts) < len(keys) and self.described.doubled == "error":
            twice = next(key for key, count in counts.items() if count > 1)
            what = f"{len(keys) - len(counts)} rows are doubled, the first of {self.shown(twice)}"
            raise DataError(what, where=self.where, todo='Keep one row for each architecture, or say doubled = "first".')
        first: dict[tuple[Any, ...], int] = {}
        for row, key in enumerate(keys):
            first.setdefault(key, row)
        self.rows = list(first.values())
        return list(first), len(keys) - len(first)

    def key_of(self, row: int) -> tuple[Any, ...]:
        """The key of a row."""
        return self.keys[self._places[row]]

    @cached_property
    def _places(self) -> dict[int, int]:
        return {row: place for place, row in enumerate(self.rows)}

    def shown(self, key: Sequence[Any]) -> str:
        """A key as people write it."""
        return ", ".join(f"{name} {value!r}" for name, value in zip(self.described.key, key, strict=True))[:160]

    @cached_property
    def _module(self) -> ModuleType:
        try:
            found = module("spaces", self.space)
        except NetwrightError as error:
            raise DataError(error.what, where=self.where, todo=error.todo) from None
        if not hasattr(found, "trace"):
            raise DataError(f"space {self.space} has no trace()", where=self.where, todo="See docs/tables.md.")
        return found

    def whole_space(self) -> Space:
        """The space that its rows are members of."""
        made: Space = self._module.space(self.signature, **self.settings)
        return made

    def named(self, place: int) -> dict[str, Any]:
        """Key column → value, as ``trace(row)`` of the space takes it. ``place``: among :attr:`keys`."""
        row, key = self.rows[place], self.keys[place]
        return {n: self._raw[n][row] if n in self._raw else value for n, value in zip(self.described.key, key, strict=True)}

    @cached_property
    def traces(self) -> list[dict[str, Answer]]:
        """The decisions that lead to each row. Raises :class:`DataError` for a key that does not fit the space."""
        found = []
        for place, key in enumerate(self.keys):
            try:
                found.append(self._module.trace(self.named(place)))
            except (NetwrightError, ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
                told = error.what if isinstance(error, NetwrightError) else f"{self.shown(key)} ({type(error).__name__})"
                what = f"row {self.rows[place]} does not fit space {self.space}: {told}"
                raise DataError(what, where=self.where, todo="Correct its key, or the settings of the space.") from None
        return found

    def find(self, architecture: Architecture) -> int:
        """The row of an architecture. A miss is a :class:`DataError`, never a value."""
        key = None
        if hasattr(self._module, "row"):
            given = self._module.row(architecture)
            key = tuple(_plain(given[n]) if n in self._raw else given[n] for n in self.described.key)
            if (row := self._place.get(key)) is not None:
                return row
        row = self._by_trace.get(frozenset(architecture.trace))  # a row may spell out what means nothing
        if row is None:
            shown = self.shown(key) if key else str(architecture.decisions)
            raise DataError(f"no row with {shown}", where=f"table {self.name}", todo="It was not measured.")
        return row

    @cached_property
    def _by_trace(self) -> dict[frozenset[tuple[str, Answer]], int]:
        rows = zip(self.traces, self.rows, strict=True)
        return {frozenset(trace.items()): row for trace, row in reversed([*rows])}  # the first of equal ones

    # ---- metrics -----------------------------------------------------------------------------------------------------

    @cached_property
    def families(self) -> dict[str, tuple[Column, ...]]:
        """Name → its columns, for all budgets and seeds."""
        found: dict[str, list[Column]] = {}
        for column in self.columns:
            found.setdefault(column.name, []).append(column)
        return {name: tuple(columns) for name, columns in found.items()}

    @cached_property
    def _fields(self) -> dict[str, Column]:
        return {column.field: column for column in self.columns}

    def asked(self, text: str) -> Asked:
        """What a name asks for: ``cifar10.val_acc``, ``cifar10.val_acc@200``, ``val_acc@25#0``, or a Parquet column's own name.

        Raises :class:`LimitError` for a name that is not there, or is no objective."""
        column = self._fields.get(text)
        if column is not None and column.full != text and text not in self.families:
            text = column.full
        match = _ASKED.fullmatch(text)
        name, budget, seed = (match[1], match[2], match[3]) if match else (text, None, None)
        if text in self.families:
            name, budget, seed = text, None, None
        found = self.families.get(name, ())
        asked = Asked(name, found, None if budget is None else int(budget), None if seed is None else int(seed))
        self._check(asked, text)
        return asked

    def _check(self, asked: Asked, text: str) -> None:
        objectives = [name for name, columns in self.families.items() if columns[0].role == "objective"]
        if not asked.columns:
            raise LimitError(f"table {self.name} has no column {text!r}", todo=suggest(text, self.names))
        if asked.columns[0].role != "objective":
            what = f"column {asked.name!r} of table {self.name} is {asked.columns[0].role}, no objective"
            raise LimitError(what, todo=f"Objectives: {', '.join(objectives[:8])}.")
        budgets = {column.budget for column in asked.columns}
        curve = any(column.curve for column in asked.columns)
        if asked.budget is not None and asked.budget not in budgets and not curve:
            known = ", ".join(f"{asked.name}@{budget}" for budget in sorted(b for b in budgets if b is not None)) or asked.name
            raise LimitError(f"table {self.name} has no {text!r}", todo=f"It has {known}.")
        if asked.budget is not None and curve and not 1 <= asked.budget <= self.epochs:
            raise LimitError(f"table {self.name} has no {text!r}", todo=f"Its curves go from @1 to @{self.epochs}.")
        if asked.seed is not None and asked.seed not in {column.seed for column in asked.columns}:
            known = ", ".join(f"#{seed}" for seed in sorted({c.seed for c in asked.columns if c.seed is not None}))
            raise LimitError(f"table {self.name} has no {text!r}", todo=f"Its repetitions: {known}." if known else "It has one.")

    @cached_property
    def default(self) -> str:
        """The objective where none is named: the table's own, else its first on validation data, at its largest budget."""
        if self.described.default:
            return self.described.default
        objectives = [column for column in self.columns if column.role == "objective"]
        if not objectives:
            raise DataError("it has no objective", where=self.where, todo="Give a column a direction; see docs/tables.md.")
        first = next((column for column in objectives if column.split == "validation"), objectives[0])
        budgets = [column.budget for column in self.families[first.name] if column.budget is not None]
        return f"{first.name}@{max(budgets)}" if budgets else first.name

    @cached_property
    def names(self) -> list[str]:
        """Every objective as `describe` prints it, at each of its budgets, without seeds."""
        found: dict[str, None] = {}
        for column in self.columns:
            if column.role == "objective":
                found.setdefault(column.name if column.budget is None else f"{column.name}@{column.budget}")
        return list(found)

    def spellings(self) -> list[str]:
        """Every name that asks for an objective: of each budget and each seed."""
        found = []
        for name, columns in self.families.items():
            if columns[0].role == "objective":
                curve = any(column.curve for column in columns)
                budgets = range(1, self.epochs + 1) if curve else Asked(name, columns).budgets
                seeds = sorted({column.seed for column in columns if column.seed is not None})
                for base in (name, *(f"{name}@{budget}" for budget in budgets)):
                    found += [base, *(f"{base}#{seed}" for seed in seeds)]
        return found

    def metric(self, text: str) -> Metric:
        """The metric of a name. Raises as :meth:`asked` does."""
        asked = self.asked(text)
        first = asked.columns[0]
        direction: Any = first.direction
        return Metric(asked.text, direction, "tabled", first.unit, f"{first.split or 'measured'}, table {self.name}")

    def values(self, column: Column) -> Values:
        """The numbers of a column."""
        if column.field not in self._values:
            self._values[column.field] = Values(column, self.stored[column.field], self.where)
        return self._values[column.field]

    def distinct(self, column: Column) -> int | None:
        """How many different values a column of text or whole numbers has: classes of equal graphs, for one."""
        stored = self.stored[column.field]
        kind = str(stored.type) if hasattr(stored, "type") else ""
        return len(stored.unique()) if kind in ("string", "large_string", "bool") or kind.startswith(("int", "uint")) else None

    def texts(self, name: str) -> list[Any]:
        """A column as it stands in the file, in the order of :attr:`keys`."""
        stored = self.stored[self.families[name][0].field].to_pylist()
        return [stored[row] for row in self.rows]

    def value(self, row: int, asked: Asked, epochs: int) -> float:
        """The value of a row after so many epochs, the mean of its seeds; NaN where it is missing."""
        epochs = asked.budget or epochs
        found = [self.values(column).at(row, epochs) for column in asked.at(epochs)]
        known = [value for value in found if value == value]
        return sum(known) / len(known) if known else float("nan")

    def everywhere(self, asked: Asked, epochs: int | None = None) -> Any:
        """The values of all architectures, in the order of :attr:`keys`; NaN where missing."""
        import numpy as np

        epochs = asked.budget or epochs or self.epochs
        found = np.array([self.values(column).all(epochs) for column in asked.at(epochs)])[:, self.rows]
        known = ~np.isnan(found)
        with np.errstate(invalid="ignore"):
            mean: Any = np.where(known, found, 0.0).sum(axis=0) / known.sum(axis=0)
        return mean

    # ---- budgets and costs ---------------------------------------------------------------------------------------------

    @cached_property
    def epochs(self) -> int:
        """The longest training among the objectives; 1 where no budget is known."""
        budgets = [column.budget or 0 for column in self.columns if column.role == "objective"]
        curves = [self.values(c).all(None).shape[1] for c in self.columns if c.curve and c.role == "objective"]
        return int(max([1, *budgets, *curves]))

    def schedule(self, row: int) -> int:
        """Epochs of the row's own full training."""
        lengths = [self.values(c).length(row) for c in self.columns if c.own_length and c.role == "objective"]
        return max(lengths, default=0) or self.epochs

    @cached_property
    def costs(self) -> tuple[Column, ...]:
        """The columns that say what training cost; empty where the table does not know."""
        return tuple(column for column in self.columns if column.role == "cost")

    def seconds(self, row: int, epochs: int, dataset: str = "", seed: int | None = None, unknown: float = 1.0) -> float:
        """Seconds of training a row for so many epochs, from the start. ``unknown``: of a full training, where no column says."""
        fitting = [c for c in self.costs if c.dataset in ("", dataset) and (seed is None or c.seed in (None, seed))]
        found = [self._cost(column, row, epochs) for column in fitting]
        known = [seconds for seconds in found if seconds == seconds]
        if known:
            return sum(known) / len(known)
        return unknown * min(1.0, epochs / self.epochs)

    def _cost(self, column: Column, row: int, epochs: int) -> float:
        values = self.values(column)
        if column.curve:
            return float(sum(values.at(row, epoch) for epoch in range(1, min(epochs, values.length(row)) + 1)) or float("nan"))
        whole = column.budget or self.schedule(row)
        return values.at(row) * min(1.0, epochs / whole)


def _parsed(text: Any, name: str, row: int, where: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, TypeError):
        raise DataError(f"row {row}: {name} is not JSON: {str(text)[:60]!r}", where=where, todo="Correct it.") from None


def _plain(value: Any) -> str:
    """JSON as one text, whatever the order in which it was written."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
