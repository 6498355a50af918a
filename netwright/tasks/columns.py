"""What each column of a table is, and how its cells become the numbers a network takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from netwright.errors import DataError
from netwright.tasks.labels import MISSING, number
from netwright.tasks.tables import Column, Table

__all__ = ["LEVELS", "codes", "encoded", "fitted", "front", "numbers", "parsed_dates", "raw", "understood"]

LEVELS = 64
"""Categories a column has at most; rarer ones are all zeros in its one-hot."""

DATES = ("iso", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%Y/%m/%d", "%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M", "%d.%m.%Y %H:%M")

Facts = dict[str, Any]
Floats = npt.NDArray[np.float64]


def _missing(cell: str) -> bool:
    return cell.strip().lower() in MISSING


def numbers(cells: Sequence[str], comma: bool) -> tuple[Floats, list[int]]:
    """Cells as numbers, NaN where they are missing or text, and the rows that are text."""
    try:
        values = np.array([float(cell) if cell else np.nan for cell in cells])
        if not any("_" in cell for cell in cells):
            return np.where(np.isfinite(values), values, np.nan), []
    except ValueError:
        pass
    values, odd = np.full(len(cells), np.nan), []
    for i, cell in enumerate(cells):
        try:
            values[i] = number(cell, comma)
        except ValueError:
            odd.append(i)
    return values, odd


def parsed_dates(cells: Sequence[str], formats: Sequence[str] = DATES) -> tuple[str, Floats] | None:
    """The first format that fits every cell that is not missing, and days since 1970-01-01; None where none does."""
    present = [(i, cell.strip()) for i, cell in enumerate(cells) if not _missing(cell)]
    if not present or not any(mark in present[0][1] for mark in "-/.:") or not present[0][1][0].isdigit():
        return None
    for form in formats:
        days = np.full(len(cells), np.nan)
        try:
            for i, cell in present:
                when = datetime.fromisoformat(cell) if form == "iso" else datetime.strptime(cell, form)
                days[i] = (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp() / 86400
        except ValueError:
            continue
        return form, days
    return None


def understood(name: str, column: Column, comma: bool, warnings: list[str]) -> Facts | str:
    """What a column is: {name, kind number | date | category, …}, or why it is of no use."""
    if isinstance(column, np.ndarray):
        return _number_column(name, column)
    present = [cell for cell in column if not _missing(cell)]
    if not present:
        return "is empty"
    values, odd = numbers(column, comma)
    if len(odd) <= 0.2 * len(present):
        if odd:
            first = f"the first in row {odd[0]}: {column[odd[0]][:20]!r}"
            warnings.append(f"column {name!r}: {len(odd)} cells are text where numbers were and count as missing, {first}")
        return _number_column(name, values)
    dates = parsed_dates(column)
    if dates:
        found = _number_column(name, dates[1])
        return found if isinstance(found, str) else {**found, "kind": "date", "format": dates[0]}
    levels = Counter(present)
    if len(levels) == 1 and len(present) == len(column):
        return f"is {present[0][:20]!r} in every row"
    if len(levels) > 10 and len(levels) > 0.5 * len(present):
        return f"is text with {len(levels)} different values in {len(present)} rows"
    common = sum(n for _, n in levels.most_common(LEVELS))
    if len(levels) > LEVELS and common < 0.5 * len(present):
        return f"is text with {len(levels)} different values"
    return {"name": name, "kind": "category"}


def _number_column(name: str, values: Floats) -> Facts | str:
    known = values[np.isfinite(values)]
    if not len(known):
        return "is empty"
    if known.min() == known.max() and len(known) == len(values):
        return f"is {known[0]:g} in every row"
    whole = len(known) == len(values) > 2 and bool((known == np.round(known)).all())
    if whole and len(np.unique(known)) == len(known) and known.max() - known.min() == len(known) - 1:
        plain = name.lower()
        named = plain in ("id", "index", "row") or plain.endswith(("_id", " id")) or plain.startswith("unnamed")
        if named or bool((np.diff(known) == 1).all()):
            return "counts the rows"
    return {"name": name, "kind": "number"}


def raw(column: Column, facts: Mapping[str, Any], comma: bool) -> Floats | list[str]:
    """Numbers (NaN where missing) of a number or date column; text (empty where missing) of a category column."""
    if facts["kind"] == "category":
        texts = [_number_text(v) for v in column] if isinstance(column, np.ndarray) else column
        return ["" if _missing(cell) else cell for cell in texts]
    if isinstance(column, np.ndarray):
        return column
    if facts["kind"] == "date":
        dates = parsed_dates(column, [facts["format"]])
        return dates[1] if dates else np.full(len(column), np.nan)
    return numbers(column, comma)[0]


def _number_text(value: float) -> str:
    if np.isnan(value):
        return ""
    return str(int(value)) if value == int(value) else repr(float(value))


def fitted(facts: Facts, values: Floats | list[str], rows: npt.NDArray[np.int64]) -> Facts:
    """The facts, with what is learnt from the train ``rows`` alone: fill, mean, std, or the categories."""
    if isinstance(values, list):
        levels = Counter(values[i] for i in rows)
        missing = levels.pop("", 0)
        kept = sorted(name for name, _ in sorted(levels.items(), key=lambda item: (-item[1], item[0]))[:LEVELS])
        return {**facts, "categories": kept, "missing": missing, "rare": len(levels) - len(kept)}
    train = values[rows]
    known = train[np.isfinite(train)]
    fill = float(np.median(known)) if len(known) else 0.0
    filled = np.where(np.isfinite(train), train, fill)
    std = float(filled.std())
    return {
        **facts,
        "fill": fill,
        "mean": float(filled.mean()),
        "std": std if std > 1e-12 * max(1.0, abs(fill)) else 1.0,
        "missing": int(len(train) - len(known)),
    }


def codes(values: Floats | list[str], facts: Mapping[str, Any]) -> Floats:
    """Raw numbers of a column: categories as codes from 0, −1 for one that was not in training, NaN for a missing cell."""
    if not isinstance(values, list):
        return values
    place: dict[str, float] = {name: float(i) for i, name in enumerate(facts["categories"])}
    place[""] = np.nan
    return np.array([place.get(cell, -1.0) for cell in values])


def front(facts: Sequence[Mapping[str, Any]]) -> tuple[tuple[Any, ...], ...]:
    """The ``columns`` attribute of the layer ``encode``."""
    made: list[tuple[Any, ...]] = []
    for column in facts:
        if column["kind"] == "category":
            made.append(("category", len(column["categories"])))
        else:
            made.append(("number", column["fill"], column["mean"], column["std"], *([1] if column["missing"] else [])))
    return tuple(made)


def encoded(table: Table, facts: Sequence[Mapping[str, Any]]) -> npt.NDArray[np.float32]:
    """Raw network inputs of a table's rows, columns found by name; other columns are ignored."""
    absent = [c["name"] for c in facts if c["name"] not in table.columns]
    if absent:
        more = f" and {len(absent) - 1} more" if len(absent) > 1 else ""
        raise DataError(
            f"column {absent[0]!r}{more} is missing", where=table.where, todo="Bring the columns of the training data."
        )
    made = [codes(raw(table.columns[c["name"]], c, table.comma), c) for c in facts]
    return np.stack(made, axis=1).astype(np.float32)
