"""``list``, ``doctor``, ``predict``, ``export`` and ``report``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from netwright import api
from netwright.cli import doctor, listing
from netwright.cli.main import main
from netwright.registry import KINDS, listed
from netwright.stores.sqlite import SqliteStore


def test_list_has_every_part(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    for kind in KINDS:
        assert set(told[kind]) == set(listed(kind))
        assert all(told[kind].values())
    assert main(["list", "strategies"]) == 0
    assert capsys.readouterr().out.startswith("asha")


def test_list_has_all_bundled_data() -> None:
    from netwright.tasks.load import BUNDLED

    assert set(listing.DATA) == set(BUNDLED)


def test_doctor_ends_with_1_where_something_is_wrong(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    good, bad = doctor.Check("disk", True, "9 GiB free"), doctor.Check("memory", False, "[none]", "Buy some.")
    monkeypatch.setattr(doctor, "checks", lambda: iter([good, bad]))
    assert main(["doctor"]) == 1
    out = capsys.readouterr().out
    assert "[none]" in out
    assert "Buy some." in out
    assert "1 problem" in out
    assert main(["doctor", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["checks"][1]["todo"] == "Buy some."
    monkeypatch.setattr(doctor, "checks", lambda: iter([good]))
    assert main(["doctor"]) == 0


def test_a_check_that_raises_is_a_problem() -> None:
    def missing() -> doctor.Check:
        raise ModuleNotFoundError("No module named 'torch'")

    found = doctor._made("PyTorch", missing)
    assert not found.ok
    assert "pip install" in found.todo


def test_a_runs_folder_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "file"
    file.touch()
    monkeypatch.setenv("NETWRIGHT_RUNS", str(file))
    assert not doctor._folder().ok
    monkeypatch.setenv("NETWRIGHT_RUNS", str(tmp_path / "new" / "runs"))
    assert doctor._folder().ok
    assert not (tmp_path / "new").exists()


def test_the_self_test_runs_a_network() -> None:
    found = doctor._exercise()
    assert found.ok, found.found


def shares(*values: float) -> dict[str, float]:
    return {f"class {k}": value for k, value in enumerate(values)}


@pytest.mark.parametrize(
    ("found", "lines"),
    [
        (
            [{"input": "a.png", "prediction": "class 1", "probabilities": shares(0.2, 0.8)}],
            ["input\tprediction\tprobability\tclass 0\tclass 1", "a.png\tclass 1\t0.8000\t0.2000\t0.8000"],
        ),
        (
            [{"input": "a.png", "prediction": "class 4", "probabilities": shares(0.1, 0.1, 0.0, 0.3, 0.5)}],
            ["input\tprediction\tprobability\tnext best\tits probability", "a.png\tclass 4\t0.5000\tclass 3\t0.3000"],
        ),
        ([{"input": "t.csv:0", "prediction": 12.3456789}], ["input\tprediction", "t.csv:0\t12.3457"]),
        ([], ["input\tprediction"]),
    ],
)
def test_predictions_are_tab_separated_in_a_pipe(
    found: list[dict[str, Any]], lines: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(api, "predict", lambda run, files: found)
    assert main(["predict", "runs/digits-1", "a.png"]) == 0
    assert capsys.readouterr().out.splitlines() == lines
    assert main(["predict", "runs/digits-1", "a.png", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == found


def test_export_and_report_say_where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    run = Path("run")
    run.mkdir()
    SqliteStore(run, create=True).close()
    asked: dict[str, Any] = {}

    def exported(folder: Path, **given: Any) -> Path:
        asked.update(given)
        return run / "model"

    monkeypatch.setattr(api, "export", exported)
    monkeypatch.setattr(api, "report", lambda folder: folder / "report.html")
    assert main(["export", "run", "--trial", "3", "--int8", "--quiet"]) == 0
    assert capsys.readouterr().out == "run/model\n"
    assert asked == {"trial": 3, "int8": True}
    assert main(["report", "run"]) == 0
    assert capsys.readouterr().out == "run/report.html\n"
