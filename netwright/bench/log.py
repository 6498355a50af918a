"""The finished searches of a bench, one line each, in its folder: what a bench that was interrupted need not do again."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from netwright.bench.plan import Plan
from netwright.bench.play import Played
from netwright.errors import RunError

__all__ = ["Log"]

Key = tuple[str, int]


class Log:
    """``searches.jsonl`` in ``folder``: first what the problem is, then a line for each search. A line that was broken off, by
    a crash or a full disk, counts for nothing. Raises :class:`RunError` where the folder holds another problem."""

    def __init__(self, folder: Path, plan: Plan) -> None:
        self.path, self.done = folder / "searches.jsonl", dict[Key, Played]()
        try:
            self._read(plan)
            self._file = self.path.open("a", encoding="utf-8")
        except OSError as error:
            raise RunError(f"it cannot be written ({error.strerror})", where=str(folder), todo="Choose another --out.") from None
        if not self.path.stat().st_size:
            self._write({"problem": plan.problem()})

    def _read(self, plan: Plan) -> None:
        if not self.path.exists():
            if any(entry.name != "lock" for entry in self.path.parent.iterdir()):
                todo = "Choose an empty folder, or that of a bench."
                raise RunError("it holds other files", where=str(self.path.parent), todo=todo)
            return
        whole = 0
        for number, (line, end) in enumerate(_lines(self.path)):
            if number and end is None:
                break
            told = _parsed(line)
            if told is None:
                break
            if number == 0:
                self._same(told.get("problem"), plan.problem())
            else:
                played = Played(**told)
                self.done[played.strategy, played.seed] = played
            whole = end or whole
        os.truncate(self.path, whole)

    def _same(self, found: Any, wanted: dict[str, Any]) -> None:
        if found == wanted:
            return
        where = str(self.path.parent)
        if not isinstance(found, dict):
            raise RunError("it holds no bench", where=where, todo="Choose another --out.")
        name = next(name for name in wanted if found.get(name) != wanted[name])
        told = f"its bench has {name} {_told(found.get(name))}, not {_told(wanted[name])}"
        raise RunError(told, where=where, todo="Choose another --out, or ask for the same problem.")

    def add(self, played: Played) -> None:
        """Keep a finished search, for good."""
        self._write(played.to_json())
        self.done[played.strategy, played.seed] = played

    def _write(self, told: dict[str, Any]) -> None:
        self._file.write(json.dumps(told, allow_nan=False, separators=(",", ":")) + "\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        self._file.close()


def _lines(path: Path) -> Iterator[tuple[bytes, int | None]]:
    """Each line, with where it ends; None for the last where it was broken off."""
    at = 0
    with path.open("rb") as file:
        for line in file:
            at += len(line)
            yield line, at if line.endswith(b"\n") else None


def _parsed(line: bytes) -> dict[str, Any] | None:
    try:
        told = json.loads(line)
    except ValueError:
        return None
    return told if isinstance(told, dict) else None


def _told(value: Any) -> str:
    if isinstance(value, dict):
        return f"{value.get('amount'):g} {value.get('unit')}"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return str(value) or "none"
