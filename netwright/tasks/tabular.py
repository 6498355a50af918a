"""Tables: columns understood, split, and measured on the train rows, to a task with raw numbers and category codes."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from netwright.core.architecture import Frame, Signature, Tensor
from netwright.errors import DataError
from netwright.tasks import columns as cols
from netwright.tasks.arrays import ArrayTask, Part
from netwright.tasks.labels import Labels, read_labels
from netwright.tasks.split import SHARES, Parts, contents, split_by_time, split_rows
from netwright.tasks.tables import Column, Table

__all__ = ["table_task"]

TIMES = ("time", "date", "datetime", "timestamp", "year", "epoch")
Array = npt.NDArray[Any]


def table_task(
    table: Table,
    *,
    target: str | None,
    test: Table | None,
    split_by: str | None,
    seed: int,
    kind: str | None,
    options: Mapping[str, Any],
) -> ArrayTask:
    """Read the target, understand the columns, split, fit on the train rows, and put the facts together."""
    unknown = sorted(set(options) & {"size", "shift", "flip", "warp"})
    if unknown:
        raise DataError(f"option {unknown[0]!r} is for images, and this is a table", where=table.where, todo="Leave it out.")
    warnings, notes = list(table.warnings), list(table.notes)
    labels = read_labels(
        _target(table, target), table.where, name=repr(target) if table.labels is None else "the target", kind=kind
    )
    if split_by is not None:
        _named(table, split_by, "split-by")
    known = _useful(table, target, split_by, warnings, notes)
    values = [cols.raw(table.columns[facts["name"]], facts, table.comma) for facts in known]
    digests = contents(_comparable(values)[labels.rows])
    parts, method = _split(table, labels, digests, split_by, seed, test is not None, notes)
    warnings += labels.warnings + parts.warnings
    fitted = [cols.fitted(facts, value, labels.rows[parts.rows["train"]]) for facts, value in zip(known, values, strict=True)]
    x = np.stack([cols.codes(value, facts) for facts, value in zip(fitted, values, strict=True)], axis=1).astype(np.float32)
    made = {name: Part(x[labels.rows[rows]], labels.y[rows], labels.rows[rows].tolist()) for name, rows in parts.rows.items()}
    if test is not None:
        made["test"] = _own_test(test, target, labels, fitted, {row.tobytes() for row in x + 0}, warnings)
    _remarks(made, labels, fitted, warnings)
    facts = {
        "name": table.name,
        "kind": labels.kind,
        "inputs": "table",
        "inferred": labels.inferred,
        "classes": list(labels.classes),
        "target": {"name": target or "target", **labels.facts},
        "rows": {name: len(part.y) for name, part in made.items()},
        "split": {"method": method, "seed": seed, "own_test": test is not None, **({"column": split_by} if split_by else {})},
        "columns": fitted,
        "file": table.facts,
        "skipped": [],
        "warnings": warnings,
        "notes": notes,
        "options": {"batch": 64, "smoothing": 0.0, **options},
        **_shapes(fitted, labels, made["train"].y),
    }
    return ArrayTask(facts, made)


def _useful(
    table: Table, target: str | None, split_by: str | None, warnings: list[str], notes: list[str]
) -> list[dict[str, Any]]:
    """The columns to predict from; ``notes`` says why the others are not."""
    known: list[dict[str, Any]] = []
    for name, column in table.columns.items():
        if name == split_by or (name == target and table.labels is None):
            continue
        found = cols.understood(name, column, table.comma, warnings)
        if isinstance(found, str):
            notes.append(f"column {name!r} was dropped: it {found}")
        else:
            known.append(found)
    if not known:
        raise DataError(
            "no column is left to predict from", where=table.where, todo=f"Why: {notes[-1] if notes else 'one column only'}."
        )
    return known


def _named(table: Table, name: str, what: str) -> Column:
    if name in table.columns:
        return table.columns[name]
    close = difflib.get_close_matches(name, table.columns, n=1, cutoff=0.5)
    some = ", ".join(list(table.columns)[:12]) + (" …" if len(table.columns) > 12 else "")
    todo = f"Did you mean {close[0]!r}? " if close else ""
    raise DataError(f"there is no {what} column {name!r}", where=table.where, todo=f"{todo}Columns: {some}.")


def _target(table: Table, target: str | None) -> Any:
    if table.labels is not None:
        if target not in (None, "target"):
            raise DataError(f"it has a target of its own, not {target!r}", where=table.where, todo="Leave the target out.")
        return table.labels
    if target is None:
        some = ", ".join(list(table.columns)[:12]) + (" …" if len(table.columns) > 12 else "")
        raise DataError(
            "no target was named", where=table.where, todo=f"Say which column to predict with --target. Columns: {some}."
        )
    if len(table.columns) < 2:
        raise DataError(
            "one column only: nothing to predict from",
            where=table.where,
            todo="Bring more columns (is the separator , ; | or tab?).",
        )
    return _named(table, target, "target")


def _comparable(values: Sequence[Any]) -> Array:
    """All columns as numbers, by which equal rows are found."""
    made = []
    for value in values:
        if isinstance(value, list):
            place = {text: i for i, text in enumerate(sorted(set(value)))}
            made.append(np.array([place[text] for text in value], dtype=np.float64))
        else:
            made.append(value.astype(np.float32).astype(np.float64))  # what the network tells apart
    return np.stack(made, axis=1)


def _split(
    table: Table, labels: Labels, digests: list[bytes], split_by: str | None, seed: int, own_test: bool, notes: list[str]
) -> tuple[Parts, str]:
    shares = {"train": 0.8, "validation": 0.2} if own_test else SHARES
    if split_by is None:
        y = labels.y.tolist() if labels.classes else None
        parts = split_rows(digests, seed, labels=y, classes=labels.classes, shares=shares, where=table.where)
        return parts, "stratified" if labels.classes else "by chance"
    column = table.columns[split_by]
    times = _times(split_by, column, table.comma)
    if times is not None:
        times = times[labels.rows]
        if np.isnan(times).any():
            raise DataError(
                f"{int(np.isnan(times).sum())} cells of the time column {split_by!r} are missing",
                where=table.where,
                todo="Fill them in.",
            )
        notes.append(f"split by time ({split_by!r}): the last rows are the test; the column is not used to predict")
        return split_by_time(digests, times, table.where, test=not own_test), "time order"
    groups = [_group(column[i], i) for i in labels.rows]
    notes.append(
        f"split by groups ({split_by!r}, {len(set(groups))} of them), each wholly in one split; the column is not used to predict"
    )
    parts = split_rows(digests, seed, groups=groups, shares=shares, where=table.where)
    for name, share in shares.items():
        if len(parts.rows[name]) < 0.5 * share * len(digests):
            parts.warnings.append(f"{name} has {len(parts.rows[name])} of {len(digests)} rows only, because groups are not cut")
    return parts, "groups"


def _group(cell: Any, row: int) -> object:
    """A missing group is a group of its own."""
    missing = cell == "" if isinstance(cell, str) else np.isnan(cell)
    return ("row", int(row)) if missing else cell


def _times(name: str, column: Column, comma: bool) -> npt.NDArray[np.float64] | None:
    """The column as times, where it holds dates, or numbers under a name that says time."""
    dates = cols.parsed_dates(column) if isinstance(column, list) else None
    if dates:
        return dates[1]
    if not any(word in TIMES for word in name.lower().replace("-", "_").replace(" ", "_").split("_")):
        return None
    if isinstance(column, list):
        values, odd = cols.numbers(column, comma)
        return None if odd else values
    return column


def _own_test(
    test: Table, target: str | None, labels: Labels, fitted: Sequence[Mapping[str, Any]], known: set[bytes], warnings: list[str]
) -> Part:
    if test.labels is None and target is not None:
        _named(test, target, "target")
    y, rows = labels.apply(test.labels if test.labels is not None else test.columns[str(target)], test.where)
    if not len(rows):
        raise DataError("no row has a target", where=test.where, todo="Bring test rows with their targets.")
    x = cols.encoded(test, fitted)[rows]
    repeated = sum(row.tobytes() in known for row in x + 0)
    if repeated:
        warnings.append(f"{repeated} of {len(x)} test rows also stand in the data: the test score is too good by them")
    for k, column in enumerate(fitted):
        odd = int((x[:, k] == -1).sum()) if column["kind"] == "category" and not column["rare"] else 0
        if odd:
            warnings.append(f"{odd} test rows have a {column['name']!r} that is not among the training data's categories")
    return Part(x, y, rows.tolist())


def _remarks(made: Mapping[str, Part], labels: Labels, fitted: Sequence[Mapping[str, Any]], warnings: list[str]) -> None:
    train = len(made["train"].y)
    for name, part in made.items():
        lack = [c for i, c in enumerate(labels.classes) if not (part.y == i).any()]
        if lack and name == "train":
            raise DataError(
                f"class {lack[0]!r} has no row in the train split", todo="Split by another column, or bring more data."
            )
        if lack:
            warnings.append(
                f"no row of class {lack[0]!r} in {name}" + (f", nor of {len(lack) - 1} other classes" if len(lack) > 1 else "")
            )
    if train < 5 * len(fitted):
        warnings.append(f"{train} train rows for {len(fitted)} columns: a score from so few says little")
    gaps = [c for c in fitted if c["missing"]]
    if gaps:
        named = ", ".join(repr(c["name"]) for c in gaps[:3]) + (" …" if len(gaps) > 3 else "")
        total = sum(c["missing"] for c in gaps)
        warnings.append(
            f"{total} train cells are missing in {len(gaps)} columns ({named}): filled with the median, or no category"
        )


def _shapes(fitted: Sequence[Mapping[str, Any]], labels: Labels, y: Array) -> dict[str, Any]:
    attrs = cols.front(fitted)
    width = sum(int(c[1]) if c[0] == "category" else len(c) // 5 + 1 for c in attrs)
    heads = (("y", Tensor((len(labels.classes) or 1,))),)
    frame = Frame(Signature((("x", Tensor((len(fitted),))),), heads), (("encode", (("columns", attrs),)),), labels.back(y))
    return {"signature": Signature((("x", Tensor((width,))),), heads).to_json(), "frame": frame.to_json()}
