"""Reads a table: a file that describes itself, or one of the published ones, by its name."""

from __future__ import annotations

import json
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from netwright.errors import DataError
from netwright.recipe import environment
from netwright.registry import suggest
from netwright.tables.schema import Description, columns
from netwright.tables.table import Data, Table

__all__ = ["folders", "known", "listed", "read"]

_HERE = Path(__file__).parent
_PYARROW = "Install it: pip install 'netwright[data]'."


@cache
def known() -> dict[str, Description]:
    """Name → description of every table that Netwright knows, whether or not its files are here."""
    found = {}
    for path in sorted((_HERE / "known").glob("*.toml")):
        described = Description.from_json(tomllib.loads(path.read_text(encoding="utf-8")), path.name)
        found[path.stem] = described
    return found


def folders() -> list[Path]:
    """Where the files of known tables are looked for: the package itself, then the folder of published data."""
    given = Path(environment("NETWRIGHT_DATA")).expanduser()
    base = (given if given.is_absolute() else _HERE.parent.parent / given).resolve()
    return [_HERE, base / "nas", base]


def listed() -> dict[str, bool]:
    """Name of every known table → whether its files are here. Tables of the package are their own description."""
    own = {path.stem: True for path in sorted(_HERE.glob("*.parquet"))}
    return {**own, **{name: all(_place(entry["file"]) for entry in described.files) for name, described in known().items()}}


def _place(file: str) -> Path | None:
    return next((folder / file for folder in folders() if (folder / file).is_file()), None)


@cache
def read(name: str) -> Table:
    """A table by its name, or from a file. Raises :class:`DataError` that says what is wrong with it, and where."""
    path = Path(name)
    if path.suffix in (".parquet", ".pq") or path.is_file():
        return _file(path)
    if (own := _HERE / f"{name}.parquet").is_file():
        return _file(own)
    if name not in known():
        raise DataError(f"no table is called {name!r}", todo=suggest(name, listed()))
    described = known()[name]
    missing = [entry["file"] for entry in described.files if _place(entry["file"]) is None]
    if missing:
        todo = "Put its files in the folder that NETWRIGHT_DATA names; docs/tables.md says where they are from."
        raise DataError(f"{missing[0]} is not in {folders()[1]}", where=f"table {name}", todo=todo)
    paths = [_place(entry["file"]) for entry in described.files]
    return _joined(name, described, [path for path in paths if path], f"table {name}")


def _file(path: Path) -> Table:
    """A file with its own description, or one of a published table under whatever folder."""
    if not path.is_file():
        raise DataError("no such file", where=str(path), todo="Check the path, or see `netwright table list`.")
    told = _arrow(path).schema.metadata or {}
    if b"netwright" in told:
        try:
            data = json.loads(told[b"netwright"])
        except ValueError as error:
            raise DataError(f"its description is not JSON ({error})", where=str(path), todo="See docs/tables.md.") from None
        described = Description.from_json(data, str(path))
        return _joined(described.name or path.stem, described, [path], str(path))
    for name, described in known().items():
        if described.files[0]["file"] == path.name:
            beside = [path.parent / str(entry["file"]) for entry in described.files]
            missing = [each.name for each in beside if not each.is_file()]
            if missing:
                raise DataError(f"table {name} needs {missing[0]} too", where=str(path.parent), todo="Put it there.")
            return _joined(name, described, beside, str(path))
    todo = "Add the key `netwright` to its metadata as docs/tables.md says."
    raise DataError("it does not say what its columns are", where=str(path), todo=todo)


@cache
def _arrow(path: Path) -> Any:
    """A Parquet file as an Arrow table."""
    try:
        import pyarrow
        import pyarrow.parquet as parquet
    except ImportError:
        raise DataError("reading a table needs pyarrow", where=str(path), todo=_PYARROW) from None
    try:
        with parquet.ParquetFile(path) as file:
            twice = [name for name, count in Counter(file.schema_arrow.names).items() if count > 1]
            read = None if twice else file.read()
    except (pyarrow.ArrowInvalid, OSError) as error:
        told = " ".join(str(error).split())[:120]
        raise DataError(f"it is not a Parquet file that can be read ({told})", where=str(path), todo="Check the file.") from None
    if read is None:
        raise DataError(f"it has {len(twice)} doubled columns: {twice[0]!r}", where=str(path), todo="Rename or drop them.")
    if not read.num_rows:
        raise DataError("it has no rows", where=str(path), todo="Check the file.")
    return read


# ---- files → one set of columns -----------------------------------------------------------------------------------------


def _joined(name: str, described: Description, paths: Sequence[Path], where: str) -> Table:
    """The files of a table side by side, each joined to the first by the column that it names."""
    data: Data = {}
    for k, path in enumerate(paths):
        entry: Mapping[str, Any] = described.files[k] if described.files else {}
        if path.suffix == ".npz":
            own = _npz(path)
        else:
            arrow = _arrow(path)
            own = _apart(arrow, described, str(path)) if described.by else {n: arrow.column(n) for n in arrow.schema.names}
        if k:
            own = _beside(data, own, str(entry.get("join", "")), str(path))
        for each in own:
            if each in data and each != entry.get("join"):
                raise DataError(f"column {each!r} is in two of its files", where=where, todo="Keep one of them.")
        data = {**own, **data}
    present = [*data]
    for each in described.key:
        if each not in data:
            raise DataError(f"it has no column {each!r}, which is its key", where=where, todo=suggest(each, present))
    return Table(name, described, columns(described, present, where), data, tuple(paths), where)


def _npz(path: Path) -> Data:
    """Arrays of one row for each row of the table, in the same order."""
    import numpy as np

    with np.load(path, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


def _apart(arrow: Any, described: Description, where: str) -> Data:
    """A file with one row for each architecture and data set: columns ``cora.valid``, one row for each architecture."""
    import pyarrow.compute as compute

    if described.by not in arrow.schema.names:
        raise DataError(f"it has no column {described.by!r}", where=where, todo=suggest(described.by, arrow.schema.names))
    data: Data = {}
    for value in compute.unique(arrow.column(described.by)).to_pylist():
        rows = arrow.filter(compute.equal(arrow.column(described.by), value))
        own = {n: rows.column(n) for n in rows.schema.names if n != described.by}
        key = described.key[0]
        if data:
            own = _beside(data, own, key, where)
        data = {**data, **{n if n in described.key else f"{value}.{n}": column for n, column in own.items()}}
    return data


def _beside(data: Data, own: Data, key: str, where: str) -> Data:
    """The columns of another file in the order of the first, missing where it has no such row."""
    first = next(iter(data.values()))
    if not key:
        if any(len(column) != len(first) for column in own.values()):
            raise DataError(f"it has not the {len(first)} rows of the first file", where=where, todo="Check the file.")
        return own
    if key not in own:
        raise DataError(f"it has no column {key!r}", where=where, todo=suggest(key, own))
    if own[key].equals(data[key]):
        return {n: column for n, column in own.items() if n not in data or n == key}
    import pyarrow

    place = {value: k for k, value in enumerate(own[key].to_pylist())}
    if len(place) < len(own[key]):
        raise DataError(f"it has rows with one {key}", where=where, todo="Keep one row for each.")
    order = pyarrow.array([place.get(value) for value in data[key].to_pylist()], pyarrow.int64())
    return {n: column.take(order) for n, column in own.items() if n not in data}
