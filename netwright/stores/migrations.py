"""The tables of a log, and the steps that bring an older log to them: one function, one transaction, one record each."""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version

import sqlalchemy as sa

from netwright.errors import RunError

__all__ = ["MIGRATIONS", "SCHEMA", "events", "meta", "migrate", "program", "schema_of"]

_TABLES = sa.MetaData()

events = sa.Table(
    "events",
    _TABLES,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sqlite_autoincrement=True,
)
meta = sa.Table("meta", _TABLES, sa.Column("key", sa.Text, primary_key=True), sa.Column("value", sa.Text, nullable=False))


def first(connection: sa.Connection) -> None:
    """The log itself. Written out, not taken from the tables above: a migration never changes once it was released."""
    connection.exec_driver_sql("CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)")
    connection.exec_driver_sql(
        "CREATE TABLE events"
        " (number INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, at FLOAT NOT NULL, body TEXT NOT NULL)"
    )


MIGRATIONS: tuple[Callable[[sa.Connection], None], ...] = (first,)
"""Step i leads from schema i to schema i + 1. Add to the end; never change or remove one."""

SCHEMA = len(MIGRATIONS)


def program() -> str:
    """This version of Netwright."""
    try:
        return version("netwright")
    except PackageNotFoundError:
        return "unknown"


def schema_of(connection: sa.Connection) -> int:
    """The schema of a log, 0 where it is new."""
    if not sa.inspect(connection).has_table("meta"):
        return 0
    found = connection.execute(sa.select(meta.c.value).where(meta.c.key == "schema")).scalar()
    return int(found or 0)


def migrate(engine: sa.Engine, where: str, steps: tuple[Callable[[sa.Connection], None], ...] = MIGRATIONS) -> None:
    """Bring a log to the newest schema. Raises :class:`RunError` where it is newer already."""
    while True:
        with engine.begin() as connection:
            schema = schema_of(connection)
            if schema > len(steps):
                by = connection.execute(sa.select(meta.c.value).where(meta.c.key == "program")).scalar()
                raise RunError(
                    f"written by a newer version (Netwright {by}, schema {schema}; this one reads up to {len(steps)})",
                    where=where,
                    todo="Update Netwright.",
                )
            if schema == len(steps):
                return
            step = steps[schema]
            step(connection)
            _note(connection, "schema", str(schema + 1))
            _note(connection, "program", program())
            _note(connection, f"migration {schema + 1}", f"{step.__name__} by {program()} at {time.time():.0f}")


def _note(connection: sa.Connection, key: str, value: str) -> None:
    connection.execute(meta.delete().where(meta.c.key == key))
    connection.execute(meta.insert().values(key=key, value=value))
