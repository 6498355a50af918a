"""The numbers of a table: one column's, row by row or all at once, and what a metric's name asks for among the columns."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from netwright.errors import DataError
from netwright.tables.schema import Column

__all__ = ["Asked", "Values"]


class Values:
    """The numbers of one column, as stored: one for each row, or, for a curve, one for each row and epoch."""

    def __init__(self, column: Column, stored: Any, where: str) -> None:
        import numpy as np

        self.column, self._scale = column, column.scale
        if hasattr(stored, "combine_chunks"):
            stored = _curves(stored) if column.curve else _numbers(stored, column, where)
        if stored.dtype.kind not in "fiub" or stored.ndim != 1 + column.curve:
            raise DataError(f"column {column.field!r} holds no {'curves' if column.curve else 'numbers'}", where=where)
        if stored.dtype.kind == "f" and np.isinf(stored).any():
            raise DataError(f"column {column.field!r} holds infinite numbers", where=where, todo="Leave out what is not known.")
        self._stored = stored

    def at(self, row: int, epochs: int | None = None) -> float:
        """The value of a row; NaN where it is missing. ``epochs``: of a curve, after so many."""
        if not self.column.curve:
            return self._read(self._stored[row])
        length = self.length(row)
        wanted = epochs or length
        if not length or (wanted > length and not self.column.own_length):
            return float("nan")
        return self._read(self._stored[row, min(wanted, length) - 1])

    def _read(self, value: Any) -> float:
        number = float(value)
        return float("nan") if number == self.column.missing else number * self._scale

    def length(self, row: int) -> int:
        """Epochs of a row's curve."""
        return int(self._lengths[row])

    @cached_property
    def _lengths(self) -> Any:
        import numpy as np

        known = ~np.isnan(self.all(None))
        return np.where(known.any(axis=1), known.shape[1] - known[:, ::-1].argmax(axis=1), 0)

    def all(self, epochs: int | None = None) -> Any:
        """Every row as floats, missing values NaN; of a curve the values after ``epochs``, or all where none is given."""
        import numpy as np

        stored = self._stored
        if self.column.curve and epochs is not None:
            last = np.clip(np.minimum(self._lengths, epochs) - 1, 0, None)
            stored = stored[np.arange(len(stored)), last]
        read = stored.astype(np.float64)
        if self.column.curve and epochs is not None and not self.column.own_length:
            read[self._lengths < epochs] = np.nan
        if self.column.missing is not None:
            read[stored == self.column.missing] = np.nan
        return read * self._scale


def _numbers(stored: Any, column: Column, where: str) -> Any:
    import pyarrow

    try:
        return stored.cast(pyarrow.float64()).combine_chunks().to_numpy(zero_copy_only=False)
    except (pyarrow.ArrowInvalid, pyarrow.ArrowNotImplementedError):
        raise DataError(f"column {column.field!r} holds no numbers", where=where, todo="Describe it as info.") from None


def _curves(stored: Any) -> Any:
    """Lists of unequal length as a rectangle, NaN at the ends."""
    import numpy as np

    rows = [np.asarray([] if row is None else row, dtype=np.float64) for row in stored.to_pylist()]
    filled = np.full((len(rows), max(map(len, rows))), np.nan)
    for k, row in enumerate(rows):
        filled[k, : len(row)] = row
    return filled


@dataclass(frozen=True)
class Asked:
    """What a metric's name asks for: columns of one name, at one budget or at the fidelity's, of one seed or their mean."""

    name: str
    columns: tuple[Column, ...]
    budget: int | None = None
    seed: int | None = None

    @property
    def text(self) -> str:
        budget = "" if self.budget is None else f"@{self.budget}"
        return f"{self.name}{budget}" + ("" if self.seed is None else f"#{self.seed}")

    @property
    def budgets(self) -> tuple[int, ...]:
        """Epochs after which there are values; empty for a curve, and where it does not depend on them."""
        if self.budget is not None:
            return (self.budget,)
        return tuple(sorted({column.budget for column in self.columns if column.budget is not None}))

    def at(self, epochs: int) -> list[Column]:
        """The columns that hold the value after so many epochs: those of the largest budget that was paid for."""
        paid = [budget for budget in self.budgets if budget <= epochs]
        wanted = max(paid, default=None)
        return [
            column
            for column in self.columns
            if (column.curve or column.budget == wanted or column.budget is None) and self.seed in (None, column.seed)
        ]
