"""The target: classes or numbers, inferred and said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from netwright.core.architecture import Attrs
from netwright.errors import DataError

__all__ = ["MISSING", "Labels", "number", "read_labels"]

MISSING = frozenset({"", "?", "-", "na", "n/a", "#n/a", "nan", "null", "none"})
"""Texts that stand for a missing cell, in small letters."""

FEW = 20
"""A target of whole numbers with more different values than this is a regression."""

Array = npt.NDArray[Any]


def number(cell: Any, comma: bool = False) -> float:
    """A cell as a number; NaN where it is missing or infinite. Raises ValueError where it is text."""
    text = str(cell).strip()
    if text.lower() in MISSING:
        return float("nan")
    if "_" in text:  # float() would take 1_000
        raise ValueError(text)
    value = float(text.replace(",", ".") if comma else text)
    return value if np.isfinite(value) else float("nan")


@dataclass
class Labels:
    """``y`` of the rows in ``rows`` (those whose target is not missing): class numbers, or targets."""

    kind: str
    y: Array
    rows: npt.NDArray[np.int64]
    classes: tuple[str, ...]
    inferred: str
    facts: dict[str, Any]
    warnings: list[str] = field(default_factory=list)

    def back(self, y: Array) -> tuple[tuple[str, Attrs], ...]:
        """The frame's back: from standardised by the train rows ``y`` to the target's own unit."""
        if self.kind == "classification":
            return ()
        std = float(np.std(y))
        return (("rescale", (("mean", (float(np.mean(y)),)), ("std", (std if std > 0 else 1.0,)))),)

    def apply(self, values: Sequence[Any] | Array, where: str, named: bool = False) -> tuple[Array, npt.NDArray[np.int64]]:
        """Another set's targets in the same terms, and the rows that have one. ``named``: none is missing."""
        if self.kind == "regression":
            y, _ = _numbers(values)
            rows = np.flatnonzero(np.isfinite(y))
            return y[rows], rows
        texts: list[str | None] = [str(v) for v in values] if named else _texts(values)
        rows = np.flatnonzero([text is not None for text in texts])
        known = {name: i for i, name in enumerate(self.classes)}
        odd = sorted({str(texts[i]) for i in rows if texts[i] not in known})
        if odd:
            todo = f"Classes of the data: {', '.join(self.classes[:10])}{' …' if len(self.classes) > 10 else ''}."
            raise DataError(f"class {odd[0]!r} is not in the data", where=where, todo=todo)
        return np.array([known[str(texts[i])] for i in rows], dtype=np.int64), rows


def _text(value: Any) -> str | None:
    """A class as text: whole numbers without a point, missing as None."""
    if isinstance(value, (float, np.floating)):
        if np.isnan(value):
            return None
        return str(int(value)) if value == int(value) else str(value)
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    return None if text.strip().lower() in MISSING - {"none", "-"} else text.strip()


def _texts(values: Sequence[Any] | Array) -> list[str | None]:
    return [_text(v) for v in (values.tolist() if isinstance(values, np.ndarray) else values)]


def _numbers(values: Sequence[Any] | Array) -> tuple[npt.NDArray[np.float64], int]:
    """Values as numbers, NaN for missing ones and for text, and how many were text."""
    if isinstance(values, np.ndarray) and values.dtype.kind in "iufb":
        y = values.astype(np.float64)
        return np.where(np.isfinite(y), y, np.nan), 0
    y, odd = np.full(len(values), np.nan), 0
    for i, value in enumerate(values):
        try:
            y[i] = number(value)
        except ValueError:
            odd += 1
    return y, odd


def _order(name: str) -> tuple[int, float, str]:
    """Classes that are numbers by size, others by name."""
    try:
        return 0, float(name), name
    except ValueError:
        return 1, 0.0, name


def read_labels(
    values: Sequence[Any] | Array, where: str, *, name: str = "the target", classes: Sequence[str] = (), kind: str | None = None
) -> Labels:
    """Read the target. ``classes``: names of the class numbers in ``values``. ``kind`` None: inferred."""
    if kind not in (None, "classification", "regression"):
        raise DataError(f"unknown task {kind!r}", todo="Known: classification, regression.")
    if classes:
        values = [classes[int(v)] for v in values]
    y, odd = _numbers(values)
    finite = y[np.isfinite(y)]
    few = len(np.unique(finite))
    inferred = ""
    if kind is None:
        broken = bool((finite != np.round(finite)).any())
        numeric = len(finite) > 0 and odd <= 0.2 * (odd + len(finite)) and not (odd and few <= FEW)
        kind = "regression" if numeric and few > (10 if broken else FEW) else "classification"
        inferred = f"regression: {name} is a number with {few} distinct values"
    if kind == "regression":
        return _regression(y, odd, where, name, inferred)
    return _classification(values, where, name, tuple(classes), inferred)


def _regression(y: npt.NDArray[np.float64], odd: int, where: str, name: str, inferred: str) -> Labels:
    rows = np.flatnonzero(np.isfinite(y))
    if not len(rows) or odd > 0.2 * len(y):
        raise DataError(
            f"{name} is not a number in {len(y) - len(rows)} of {len(y)} rows", where=where, todo="Is it a classification?"
        )
    if y[rows].min() == y[rows].max():
        raise DataError(f"{name} is {y[rows[0]]:g} in every row", where=where, todo="There is nothing to predict.")
    facts = {
        "missing": len(y) - len(rows),
        "min": float(y[rows].min()),
        "max": float(y[rows].max()),
        "mean": float(y[rows].mean()),
    }
    return Labels("regression", y[rows], rows, (), inferred, facts, _left_out(len(y), rows, name))


def _classification(values: Sequence[Any] | Array, where: str, name: str, given: tuple[str, ...], inferred: str) -> Labels:
    texts = [str(v) for v in values] if given else _texts(values)  # a folder may be called "na"
    rows = np.flatnonzero([text is not None for text in texts])
    counts = Counter(str(texts[i]) for i in rows)
    classes = tuple(c for c in given if counts[c]) if given else tuple(sorted(counts, key=_order))
    if not classes:
        raise DataError(f"{name} is missing in every row", where=where, todo="Name another target column.")
    if len(classes) == 1:
        raise DataError(
            f"one class only: {name} is {classes[0]!r} in every row", where=where, todo="A classifier needs two or more."
        )
    if len(classes) > 50 and len(classes) > len(rows) / 3:
        raise DataError(
            f"{name} has {len(classes)} distinct values in {len(rows)} rows, too many for classes",
            where=where,
            todo="Is it an identifier? Name another target column.",
        )
    place = {c: i for i, c in enumerate(classes)}
    y = np.array([place[str(texts[i])] for i in rows], dtype=np.int64)
    said = f"classification: {name} has {len(classes)} classes" if inferred else ""
    facts = {"missing": len(texts) - len(rows), "counts": {c: counts[c] for c in classes}}
    return Labels("classification", y, rows, classes, said, facts, _left_out(len(texts), rows, name))


def _left_out(total: int, rows: Array, name: str) -> list[str]:
    gone = total - len(rows)
    return [f"{gone} of {total} rows were left out: {name} is missing there or is no number"] if gone else []
