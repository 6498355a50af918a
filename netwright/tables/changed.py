"""The same table under other eyes: rows that are one architecture share a value, a column gets a direction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from netwright.errors import DataError, LimitError
from netwright.registry import suggest
from netwright.tables.schema import Column
from netwright.tables.table import Table

__all__ = ["classes", "declared", "merged"]


def classes(table: Table, column: str) -> list[int]:
    """The class of each row, in the order of the table's keys: rows whose values in ``column`` are equal are one class. A row
    without a value is one of its own. Raises :class:`DataError` for a column that has no single value for a row."""
    where, known = f"table {table.name}", [name for name, columns in table.families.items() if _plain(columns)]
    if column not in table.families:
        raise DataError(f"it has no column {column!r}", where=where, todo=suggest(column, known))
    if column not in known:
        todo = "Choose a column that has one value for each architecture."
        raise DataError(f"column {column!r} has several values for a row: epochs, or seeds", where=where, todo=todo)
    numbers: dict[Any, int] = {}
    values = [row if value is None or value != value else (value,) for row, value in enumerate(table.texts(column))]
    return [numbers.setdefault(value, len(numbers)) for value in values]


def _plain(columns: Sequence[Column]) -> bool:
    return len(columns) == 1 and not columns[0].curve


def merged(table: Table, column: str) -> Table:
    """The table in which every objective of a row is the mean over its class."""
    import numpy as np

    place = np.array(classes(table, column))
    sizes = int(place.max()) + 1
    columns, data = [], dict(table.stored)
    for each in table.columns:
        if each.role != "objective":
            columns.append(each)
            continue
        values = table.values(each).all(None)
        found = values[table.rows]
        known = ~np.isnan(found)
        counts, sums = np.zeros((sizes, *found.shape[1:])), np.zeros((sizes, *found.shape[1:]))
        np.add.at(counts, place, known)
        np.add.at(sums, place, np.where(known, found, 0.0))
        with np.errstate(invalid="ignore"):
            values[table.rows] = (sums / counts)[place]
        data[each.field] = values
        columns.append(replace(each, scale=1.0, missing=None))
    return Table(table.name, table.described, tuple(columns), data, table.files, table.where)


def declared(table: Table, directions: Mapping[str, str]) -> Table:
    """The table in which columns without a direction have one: name → ``maximize`` or ``minimize``."""
    for name in directions:
        if name not in table.families:
            raise LimitError(f"table {table.name} has no column {name!r}", todo=suggest(name, [*table.families]))
    columns = tuple(
        replace(each, role="objective", direction=directions[each.name]) if each.name in directions else each
        for each in table.columns
    )
    return Table(table.name, table.described, columns, table.stored, table.files, table.where)
