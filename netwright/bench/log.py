"""The finished searches of a bench, one line each, in its folder: what a bench that was interrupted need not do again."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from netwright.bench.plan import Plan
from netwright.bench.play import Played
from netwright.errors import RunError

__all__ = ["Log", "written_to"]

Key = tuple[str, int]

_BEGINNING = b'{"problem":'


class Log:
    """``searches.jsonl`` in ``folder``: first what the problem is, then a line for each search. A line that was broken off, by
    a crash or a full disk, counts for nothing; ``unread``: how many others cannot be read. The folder is locked until it is
    closed. Raises :class:`RunError` where it holds something else; then nothing is written into it."""

    def __init__(self, folder: Path, plan: Plan, fingerprint: str) -> None:
        self.path, self.done, self.unread = folder / "searches.jsonl", dict[Key, Played](), 0
        problem = {**plan.problem(), "fingerprint": fingerprint}
        self._open = contextlib.ExitStack()
        try:
            self._read(problem)
            folder.mkdir(parents=True, exist_ok=True)
            self._open.enter_context(importlib.import_module("netwright.stores.lock").RunLock(folder))
            end = self._read(problem)  # what another process may have added
            self._file = self._open.enter_context(self.path.open("a", encoding="utf-8"))
            os.truncate(self.path, end)
        except OSError as error:
            self.close()
            raise RunError(f"it cannot be written ({error.strerror})", where=str(folder), todo="Choose another --out.") from None
        if not end:
            self._write({"problem": problem})

    def _read(self, problem: dict[str, Any]) -> int:
        """Take in the searches that are done; where the last whole line ends."""
        folder, end = self.path.parent, 0
        self.unread = 0
        if not self.path.exists():
            if folder.exists() and any(entry.name != "lock" for entry in folder.iterdir()):
                raise RunError("it holds other files", where=str(folder), todo="Choose an empty folder, or that of a bench.")
            return 0
        with self.path.open("rb") as file:
            for number, line in enumerate(file):
                if not line.endswith(b"\n") and (number or _BEGINNING.startswith(line[: len(_BEGINNING)])):
                    break
                told = _parsed(line)
                if number == 0:
                    self._same(told.get("problem") if told else None, problem)
                elif (played := _played(told)) is not None:
                    self.done[played.strategy, played.seed] = played
                else:
                    self.unread += 1
                end += len(line)
        return end

    def _same(self, found: Any, wanted: dict[str, Any]) -> None:
        if found == wanted:
            return
        where = str(self.path.parent)
        if not isinstance(found, dict):
            raise RunError("it holds no bench", where=where, todo="Choose another --out.")
        name = next(name for name in wanted if found.get(name) != wanted[name])
        if name == "fingerprint":
            raise RunError("the table has changed since its bench began", where=where, todo="Choose another --out.")
        told = f"its bench has {name} {_told(found.get(name))}, not {_told(wanted[name])}"
        raise RunError(told, where=where, todo="Choose another --out, or ask for the same problem.")

    def add(self, played: Played) -> None:
        """Keep a finished search, for good."""
        self._write(played.to_json())
        self.done[played.strategy, played.seed] = played

    def _write(self, told: dict[str, Any]) -> None:
        with written_to(self.path.parent):
            self._file.write(json.dumps(told, allow_nan=False, separators=(",", ":")) + "\n")
            self._file.flush()
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """Keep what was added, and let others have the folder."""
        with contextlib.suppress(OSError):  # of what a full disk did not take
            self._open.close()


@contextlib.contextmanager
def written_to(folder: Path) -> Iterator[None]:
    """Says in a line what cannot be written to a folder, and what to do."""
    try:
        yield
    except OSError as error:
        todo = "Make room there, and give the same command again with --out: what was written is kept."
        raise RunError(f"it cannot be written ({error.strerror})", where=str(folder), todo=todo) from None


def _played(told: Any) -> Played | None:
    """A search, where it is one."""
    try:
        played = Played(**told)
        counts = {len(each) for each in (played.query, played.row, played.values, played.epochs, played.cost, played.ask_ms)}
        return played if isinstance(played.strategy, str) and type(played.seed) is int and len(counts) == 1 else None
    except TypeError:
        return None


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
