import errno
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from netwright.core.contracts import Event
from netwright.errors import RunError
from netwright.stores import migrations
from netwright.stores.repair import readable, repair
from netwright.stores.sqlite import SqliteStore
from netwright.testing.store import DurableStoreKit


def opened(folder: Path) -> SqliteStore:
    return SqliteStore(folder, create=True)


class TestSqliteStore(DurableStoreKit):
    opener = "netwright.testing.store:sqlite"


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A finished run of 500 events, some 10 pages of database."""
    folder = tmp_path / "runs" / "digits-1"
    folder.mkdir(parents=True)
    with closing(opened(folder)) as store:
        for i in range(500):
            store.append(Event("measured", {"number": i, "text": "x" * 60}))
    return folder


def test_a_log_is_one_file_when_closed(run: Path) -> None:
    assert [file.name for file in run.iterdir()] == ["run.db"]


def test_a_newer_schema_is_refused(run: Path) -> None:
    with closing(sqlite3.connect(run / "run.db")) as connection:
        connection.execute("UPDATE meta SET value = '7' WHERE key = 'schema'")
        connection.execute("UPDATE meta SET value = '9.1' WHERE key = 'program'")
        connection.commit()
    for readonly in (False, True):
        with pytest.raises(RunError) as caught:
            SqliteStore(run, readonly=readonly)
        assert str(caught.value) == (
            f"{run}: written by a newer version (Netwright 9.1, schema 7; this one reads up to 1). Update Netwright."
        )


def test_an_older_schema_is_brought_up_step_by_step(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def second(connection) -> None:  # type: ignore[no-untyped-def]
        connection.exec_driver_sql("ALTER TABLE events ADD COLUMN host TEXT NOT NULL DEFAULT ''")

    def third(connection) -> None:  # type: ignore[no-untyped-def]
        connection.exec_driver_sql("CREATE TABLE notes (id INTEGER)")
        raise KeyboardInterrupt  # Killed half-way: the step must leave nothing.

    engine = opened(run)._engine
    steps = (*migrations.MIGRATIONS, second, third)
    with pytest.raises(KeyboardInterrupt):
        migrations.migrate(engine, "run", steps)
    engine.dispose()
    with closing(sqlite3.connect(run / "run.db")) as connection:
        kept = dict(connection.execute("SELECT key, value FROM meta"))
        columns = [row[1] for row in connection.execute("PRAGMA table_info(events)")]
        tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
    assert kept["schema"] == "2"
    assert kept["migration 2"].startswith("second by")
    assert "migration 3" not in kept
    assert "host" in columns
    assert "notes" not in tables


def test_an_older_schema_is_read_without_being_changed(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def second(connection) -> None:  # type: ignore[no-untyped-def]
        connection.exec_driver_sql("ALTER TABLE events ADD COLUMN host TEXT NOT NULL DEFAULT ''")

    steps = (*migrations.MIGRATIONS, second)
    monkeypatch.setattr("netwright.stores.sqlite.SCHEMA", 2)
    monkeypatch.setattr(migrations.migrate, "__defaults__", (steps,))
    before = (run / "run.db").read_bytes()
    with closing(SqliteStore(run, readonly=True)) as store:
        assert len(list(store.events())) == 500
    assert (run / "run.db").read_bytes() == before
    with closing(SqliteStore(run)) as store:
        assert store.append(Event("session", {})) == 501
    with closing(sqlite3.connect(run / "run.db")) as connection:
        assert connection.execute("SELECT value FROM meta WHERE key = 'schema'").fetchone() == ("2",)


@pytest.mark.parametrize("readonly", [False, True])
@pytest.mark.parametrize("left", [1, 100, 4096, 5000, 20000, 40000, -4096, -1])
def test_a_truncated_database_is_named_and_its_beginning_saved(run: Path, left: int, readonly: bool) -> None:
    file = run / "run.db"
    whole = file.read_bytes()
    file.write_bytes(whole[:left])
    with pytest.raises(RunError, match=r"run.db is damaged") as caught, closing(SqliteStore(run, readonly=readonly)) as store:
        list(store.events())  # One byte that is missing is found only now.
    assert file.read_bytes() == whole[:left]
    assert "\n" not in str(caught.value)
    kept = len(list(readable(file)))
    assert f"; {kept} of its events can be read" in str(caught.value)
    if not kept:
        assert 0 < left <= 20000
        assert "Put back a copy" in str(caught.value)
        with pytest.raises(RunError, match=r"nothing in run.db can be read"):
            repair(run)
        return
    assert f"python -m netwright.stores.repair {run}" in str(caught.value)
    count, damaged = repair(run)
    assert count == kept
    assert damaged.read_bytes() == whole[:left]
    with closing(SqliteStore(run)) as store:
        log = list(store.events())
        assert [event.body["number"] for event in log] == list(range(kept))
        assert store.append(Event("session", {})) == kept + 1


def test_most_of_a_database_that_lost_its_last_page_is_saved(run: Path) -> None:
    file = run / "run.db"
    file.write_bytes(file.read_bytes()[:-4096])
    assert 300 < len(list(readable(file))) < 500


def test_a_database_cut_in_use_is_named(run: Path) -> None:
    """Killed while open, so that the newest events are in the journal; then the database was cut, or the journal lost."""
    other = run.with_name("digits-2")
    with closing(SqliteStore(run)) as store:
        for i in range(50):
            store.append(Event("measured", {"number": 500 + i}))
        shutil.copytree(run, other)
    (other / "run.db-shm").unlink()
    assert (other / "run.db-wal").stat().st_size
    with closing(SqliteStore(other, readonly=True)) as store:
        assert len(list(store.events())) == 550
    (other / "run.db-wal").unlink()
    with closing(SqliteStore(other)) as store:
        assert len(list(store.events())) == 500
        assert store.append(Event("session", {})) == 501
    os.truncate(other / "run.db", 12288)
    with pytest.raises(RunError, match="damaged"):
        SqliteStore(other)


@pytest.mark.parametrize("content", [b"", b"\x00" * 8192, os.urandom(8192), b"SQLite format 3\x00" + b"junk" * 3000])
def test_a_file_that_is_no_database_is_named(run: Path, content: bytes) -> None:
    (run / "run.db").write_bytes(content)
    for options in ({"readonly": True}, {}, {"create": True}):
        with pytest.raises(RunError, match=r"run.db is damaged .*; 0 of its events can be read"):
            SqliteStore(run, **options)
        assert (run / "run.db").read_bytes() == content


def test_damage_within_is_found(run: Path) -> None:
    with open(run / "run.db", "r+b") as file:
        file.seek(9 * 4096)
        file.write(b"\xff" * 4096)
    with pytest.raises(RunError, match="damaged"):
        SqliteStore(run)
    assert repair(run)[0] > 50


def test_repair_is_a_command(run: Path) -> None:
    os.truncate(run / "run.db", 40000)
    command = [sys.executable, "-m", "netwright.stores.repair", str(run)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "events kept" in done.stdout
    assert f"netwright resume {run}" in done.stdout
    missing = subprocess.run([*command[:-1], str(run / "no")], capture_output=True, text=True, check=False)
    assert missing.returncode == 2
    assert missing.stderr.count("\n") == 1


def test_a_missing_run_is_guessed(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RunError, match=r"no such folder. Did you mean .*digits-1?"):
        SqliteStore(run.with_name("digit-1"))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RunError, match=r"Did you mean runs/digits-1?"):
        SqliteStore(Path("digits-1"))
    with pytest.raises(RunError, match=r"not a run: it holds no run.db. Runs: "):
        SqliteStore(tmp_path / "runs")


def fill(store: SqliteStore) -> None:
    for _ in range(200):
        store.append(Event("measured", {"text": "x" * 100}))


def test_a_full_disk_loses_nothing(run: Path) -> None:
    with closing(SqliteStore(run)) as store:
        with store._engine.connect() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(RunError, match=r"the disk is full. Nothing is lost: .*`netwright resume"):
            fill(store)
        count = len(list(store.events()))
        assert count >= 500
        with store._engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA max_page_count = 100000")
        assert store.append(Event("measured", {"text": "x" * 100})) == count + 1


def test_a_full_disk_is_said_of_the_vault(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with closing(SqliteStore(run)) as store:
        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(RunError, match="the disk is full"):
            store.put(b"weights")
        assert list((run / "vault").iterdir()) == []


READ_ONLY = """
import os, sys
from pathlib import Path
from netwright.core.contracts import Event
from netwright.errors import RunError
from netwright.stores.lock import RunLock
from netwright.stores.sqlite import SqliteStore
if os.getuid() == 0:
    os.setgid(65534); os.setuid(65534)
run = Path(sys.argv[1])
store = SqliteStore(run, readonly=True)
print(len(list(store.events())))
store.close()
for attempt in (lambda: SqliteStore(run), lambda: RunLock(run), lambda: store.append(Event("x", {})), lambda: store.put(b"x")):
    try:
        attempt()
    except RunError as error:
        print(error)
print(os.listdir(run))
"""


@pytest.fixture
def open_to_all() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        yield Path(folder)


@pytest.mark.skipif(os.name != "posix", reason="permissions as POSIX has them")
def test_a_read_only_folder_can_be_read(run: Path, open_to_all: Path) -> None:
    copy = open_to_all / "digits-1"
    with closing(SqliteStore(run)) as store:
        for i in range(3):
            store.append(Event("measured", {"number": i}))
        shutil.copytree(run, copy)  # With the journal, as after a kill.
    (copy / "run.db-shm").unlink()
    (copy / "lock").touch()
    for file in copy.iterdir():
        file.chmod(0o444)
    copy.chmod(0o555)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    done = subprocess.run(
        [sys.executable, "-c", READ_ONLY, str(copy)], capture_output=True, text=True, env=environment, check=False
    )
    copy.chmod(0o755)
    lines = done.stdout.splitlines()
    assert lines[:1] == ["503"], done.stderr
    assert lines[1] == f"{copy}: the run cannot be written: read-only. Copy the folder to where you may write."
    assert len(lines) == 6, lines
    assert all("cannot be written" in line for line in lines[2:5]), lines
    assert "run.db-shm" not in lines[5]


def test_reading_a_run_in_use(run: Path) -> None:
    with closing(SqliteStore(run)) as writer, closing(SqliteStore(run, readonly=True)) as reader:
        for i in range(3):
            writer.append(Event("measured", {"number": i}))
            assert len(list(reader.events())) == 501 + i
        with pytest.raises(RunError, match="read-only"):
            reader.append(Event("measured", {}))


def test_a_damaged_blob_is_named(run: Path) -> None:
    with closing(SqliteStore(run)) as store:
        digest = store.put(b"weights")
        file = run / "vault" / f"{digest}.safetensors"
        assert [f.name for f in file.parent.iterdir()] == [file.name]
        file.write_bytes(b"weighty")
        with pytest.raises(RunError, match=f"{file}: the file is damaged"):
            store.get(digest)
        assert store.put(b"weights") == digest
        assert store.get(digest) == b"weights"
        file.unlink()
        with pytest.raises(RunError, match="the file is missing"):
            store.get(digest)
