"""What a table says of itself: its space, its key, and what each of its columns holds. The schema is in docs/tables.md."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

from netwright.core.architecture import Signature
from netwright.core.metrics import METRICS
from netwright.errors import DataError
from netwright.registry import suggest

__all__ = ["Column", "Description", "columns"]

_SPLITS = ("", "train", "validation", "test")
_ROLES = ("", "objective", "cost", "info")
_DIRECTIONS = ("", "maximize", "minimize")


@dataclass(frozen=True)
class Column:
    """One Parquet column. Columns with one ``name`` are one metric, measured for several budgets (epochs) or seeds."""

    field: str
    name: str = ""
    metric: str = ""
    unit: str = ""
    direction: str = ""
    split: str = ""
    dataset: str = ""
    budget: int | None = None
    seed: int | None = None
    curve: bool = False
    own_length: bool = False
    """Whether a shorter curve is that of a shorter training; else it broke off, and what comes after is missing."""
    role: str = ""
    scale: float = 1.0
    missing: float | None = None
    """A number that stands for a missing value, where the file has no other way to say it."""

    @property
    def full(self) -> str:
        """Its name with budget and seed: ``val_acc@25#0``."""
        budget = "" if self.budget is None else f"@{self.budget}"
        return f"{self.name}{budget}" + ("" if self.seed is None else f"#{self.seed}")


@dataclass(frozen=True)
class Description:
    """The JSON under the key ``netwright`` of a file's metadata, or a file of ``tables/known``."""

    space: str
    key: tuple[str, ...]
    signature: Signature
    name: str = ""
    title: str = ""
    schema: int = 1
    settings: Mapping[str, Any] = field(default_factory=dict)
    json: tuple[str, ...] = ()
    columns: Sequence[Mapping[str, Any]] = ()
    files: Sequence[Mapping[str, Any]] = ()
    doubled: str = "error"
    by: str = ""
    whole: bool = False
    """Whether every architecture of the space is in it; else the space is cut down to those that are."""
    default: str = ""
    licence: str = ""
    source: str = ""
    made_by: str = ""

    @classmethod
    def from_json(cls, data: Any, where: str) -> Description:
        """Read it. Raises :class:`DataError` for what is missing, unknown, or of another kind."""
        if not isinstance(data, Mapping):
            raise DataError("its description is no object", where=where, todo="See docs/tables.md.")
        _known(data, [f.name for f in fields(cls)], where)
        for name, kind in (("space", str), ("key", list), ("signature", Mapping)):
            if not isinstance(data.get(name), kind) or not data[name]:
                raise DataError(f"its description lacks {name!r}", where=where, todo="See docs/tables.md.")
        if data.get("schema", 1) != 1:
            raise DataError(f"it has schema {data['schema']!r}, which is not known here", where=where, todo="Update Netwright.")
        if data.get("doubled", "error") not in ("error", "first"):
            raise DataError(f"doubled cannot be {data['doubled']!r}", where=where, todo='Use "error" or "first".')
        try:
            signature = Signature.from_json(data["signature"])
        except (KeyError, TypeError, AttributeError):
            todo = 'Write {"inputs": {"x": {"shape": […]}}, "heads": {"y": {"shape": […]}}}.'
            raise DataError("its signature cannot be read", where=where, todo=todo) from None
        return cls(**{**data, "signature": signature, "key": tuple(data["key"]), "json": tuple(data.get("json", ()))})


def _known(data: Mapping[str, Any], names: Iterable[str], where: str) -> None:
    for name in data:
        if name not in names:
            raise DataError(f"no entry is called {name!r}", where=where, todo=suggest(name, names))


def columns(described: Description, present: Sequence[str], where: str) -> tuple[Column, ...]:
    """What each column of a file is; the first entry that fits a column counts. ``present``: the file's columns."""
    found: dict[str, Column] = {}
    for entry in described.columns:
        _known(entry, [*(f.name for f in fields(Column)), "pattern"], where)
        fitting = _fitting(entry, present, where)
        for name, groups in fitting.items():
            if name not in found:
                found[name] = _column(name, entry, groups, where)
    rest = [name for name in present if name not in found and name not in described.key]
    made = [*found.values(), *(Column(name, name, metric=name, role="info") for name in rest)]
    seen: dict[str, str] = {}
    for column in made:
        if column.full in seen:
            what = f"its columns {seen[column.full]!r} and {column.field!r} are both called {column.full!r}"
            raise DataError(what, where=where, todo="Give them different names, budgets or seeds.")
        seen[column.full] = column.field
    return tuple(made)


def _fitting(entry: Mapping[str, Any], present: Sequence[str], where: str) -> dict[str, dict[str, str]]:
    """The columns that an entry speaks of, with the groups of its pattern."""
    if "field" in entry:
        if entry["field"] not in present:
            raise DataError(f"it has no column {entry['field']!r}", where=where, todo=suggest(entry["field"], present))
        return {entry["field"]: {}}
    try:
        pattern = re.compile(entry["pattern"])
    except (KeyError, TypeError, re.error):
        raise DataError(f"{dict(entry)} names no column", where=where, todo="Give it a field, or a pattern.") from None
    matches = {name: {"field": name, **match.groupdict()} for name in present if (match := pattern.fullmatch(name))}
    if not matches:
        raise DataError(f"it has no column like {entry['pattern']!r}", where=where, todo="See docs/tables.md.")
    return matches


def _column(name: str, entry: Mapping[str, Any], groups: Mapping[str, str], where: str) -> Column:
    try:
        filled: dict[str, Any] = {
            key: value.format(**groups) if groups and isinstance(value, str) else value for key, value in entry.items()
        }
        filled.pop("pattern", None)
        filled |= {key: int(filled[key]) for key in ("budget", "seed") if filled.get(key) is not None}
        made = Column(**{**filled, "field": name})
    except (KeyError, ValueError, IndexError, TypeError) as error:
        what = f"column {name!r}: its entry cannot be filled in ({error})"
        raise DataError(what, where=where, todo="Groups are written {name}; budget and seed are numbers.") from None
    for key, allowed in (("split", _SPLITS), ("role", _ROLES), ("direction", _DIRECTIONS)):
        if getattr(made, key) not in allowed:
            what = f"column {name!r}: {key} cannot be {getattr(made, key)!r}"
            raise DataError(what, where=where, todo=suggest("", allowed[1:]))
    made = replace(made, name=made.name or name)
    made = replace(made, metric=made.metric or made.name.rpartition(".")[2].partition("@")[0])
    if made.metric in METRICS and made.role != "info":
        known = METRICS[made.metric]
        made = replace(made, unit=made.unit or known.unit, direction=made.direction or known.direction)
    role = made.role or ("objective" if made.direction else "info")
    if role == "objective" and not made.direction:
        raise DataError(f"column {name!r} is an objective without a direction", where=where, todo="Add maximize or minimize.")
    return replace(made, role=role)
