"""What a person gets wrong: one line that says what, where and what to do; exit code 2; nothing lost, nothing left behind."""

from __future__ import annotations

import csv
import os
import shutil
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from netwright.cli.main import main

Say = Callable[..., str]


@pytest.fixture
def say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Say:
    """Run the command in an empty folder, expect exit code 2, and return its one line."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> str:
        code = main([*arguments])
        out, err = capfd.readouterr()
        assert code == 2, (code, out, err)
        assert "Traceback" not in out + err
        lines = [line for line in err.splitlines() if line.startswith("error:")]
        assert len(lines) == 1, err
        assert not any(p.name == "run.db" for p in tmp_path.rglob("*") if "kept" not in p.parts), "a run was left behind"
        return lines[0]

    return run


def pictures(folder: Path, classes: dict[str, int], size: int = 12) -> None:
    rng = np.random.default_rng(0)
    for name, n in classes.items():
        (folder / name).mkdir(parents=True)
        for k in range(n):
            Image.fromarray(rng.integers(0, 255, (size, size, 3), dtype=np.uint8)).save(folder / name / f"{k}.png")


def table(path: Path, rows: int = 40, **columns: Callable[[int], Any]) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows([[make(i) for make in columns.values()] for i in range(rows)])
    return path


def test_a_path_that_does_not_exist(say: Say) -> None:
    assert "no-such" in say("search", "no-such-folder/")
    assert "Did you mean 'digits'" in say("search", "digit")


def test_an_empty_folder(say: Say, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    assert "photos" in say("search", "photos/")


def test_one_class_only(say: Say, tmp_path: Path) -> None:
    pictures(tmp_path / "photos", {"cat": 8})
    assert "class" in say("search", "photos")


def test_a_class_with_a_single_example(say: Say, tmp_path: Path) -> None:
    pictures(tmp_path / "photos", {"cat": 8, "dog": 1})
    assert "dog" in say("search", "photos")


def test_a_table_without_its_target(say: Say, tmp_path: Path) -> None:
    table(tmp_path / "t.csv", a=lambda i: i, prize=lambda i: i % 2)
    line = say("search", "t.csv", "--target", "price")
    assert "price" in line
    assert "prize" in line
    assert "target" in say("search", "t.csv")


def test_a_target_that_never_changes(say: Say, tmp_path: Path) -> None:
    table(tmp_path / "t.csv", a=lambda i: i, y=lambda i: 1)
    assert "y" in say("search", "t.csv", "--target", "y")


def test_a_limit_that_nothing_meets_is_said_with_the_nearest(say: Say) -> None:
    start = time.monotonic()
    line = say("search", "digits", "--limit", "params<=20")
    assert "nearest" in line
    assert "params" in line
    assert time.monotonic() - start < 60


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["digits", "--strategy", "evolutoin"], "Did you mean 'evolution'"),
        (["digits", "--space", "chian"], "Did you mean 'chain'"),
        (["digits", "--estimator", "trian"], "Did you mean 'train'"),
        (["digits", "--device", "gpuu"], "device"),
        (["digits", "--estimator", "stages"], "stages(train)"),
        (["digits", "--estimator", "train(stages)"], "cannot be built"),
        (["digits", "--estimator", "stages(train"], "cannot be read"),
        (["digits", "--budget", "-5m"], "positive"),
        (["digits", "--budget", "90"], "unit"),
        (["digits", "--budget", "soon"], "cannot be read"),
        (["digits", "--limit", "latency<=2"], "latency_ms"),
        (["digits", "--limit", "params<=20ms"], "params"),
        (["digits", "--minimize", "accuracy"], "maximize"),
        (["digits", "--maximize", "r2"], "r2"),
        (["digits", "--space", "mlp"], "table inputs"),
        (["wine", "--space", "chain"], "image inputs"),
        (["digits", "--set", "strategy.populaton=3"], "populaton"),
        (["digits", "--strategy", "evolution", "--set", "strategy.population=many"], "population"),
        (["digits", "--set", "control.seeds=0"], "seeds"),
        (["digits", "--set", "population=3"], "strategy.population"),
        (["digits", "--seed", "-1"], "seed"),
        (["digits", "--workers", "-2"], "workers"),
        (["digits", "--start-with", "nothing.json"], "nothing.json"),
        (["digits", "--split-by", "row"], "row"),
        (["digits", "--space", "mine.py:space"], "mine.py"),
        (["recipe.toml"], "recipe.toml"),
    ],
)
def test_flags_that_cannot_be(arguments: list[str], says: str, say: Say) -> None:
    assert says in say("search", *arguments)


def test_a_run_that_is_not_there(say: Say) -> None:
    for command in ("show", "resume", "report", "export"):
        assert "runs/digits-7" in say(command, "runs/digits-7")


@pytest.fixture
def kept(finished: Path, tmp_path: Path) -> Path:
    """A copy of a finished run that a test may spoil."""
    shutil.copytree(finished, tmp_path / "kept" / "digits-1")
    return tmp_path / "kept" / "digits-1"


def test_a_run_database_that_is_truncated(kept: Path, say: Say) -> None:
    for name in ("run.db-wal", "run.db-shm"):
        (kept / name).unlink(missing_ok=True)
    file = kept / "run.db"
    file.write_bytes(file.read_bytes()[:5000])
    for command in ("show", "resume", "report"):
        assert "damaged" in say(command, str(kept))


def test_a_run_of_a_newer_version(kept: Path, say: Say) -> None:
    with sqlite3.connect(kept / "run.db") as connection:
        (key,) = connection.execute("select key from meta where key like '%schema%'").fetchone()
        connection.execute("update meta set value = '99' where key = ?", (key,))
    connection.close()
    assert "newer" in say("resume", str(kept), "--budget", "+1m")


def test_a_run_that_is_in_use(kept: Path, say: Say) -> None:
    from netwright.stores.lock import RunLock

    with RunLock(kept):
        assert f"process {os.getpid()}" in say("resume", str(kept), "--budget", "+1m")
    assert main(["show", str(kept)]) == 0


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="the superuser may write anywhere")
def test_a_run_that_is_read_only(kept: Path, say: Say) -> None:
    kept.chmod(0o500)
    assert "read-only" in say("resume", str(kept), "--budget", "+1m")


def test_a_folder_that_is_taken(say: Say, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("hello")
    assert "mine" in say("search", "digits", "--out", "mine")
    assert (tmp_path / "mine" / "thesis.tex").read_text() == "hello"


def test_files_that_cannot_be_predicted(kept: Path, say: Say, tmp_path: Path) -> None:
    (tmp_path / "note.png").write_text("not a picture")
    assert "note.png" in say("predict", str(kept), "note.png")
    assert "gone.png" in say("predict", str(kept), "gone.png")


@pytest.mark.parametrize(
    ("columns", "rows"),
    [
        ({"a": lambda i: "" if i % 5 == 0 else i, "b": lambda i: "x" if i % 7 == 0 else i % 3, "c": lambda i: 1}, 60),
        ({f"c{k}": (lambda i, k=k: (i * (k + 1)) % 7) for k in range(100)}, 20),
    ],
    ids=["missing, text, constant", "more columns than rows"],
)
def test_tables_that_are_merely_ugly_are_searched(columns: dict[str, Any], rows: int, tmp_path: Path) -> None:
    from netwright.tasks.load import load

    path = table(tmp_path / "t.csv", rows, **columns, y=lambda i: ("no", "yes")[i % 2])
    task = load(str(path), target="y")
    assert task.describe()["warnings"] or task.describe()["notes"]
    assert sum(task.describe()["rows"].values()) == rows


def test_a_broken_image_among_good_ones_is_named_and_skipped(tmp_path: Path) -> None:
    from netwright.tasks.load import load

    pictures(tmp_path / "photos", {"cat": 12, "dog": 12})
    good = (tmp_path / "photos" / "cat" / "1.png").read_bytes()
    (tmp_path / "photos" / "cat" / "half.png").write_bytes(good[: len(good) // 2])
    (tmp_path / "photos" / "dog" / "none.jpg").write_bytes(b"")
    told = load(str(tmp_path / "photos")).describe()
    assert {entry["file"] for entry in told["skipped"]} == {"cat/half.png", "dog/none.jpg"}
    assert any("2 of 26" in warning for warning in told["warnings"])
