"""``show`` of one run and of all, from real run folders that hold a sample log."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from netwright.cli.main import main
from netwright.core.contracts import Event
from netwright.report.facts import facts
from netwright.stores.sqlite import SqliteStore
from netwright.testing.sample_log import sample_log


def write(folder: Path, events: list[Event]) -> None:
    folder.mkdir(parents=True)
    store = SqliteStore(folder, create=True)
    for event in events:
        store.append(event)
    store.close()


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    write(Path("runs/digits-1"), sample_log(20))
    write(Path("runs/digits-2"), sample_log(20)[:60])
    return tmp_path


def test_all_runs(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (runs / "runs/digits-3").mkdir()
    (runs / "runs/digits-3/run.db").write_bytes(b"nothing of the kind" * 100)
    assert main(["show"]) == 0
    out = capsys.readouterr().out
    lines = out.splitlines()
    assert [line.split()[:2] for line in lines if line.startswith("runs/")][:3] == [
        ["runs/digits-1", "finished"],
        ["runs/digits-2", "interrupted"],
        ["runs/digits-3", "unreadable"],
    ]
    assert "* on validation" in out
    assert main(["show", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["runs"]
    assert [entry["state"] for entry in told] == ["finished", "interrupted", "unreadable"]
    assert told[0]["spent"]["trials"] == 20


def test_no_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["show"]) == 0
    assert "No runs in runs." in capsys.readouterr().out


def test_the_folder_of_runs_can_be_elsewhere(
    runs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NETWRIGHT_RUNS", str(runs / "nowhere"))
    assert main(["show"]) == 0
    assert "No runs in" in capsys.readouterr().out


def test_one_run(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "runs/digits-1"]) == 0
    out = capsys.readouterr().out
    known = facts(sample_log(20))
    for told in (
        "on the sealed test (95 % interval",
        "Front, on validation",
        "Control arm",
        "gradient boosting",
        "Where the time went",
        "verdict",
    ):
        assert told in out
    assert ("Why trials failed" in out) == bool(known.failures)
    assert known.best is not None
    assert f"trial {known.best['trial']}:" in out


def test_one_run_that_was_interrupted(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "runs/digits-2"]) == 0
    out = capsys.readouterr().out
    assert "interrupted" in out
    assert "netwright resume runs/digits-2" in out
    assert "Control arm" not in out


def test_json_is_the_facts(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "runs/digits-1", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told == json.loads(json.dumps(facts(sample_log(20)).to_json()))
    for key in ("state", "recipe", "trials", "best", "front", "test", "control", "spent"):
        assert key in told


def test_a_narrow_terminal(runs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("COLUMNS", "50")
    assert main(["show", "runs/digits-1"]) == 0
    assert max(len(line) for line in capsys.readouterr().out.splitlines()) <= 50
