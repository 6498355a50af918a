"""Save what can be read of a damaged log: ``python -m netwright.stores.repair RUN``.

A log is only ever appended to, so that any beginning of it is a log: a run resumes from there as from a crash at that moment.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from netwright.core.contracts import Event
from netwright.errors import NetwrightError, RunError
from netwright.stores.folders import find_run
from netwright.stores.lock import RunLock

__all__ = ["copied", "readable", "repair"]


def copied(file: Path, to: Path) -> Path:
    """A copy of a log with its journal, in the folder ``to``."""
    for suffix in ("", "-wal"):
        source = Path(f"{file}{suffix}")
        if source.exists():
            shutil.copyfile(source, to / source.name)
    return to / file.name


def readable(file: Path) -> Iterator[Event]:
    """The events of a log up to the first that cannot be read, in order. Never raises."""
    with tempfile.TemporaryDirectory(prefix="netwright-") as folder:
        try:
            with closing(sqlite3.connect(copied(file, Path(folder)))) as connection:
                # Without this, SQLite reads nothing at all of a file that is shorter than its header says.
                connection.execute("PRAGMA writable_schema=ON")
                number = 0
                while True:
                    row = connection.execute(
                        "SELECT number, kind, at, body FROM events WHERE number > ? ORDER BY number LIMIT 1", (number,)
                    ).fetchone()
                    if row is None or row[0] != number + 1:
                        return
                    number = row[0]
                    yield Event(row[1], json.loads(row[3]), row[2], number)
        except (sqlite3.Error, OSError, ValueError, TypeError):
            return


def repair(folder: Path) -> tuple[int, Path]:
    """Begin the log anew with what can be read of it. Returns how many events, and where the damaged file went."""
    from netwright.stores.sqlite import SqliteStore

    folder = find_run(folder)
    with RunLock(folder):
        file = folder / "run.db"
        kept = list(readable(file))
        if not kept:
            raise RunError("nothing in run.db can be read", where=str(folder), todo="Put back a copy of it.")
        with tempfile.TemporaryDirectory(prefix=".repair-", dir=folder) as place:
            fresh = SqliteStore(Path(place), create=True)
            for event in kept:
                fresh.append(event)
            fresh.close()
            number = next(n for n in range(1, 10**6) if not (folder / f"run.db.damaged-{n}").exists())
            damaged = folder / f"run.db.damaged-{number}"
            for suffix in ("-wal", "-shm"):
                if Path(f"{file}{suffix}").exists():
                    shutil.move(f"{file}{suffix}", f"{damaged}{suffix}")
            file.rename(damaged)
            (Path(place) / "run.db").rename(file)
    return len(kept), damaged


def main() -> int:
    try:
        count, damaged = repair(Path(sys.argv[1]))
    except NetwrightError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    sys.stdout.write(f"{count} events kept; the damaged file is {damaged}. Go on with `netwright resume {sys.argv[1]}`.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
