"""The store of a run on one machine: ``run.db`` in the run's folder, an append-only SQLite log reached through SQLAlchemy.

The journal is a write-ahead log, so that every event survives the death of the process. To survive the loss of power the
disk must be waited for: 0.3 ms more where it is idle, 4 ms where it is not, against 0.2 ms for all the rest. That is done for
every event but those of a trial under way, which the next one that is waited for takes along: what a loss of power can cost
is the trials under way.
"""

from __future__ import annotations

import errno
import json
import os
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from netwright.core.contracts import Event, Store
from netwright.errors import RunError
from netwright.stores.folders import find_run
from netwright.stores.migrations import SCHEMA, events, migrate, schema_of
from netwright.stores.repair import copied, readable
from netwright.stores.vault import FileVault

__all__ = ["SqliteStore"]

_PAGE = 1000
_UNDER_WAY = frozenset({"proposed", "started", "measured"})
_REPEATED = _UNDER_WAY | {"ended", "lost"}
_PATIENCE_S = 1.0
_READ_ONLY = ("readonly", "unable to open", "not permitted", "access permission")


class SqliteStore(Store):
    """The log and the vault of the run in ``folder``.

    ``create`` makes a new, empty log where there is none. ``readonly`` only looks: it works on a run in use, in a read-only
    folder and on one of an older schema, and changes nothing. Several processes may append at once.
    """

    def __init__(self, folder: Path, *, create: bool = False, readonly: bool = False) -> None:
        self.folder = folder if create else find_run(folder)
        self._file = self.folder / "run.db"
        self._vault = FileVault(self.folder / "vault")
        self._copy: tempfile.TemporaryDirectory[str] | None = None
        self._together, self._kept, self._last, self._since = 1, list[dict[str, Any]](), 0, 0.0
        self._engine = _engine(self._file, "ro")
        try:
            if readonly:
                self._open_to_read()
            else:
                self._open_to_write(create)
        except BaseException:
            self.close()
            raise

    def _open_to_write(self, create: bool) -> None:
        new = create and not self._file.exists()
        if not os.access(self.folder, os.W_OK) or not (new or os.access(self._file, os.W_OK)):
            raise _read_only(self.folder)
        with self._told():
            if not new:
                self._check()  # Before anything is opened that would write to a damaged file.
            self._engine.dispose()
            self._engine = _engine(self._file, "rwc" if new else "rw")
            migrate(self._engine, str(self.folder))

    def _open_to_read(self) -> None:
        """In place where that goes; else, in a read-only folder or for an older schema, a copy."""
        try:
            if self._check() == SCHEMA:
                return
        except (sa.exc.DBAPIError, sqlite3.Error):
            pass
        self._engine.dispose()
        with self._told():
            self._copy = tempfile.TemporaryDirectory(prefix="netwright-")
            self._engine = _engine(copied(self._file, Path(self._copy.name)), "rw")
            self._check()
            migrate(self._engine, str(self.folder))

    def _check(self) -> int:
        """The schema's number. Raises where the file is damaged."""
        with self._engine.begin() as connection:
            told = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()
            schema = schema_of(connection) if told == "ok" else 0
        if not schema:
            raise sqlite3.DatabaseError("it holds no log" if told == "ok" else str(told).replace("\n", " "))
        return schema

    def append(self, event: Event) -> int:
        body = json.dumps(dict(event.body), allow_nan=False, separators=(",", ":"))
        row = {"kind": event.kind, "at": event.at or time.time(), "body": body}
        if self._together > 1:
            return self._keep(row)
        engine = self._engine.execution_options(synchronous="NORMAL") if event.kind in _UNDER_WAY else self._engine
        with self._told(), engine.begin() as connection:
            return int(connection.execute(events.insert().returning(events.c.number), row).scalar_one())

    def together(self, most: int) -> None:
        """The numbers are given here then: nobody else may append meanwhile. What is kept back is written when it is as many, a
        second old, of a kind that ends something, read, or when the store is closed."""
        self._flush()
        self._together = most
        query = sa.select(sa.func.max(events.c.number))
        with self._told(), self._engine.begin() as connection:
            self._last = int(connection.execute(query).scalar() or 0)

    def _keep(self, row: dict[str, Any]) -> int:
        now = time.monotonic()
        self._since = self._since if self._kept else now
        self._last += 1
        self._kept.append({**row, "number": self._last})
        if len(self._kept) >= self._together or now - self._since > _PATIENCE_S or row["kind"] not in _REPEATED:
            self._flush()
        return self._last

    def _flush(self) -> None:
        """Write what was kept back, in one transaction."""
        rows, self._kept = self._kept, []
        if rows:
            with self._told(), self._engine.begin() as connection:
                connection.execute(events.insert(), rows)

    def events(self, since: int = 0) -> Iterator[Event]:
        """Read in pages, so that a slow reader never holds the log open."""
        self._flush()
        while True:
            query = sa.select(events).where(events.c.number > since).order_by(events.c.number).limit(_PAGE)
            with self._told(), self._engine.begin() as connection:
                rows = connection.execute(query).all()
                page = [Event(row.kind, json.loads(row.body), row.at, row.number) for row in rows]
            yield from page
            if len(rows) < _PAGE:
                return
            since = rows[-1].number

    def put(self, blob: bytes) -> str:
        with self._told():
            return self._vault.put(blob)

    def get(self, digest: str) -> bytes:
        return self._vault.get(digest)

    def remove(self, digest: str) -> None:
        self._vault.remove(digest)

    def close(self) -> None:
        self._flush()
        self._engine.dispose()
        if self._copy is not None:
            self._copy.cleanup()

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Say what SQLite or the disk complains of as a :class:`RunError`."""
        try:
            yield
        except (sa.exc.DBAPIError, sqlite3.Error, OSError, ValueError) as error:
            cause = getattr(error, "orig", None) or error
            raise self._error(cause) from error

    def _error(self, cause: BaseException) -> RunError:
        text, where, number = str(cause), str(self.folder), getattr(cause, "errno", None)
        if "is full" in text or number in (errno.ENOSPC, errno.EDQUOT):
            return RunError(
                "the disk is full", where=where, todo=f"Nothing is lost: free some space, then `netwright resume {self.folder}`."
            )
        if any(word in text for word in _READ_ONLY) or number in (errno.EROFS, errno.EACCES):
            return _read_only(self.folder)
        if "locked" in text or "busy" in text:
            return RunError("run.db is held by another process", where=where, todo="Wait for it, or stop it.")
        kept = sum(1 for _ in readable(self._file))
        todo = (
            f"`python -m netwright.stores.repair {self.folder}` keeps what can be read, and the damaged file beside it."
            if kept
            else "Put back a copy of run.db, or start again with `netwright search`."
        )
        return RunError(f"run.db is damaged ({text}); {kept} of its events can be read", where=where, todo=todo)


def _read_only(folder: Path) -> RunError:
    return RunError("the run cannot be written: read-only", where=str(folder), todo="Copy the folder to where you may write.")


def _engine(file: Path, mode: str) -> sa.Engine:
    """One connection. Every transaction takes the write lock at once, so that none has to be tried again half-way."""
    uri = f"{file.resolve().as_uri()}?mode={mode}"

    def connect() -> sqlite3.Connection:
        return sqlite3.connect(uri, uri=True, timeout=30, isolation_level=None, check_same_thread=False)

    engine = sa.create_engine("sqlite://", creator=connect, poolclass=sa.pool.QueuePool, pool_size=1)

    @sa.event.listens_for(engine, "connect")
    def prepare(connection: Any, _: Any) -> None:
        if mode != "ro":
            connection.execute("PRAGMA journal_mode=WAL")

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql(f"PRAGMA synchronous={connection.get_execution_options().get('synchronous', 'FULL')}")
        connection.exec_driver_sql("BEGIN" if mode == "ro" else "BEGIN IMMEDIATE")

    return engine
