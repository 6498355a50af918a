"""Tables as they stand in a file: columns of numbers or of text, nothing interpreted yet."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from netwright.errors import DataError

__all__ = ["SUFFIXES", "Column", "Table", "read"]

SUFFIXES = (".csv", ".tsv", ".txt", ".parquet")

Column = npt.NDArray[np.float64] | list[str]
"""Numbers with NaN for missing, or text as it stands in the file."""


@dataclass
class Table:
    """``labels``: the target where it did not come as a column. ``comma``: numbers may be written 3,14."""

    name: str
    columns: dict[str, Column]
    rows: int
    labels: Any = None
    comma: bool = False
    facts: dict[str, Any] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    where: str = ""

    def __post_init__(self) -> None:
        self.where = self.where or self.name


def read(path: Path) -> Table:
    """A .csv, .tsv or .parquet file. Raises :class:`DataError` in one line."""
    if path.suffix.lower() == ".parquet":
        return _parquet(path)
    return _csv(path)


def _decoded(path: Path) -> tuple[str, str]:
    """The text and its encoding."""
    try:
        blob = path.read_bytes()
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror})", where=str(path), todo="Check the file's permissions.") from None
    if blob[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encoding = "utf-16"
    elif b"\0" in blob[:100_000]:
        raise DataError("not a text file", where=str(path), todo="Bring a CSV file (or .parquet, .npz by that suffix).")
    else:
        encoding = "utf-8-sig"
    try:
        return blob.decode(encoding), encoding
    except UnicodeDecodeError:
        text = blob.decode("latin-1")
        odd = sum((ord(c) < 32 and c not in "\t\r\n\f") or 127 <= ord(c) < 160 for c in text[:100_000])
        if odd > 0.02 * min(len(text), 100_000):
            raise DataError("not a text file", where=str(path), todo="Bring a CSV file.") from None
        return text, "latin-1"


def _separator(text: str, path: Path) -> str:
    """The one that cuts the first lines into the same number of cells, the most where several do."""
    if path.suffix.lower() == ".tsv":
        return "\t"
    head = [line for line in text[:100_000].splitlines() if line.strip()][:20]
    head = head[:-1] if len(text) > 100_000 and len(head) > 1 else head

    def fit(mark: str) -> tuple[float, int]:
        widths = Counter(len(row) for row in csv.reader(head, delimiter=mark, skipinitialspace=True))
        width, often = widths.most_common(1)[0]
        return (often / len(head) if width > 1 else 0.0), width

    return max(",;\t|", key=fit)


def _csv(path: Path) -> Table:
    where = str(path)
    text, encoding = _decoded(path)
    if not text.strip():
        raise DataError("an empty file", where=where, todo="Bring a table with a header and rows.")
    mark = _separator(text, path)
    header: list[str] = []
    rows: list[list[str]] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=mark, skipinitialspace=True)
    try:
        for row in reader:
            if not row or (row == [""] and len(header) != 1):
                continue
            if not header:
                header = [cell.strip() for cell in row]
            elif len(row) != len(header):
                raise DataError(
                    f"line {reader.line_num} has {len(row)} cells, the header has {len(header)}",
                    where=where,
                    todo="Mend that line (are quotes missing?).",
                )
            else:
                rows.append(row)
    except csv.Error as error:
        raise DataError(f"line {reader.line_num} cannot be read ({error})", where=where, todo="Mend that line.") from None
    table = Table(path.stem, {}, 0, comma=mark == ";", facts={"separator": mark, "encoding": encoding}, where=where)
    if _headless(header, rows):
        rows.insert(0, header)
        header = [f"c{i}" for i in range(len(header))]
        table.notes.append(
            f"the first line holds numbers, so it was read as a row; the columns are called c0 … c{len(header) - 1}"
        )
        table.facts["header"] = False
    if not rows:
        raise DataError("a header, but no rows", where=where, todo="Bring some data.")
    header = [name or f"unnamed {i}" for i, name in enumerate(header)]
    _check_names(header, where)
    table.rows = len(rows)
    table.columns = {name: [cell.strip() for cell in cells] for name, cells in zip(header, zip(*rows, strict=True), strict=True)}
    return table


def _headless(header: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Whether a first line is a row: mostly numbers (not 0, 1, 2 …), or a number and a text that its column repeats."""
    numbers = [_float(cell) for cell in header]
    values = [value for value in numbers if value is not None]
    if not values or values in ([float(i) for i in range(len(header))], [float(i + 1) for i in range(len(header))]):
        return False
    if 2 * len(values) > len(header) or any(not value.is_integer() for value in values):
        return True
    return any(number is None and any(row[i].strip() == header[i] for row in rows) for i, number in enumerate(numbers))


def _float(cell: str) -> float | None:
    try:
        return float(cell)
    except ValueError:
        return None


def _check_names(header: Sequence[str], where: str) -> None:
    twice = [name for name, count in Counter(header).items() if count > 1]
    if twice:
        raise DataError(
            f"the column name {twice[0]!r} stands {header.count(twice[0])} times in the header",
            where=where,
            todo="Rename one of them.",
        )


def _parquet(path: Path) -> Table:
    where = str(path)
    try:
        import pyarrow
        import pyarrow.parquet as parquet
    except ImportError:
        raise DataError("Parquet needs pyarrow", where=where, todo='Install it: pip install "netwright[data]"') from None
    try:
        found = parquet.read_table(path)
    except (pyarrow.ArrowException, OSError) as error:
        raise DataError(
            f"not a readable Parquet file ({str(error).splitlines()[0][:60]})", where=where, todo="Write it again."
        ) from None
    if not found.num_rows:
        raise DataError("no rows", where=where, todo="Bring some data.")
    _check_names(found.column_names, where)
    columns: dict[str, Column] = {}
    for name, column in zip(found.column_names, found.columns, strict=True):
        kind = column.type
        if pyarrow.types.is_integer(kind) or pyarrow.types.is_floating(kind) or pyarrow.types.is_decimal(kind):
            numbers = np.array([np.nan if v is None else float(v) for v in column.to_pylist()])
            columns[str(name)] = np.where(np.isfinite(numbers), numbers, np.nan)
        else:
            columns[str(name)] = ["" if v is None else str(v) for v in column.to_pylist()]
    return Table(path.stem, columns, found.num_rows, facts={"format": "parquet"}, where=where)
