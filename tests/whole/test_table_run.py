"""A search over a table from the command line and from Python: what it says, both clocks, resume, and what is refused."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import netwright
from netwright.api import TABLE_BUDGET, Run, resume
from netwright.core.contracts import Event
from netwright.errors import LimitError, NoFeasible, RecipeError, RunError, UserError
from netwright.tables.describe import described as facts
from netwright.tables.read import read
from netwright.testing.tables import described, rows, tiny, write

pytest.importorskip("pyarrow", reason="reading tables needs pyarrow: pip install 'netwright[data]'")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tiny(tmp_path)


def ran(file: Path, out: str = "run", **given: Any) -> Run:
    return netwright.search(table=file, out=file.parent / out, **{"budget": "20 trials", "strategy": "random", **given})


def trials(run: Run) -> list[tuple[Any, ...]]:
    """What became of each trial, in simulated time."""
    ended = {e.body["number"]: e.body for e in run.events() if e.kind == "ended"}
    proposed = [e.body for e in run.events() if e.kind == "proposed"]
    return [(b["number"], b["id"], *(ended[b["number"]].get(k) for k in ("state", "clock", "seconds"))) for b in proposed]


def test_the_whole_course(file: Path) -> None:
    run = ran(file)
    told = run.facts.to_json()
    assert told["state"] == "finished"
    assert told["spent"]["trials"] == 20
    assert told["spent"]["simulated_s"] == pytest.approx(sum(seconds for *_, seconds in trials(run)))
    assert told["recipe"]["objectives"] == ["maximize val_acc"], "the table's first validation objective"
    assert {e.kind for e in run.events()} >= {"created", "forecast", "winner", "unsealed", "result", "finished"}
    assert not {e.kind for e in run.events()} & {"control", "tested", "exported", "finalist"}
    assert (run.folder / "report.html").is_file()
    assert "expected to reach" in (run.folder / "report.html").read_text()


def test_the_winner_is_chosen_by_validation_and_its_test_looked_up_once(file: Path) -> None:
    run = ran(file)
    best = run.best
    assert best is not None
    row = rows()[int(next(e.body["id"] for e in run.events() if e.kind == "winner"))]
    found = run.facts.table
    assert found is not None
    means = [(a + b) / 2 for a, b in zip(row["val.0"], row["val.1"], strict=True)]
    assert found["validation"]["score"] == best.metrics["val_acc"] == pytest.approx(means[-1])
    assert found["test"]["score"] == pytest.approx(means[-1] - 0.02)
    assert found["test"]["column"] == "test_acc"
    events = run.events()
    unsealed = [e for e in events if e.kind == "unsealed"]
    assert len(unsealed) == 1
    assert unsealed[0].number > next(e.number for e in events if e.kind == "winner")
    assert not any("test_acc" in e.body["values"] for e in events if e.kind == "measured")


def test_regret_and_random_are_the_tables_own(file: Path) -> None:
    everything = ran(file, budget="400 trials", strategy="evolution").facts.table
    assert everything is not None
    best = max(sum(row[f"val.{s}"][-1] for s in (0, 1)) / 2 for row in rows())
    assert everything["validation"]["best"] == pytest.approx(best)
    assert everything["validation"]["regret"] == pytest.approx(0)
    assert everything["random_trials"] == 81, "as many as the table has"
    assert everything["validation"]["random"] == pytest.approx(best)
    few = ran(file, "few", budget="1 trials").facts.table
    assert few is not None
    mean = sum(row[f"val.{s}"][-1] for s in (0, 1) for row in rows()) / 162
    assert few["validation"]["random"] == pytest.approx(mean, rel=1e-6), "one random trial is expected to be the mean"


def test_same_seed_same_trials_also_where_it_was_interrupted(file: Path) -> None:
    for workers in (1, 3):
        whole = trials(ran(file, f"whole-{workers}", strategy="evolution", budget="40 trials", workers=workers))
        for cut in (1, 17, 60, 101):
            out = file.parent / f"cut-{workers}-{cut}"
            with pytest.raises(KeyboardInterrupt):
                ran(file, out.name, strategy="evolution", budget="40 trials", workers=workers, tell=Interrupt(cut))
            assert Run(out).facts.state == "interrupted"
            assert trials(resume(out)) == whole


def test_same_trials_after_a_sudden_death(file: Path) -> None:
    """What was not in the log yet is done again, and comes out the same."""
    whole = trials(ran(file, "whole", strategy="evolution", budget="60 trials"))
    code = (
        "import os, netwright\n"
        "seen = []\n"
        "def die(event):\n"
        "    seen.append(event)\n"
        "    if len(seen) == 150: os._exit(9)\n"
        f"netwright.search(table={str(file)!r}, strategy='evolution', budget='60 trials', out='dead', tell=die)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=file.parent, check=False).returncode == 9
    assert len(trials(Run(file.parent / "dead"))) < 60
    assert trials(resume(file.parent / "dead")) == whole


class Interrupt:
    """Breaks in at the event of a number."""

    def __init__(self, at: int) -> None:
        self.at, self.seen = at, 0

    def __call__(self, event: Event) -> None:
        self.seen += event.kind in ("proposed", "started", "measured", "ended")
        if self.seen == self.at and event.kind != "stopped":
            raise KeyboardInterrupt


def test_workers_share_the_simulated_time(file: Path) -> None:
    alone, together = (ran(file, f"w{n}", workers=n).facts.spent["simulated_s"] for n in (1, 4))
    assert alone / 4 <= together < alone / 3


def test_a_budget_of_time_is_simulated(file: Path) -> None:
    run = ran(file, budget="10m")
    spent = run.facts.spent
    assert 480 < spent["simulated_s"] <= 600
    assert spent["wall_s"] < 60
    more = resume(run, budget="+5m").facts.spent
    assert 780 < more["simulated_s"] <= 900
    with pytest.raises(RunError, match="finished"):
        resume(run)


def test_limits(file: Path) -> None:
    """What is counted is never proposed; what is measured ends a trial, for nothing."""
    run = ran(
        file,
        budget="40 trials",
        limits=["params<=300", "latency_ms@phone<=2.5"],
        objectives=["maximize val_acc", "minimize latency_ms@phone"],
    )
    told = run.facts
    measured = [e.body["values"] for e in run.events() if e.kind == "measured"]
    assert all(values.get("params", 0) <= 300 for values in measured)
    assert told.screened > 0
    assert any(reason.startswith("latency_ms@phone >") for reason in told.failures)
    assert told.best is not None
    assert told.best["metrics"]["latency_ms@phone"] <= 2.5
    with pytest.raises(NoFeasible):
        ran(file, "none", limits=["params<=10"])


def test_a_part_of_a_space_is_searched_by_its_rows(file: Path) -> None:
    run = ran(file, budget="60 trials")
    assert {state for _, _, state, *_ in trials(run)} == {"finished"}, "what was not measured is not proposed"


def test_what_has_no_value_fails_with_its_key(tmp_path: Path) -> None:
    some = rows()
    for row in some[::2]:
        row["val.0"] = row["val.1"] = None
    run = ran(write(tmp_path / "holes.parquet", some, described(name="holes")))
    reasons = [e.body["reason"] for e in run.events() if e.kind == "ended" and e.body["state"] == "failed"]
    assert reasons
    assert all(reason.startswith("table holes: it has no val_acc for arch '|") for reason in reasons)
    assert run.facts.table is not None
    assert run.facts.table["keeping"] == 40


def test_a_test_column_can_be_the_objective_and_the_run_says_so(file: Path) -> None:
    run = ran(file, objectives=["maximize test_acc"])
    assert run.facts.task["sees_test"] == ["test_acc"]
    assert not any(e.kind == "unsealed" for e in run.events())
    assert "which is measured on test data" in run.facts.control["verdict"]
    assert "which is measured on test data" in (run.folder / "report.html").read_text()


def test_rungs_are_seen_by_a_strategy_that_watches(file: Path) -> None:
    epochs = [e.body["fidelity"]["epochs"] for e in ran(file).events() if e.kind == "measured"]
    assert epochs[:3] == [1, 3, 9]
    once = ran(file, "once", objectives=["maximize val_acc@4"])
    assert {e.body["fidelity"]["epochs"] for e in once.events() if e.kind == "measured"} == {4}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"objectives": ["maximize val_axc"]}, "Did you mean"),
        ({"objectives": ["minimize val_acc"]}, "is to be made large"),
        ({"limits": ["params<=2ms"]}, "is not a unit of params"),
        ({"space": "chain"}, "has its own space"),
        ({"target": "price"}, "rows of its own"),
        ({"estimator": "train", "data": "digits"}, "both data"),
        ({"strategy": "evolutoin"}, "Did you mean 'evolution'"),
    ],
)
def test_what_is_refused_leaves_no_folder(file: Path, given: dict[str, Any], told: str) -> None:
    with pytest.raises((LimitError, RecipeError, UserError), match=told):
        ran(file, **given)
    assert not (file.parent / "run").exists()


def test_a_run_over_a_table_exports_no_network(file: Path) -> None:
    with pytest.raises(RunError, match="trains no network"):
        ran(file).export()


def test_a_changed_table_is_refused(file: Path) -> None:
    run = ran(file)
    some = rows()
    some[3]["params"] += 1
    write(file, some, described())
    from netwright.tables.read import _arrow

    read.cache_clear()
    _arrow.cache_clear()
    with pytest.raises(UserError, match="table has changed"):
        resume(run, budget="+5 trials")


def test_the_forecast_is_in_simulated_time(file: Path) -> None:
    told = netwright.api.dry_run(netwright.recipe.Recipe(table=str(file), budget=netwright.recipe.Budget(trials=10)))
    assert told["simulated"] is True
    assert told["trials"] == 10
    assert told["search_s"] == pytest.approx(10 * told["trial_s"], rel=0.01)


def test_the_command_line(file: Path, netwright: Callable[..., Any]) -> None:
    home = file.parent
    done = netwright("search", "--table", "tiny.parquet", "--maximize", "val_acc@9", "--budget", "12 trials", cwd=home)
    assert done.returncode == 0, done.stderr
    assert "test_acc@9" in done.stdout
    assert "simulated time" in done.stdout
    shown = netwright("show", "runs/tiny-1", cwd=home).stdout
    assert "of simulated time" in shown
    told = json.loads(netwright("show", "runs/tiny-1", "--json", cwd=home).stdout)
    assert told["table"]["test"]["column"] == "test_acc@9"
    again = netwright("search", "runs/tiny-1/recipe.toml", "--out", "again", "--quiet", cwd=home)
    assert again.returncode == 0, again.stderr
    assert trials(Run(home / "again")) == trials(Run(home / "runs" / "tiny-1"))
    longer = netwright("resume", "again", "--budget", "+3 trials", "--json", cwd=home)
    assert json.loads(longer.stdout)["spent"]["trials"] == 15
    nothing = netwright("search", cwd=home)
    assert nothing.returncode == 2
    assert nothing.stderr.startswith("error: neither data nor a table is named")


def test_describing_on_the_command_line(file: Path, netwright: Callable[..., Any]) -> None:
    home = file.parent
    told = json.loads(netwright("table", "describe", "tiny.parquet", "--json", cwd=home).stdout)
    assert told == json.loads(json.dumps(facts(read(str(file))) | {"files": ["tiny.parquet"]}))
    printed = " ".join(netwright("table", "describe", "tiny.parquet", cwd=home).stdout.split())
    assert "val_acc @1–@9 #0–#1 max validation" in printed
    assert "nasbench201" in netwright("table", "list", cwd=home).stdout
    shutil.copy(home / "tiny.parquet", home / "cut.parquet")
    (home / "cut.parquet").write_bytes((home / "tiny.parquet").read_bytes()[:500])
    bad = netwright("table", "describe", "cut.parquet", cwd=home)
    assert (bad.returncode, bad.stderr.count("\n")) == (2, 1)
    assert "cut.parquet: it is not a Parquet file" in bad.stderr


def test_nothing_heavy_is_loaded(file: Path, netwright: Callable[..., Any]) -> None:
    """A search over a table needs no torch."""
    code = (
        "import sys, netwright; netwright.search(table='tiny.parquet', budget='3 trials', strategy='random', out='light');"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=file.parent, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_replay_has_a_budget_of_its_own() -> None:
    assert TABLE_BUDGET.trials == 500
