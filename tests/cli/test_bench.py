"""The command ``bench``: what it prints, where, and what it refuses in one line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from netwright.cli.main import main
from netwright.testing.tables import tiny

pytest.importorskip("pyarrow", reason="reading tables needs pyarrow: pip install 'netwright[data]'")


@pytest.fixture
def table(tmp_path: Path) -> str:
    return str(tiny(tmp_path))


def test_json_and_nothing_else(table: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--table", table, "--strategies", "random,evolution[population=5,tournament=2]", "--seeds", "2", "--budget", "12"]
    assert main(["bench", *words, "--workers", "1", "--out", str(tmp_path / "out"), "--json"]) == 0
    out, err = capsys.readouterr()
    told = json.loads(out)
    assert not err
    assert [each["strategy"] for each in told["strategies"]] == ["random", "evolution[population=5,tournament=2]"]
    wanted = {"strategy", "median_queries", "p90_queries", "found_share", "ask_ms", "regret"}
    assert all(wanted <= each.keys() for each in told["strategies"])
    assert told["problem"]["table"] == table
    assert json.loads((tmp_path / "out" / "bench.json").read_text()) == told
    assert {p.name for p in (tmp_path / "out").iterdir()} == {
        "bench.html",
        "bench.json",
        "queries.parquet",
        "searches.jsonl",
        "lock",
    }

    assert main(["bench", *words, "--out", str(tmp_path / "out")]) == 0
    out, err = capsys.readouterr()
    assert "random" in out
    assert "bench.html" in out
    assert "tiny" in err, "what it is about goes beside"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("--strategies evolutoin", "Did you mean 'evolution'"),
        ("--strategies evolution[popul=3]", "no setting 'popul'"),
        ("--strategies random,random", "named twice"),
        ("--strategies ,", "has no name"),
        ("--strategies asha", 'Write "asha(evolution)"'),
        ("--strategies peers/nothing", "unknown peer"),
        ("--strategies random --objective val_ac", "Did you mean 'val_acc'"),
        ("--strategies random --minimize val_acc", "made large"),
        ("--strategies random --distinct clas", "Did you mean 'class'"),
        ("--strategies random --seeds 0", "0 seeds"),
        ("--strategies random --seed -1", "from -1 on"),
        ("--strategies random --budget 0", "budget '0'"),
        ("--strategies random --budget soon", "budget 'soon'"),
        ("--strategies random --workers -2", "-2 workers"),
        ("--strategies random --within nan", "within nan"),
        ("--strategies random --limit params<=1", "keeps the limits"),
    ],
)
def test_what_cannot_be_is_said_in_a_line(
    table: str, tmp_path: Path, words: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bench", "--table", table, *words.split(), "--out", str(tmp_path / "out")]) == 2
    shown = capsys.readouterr().err
    assert told in shown
    assert shown.startswith("error: ")
    assert shown.count("\n") == 1
    assert not (tmp_path / "out").exists(), "nothing is left behind"


def test_a_table_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--table", "minibenc", "--strategies", "random"]) == 2
    assert "Did you mean 'minibench'" in capsys.readouterr().err


def test_a_folder_that_cannot_be_is_said(table: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--table", table, "--strategies", "random", "--out", "/dev/null"]) == 2
    assert "/dev/null: " in capsys.readouterr().err.splitlines()[-1]


def test_a_folder_of_another_problem_is_refused(table: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [
        "--table",
        table,
        "--strategies",
        "random",
        "--seeds",
        "1",
        "--workers",
        "1",
        "--out",
        str(tmp_path / "out"),
        "--json",
    ]
    assert main(["bench", *words, "--budget", "3"]) == 0
    assert main(["bench", *words, "--budget", "4"]) == 2
    assert "has budget 3 queries, not 4 queries" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("strategy", "budget"),
    [("bayes[design=10]", "10"), ("evolution[initial=12,population=5]", "10"), ("asha(bayes[design=20])", "90 epochs")],
)
def test_a_budget_within_the_first_design_is_said(
    table: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], strategy: str, budget: str
) -> None:
    words = [
        "--table",
        table,
        "--strategies",
        strategy,
        "--seeds",
        "1",
        "--workers",
        "1",
        "--out",
        str(tmp_path / "out"),
        "--json",
    ]
    assert main(["bench", *words, "--budget", budget]) == 0
    (warned,) = json.loads(capsys.readouterr().out)["warnings"]
    assert warned.startswith(f"{strategy}: its first design takes")
    assert warned.endswith("trials, which is the whole budget of 10: it learns nothing")
