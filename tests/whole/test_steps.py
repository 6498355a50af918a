"""Searches that train the promising longer: over a table what going on costs, and a real run that is killed and goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import netwright
from netwright.api import Run, resume
from netwright.core.contracts import Event
from netwright.testing.tables import rows, tiny

pytest.importorskip("pyarrow", reason="reading tables needs pyarrow: pip install 'netwright[data]'")

LEAN = {
    "estimator": {"epochs": 6, "final_epochs": 2},
    "control": {"finalists": 1, "randoms": 0, "seeds": 1, "references": False},
}


def steps(run: Run) -> list[tuple[Any, ...]]:
    """Each trial, what it went on with, how far it went, and what came of it."""
    ended = {e.body["number"]: e.body for e in run.events() if e.kind == "ended"}
    proposed = [e.body for e in run.events() if e.kind == "proposed"]
    return [
        (
            b["number"],
            b["id"],
            b["continues"],
            b["fidelity"]["epochs"],
            ended[b["number"]]["state"],
            ended[b["number"]].get("clock"),
        )
        for b in proposed
    ]


@pytest.mark.parametrize("strategy", ["asha(evolution)", "hyperband(random)"])
@pytest.mark.parametrize("workers", [1, 3])
def test_over_a_table_what_goes_on_costs_the_rest_and_a_resumed_search_is_the_same(
    tmp_path: Path, strategy: str, workers: int
) -> None:
    given: dict[str, Any] = {"table": tiny(tmp_path), "objectives": ["val_acc"], "strategy": strategy, "budget": "40 trials"}
    whole = netwright.search(**given, workers=workers, out=tmp_path / "whole")
    before: dict[int, int] = {}
    seconds = {e.body["number"]: e.body["seconds"] for e in whole.events() if e.kind == "ended"}
    for number, row, earlier, epochs, *_ in steps(whole):
        each = (rows()[int(row)]["seconds.0"][0] + rows()[int(row)]["seconds.1"][0]) / 2
        assert seconds[number] == pytest.approx(each * (epochs - before.get(earlier, 0)), rel=1e-3)
        before[number] = epochs
    assert any(earlier is not None for _, _, earlier, *_ in steps(whole))
    best = whole.best
    assert best is not None
    assert {number: epochs for number, _, _, epochs, *_ in steps(whole)}[best.trial] == 9, "the winner was trained in full"
    seen = 0

    def break_in(event: Event) -> None:
        nonlocal seen
        seen += 1
        if seen == 77:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        netwright.search(**given, workers=workers, out=tmp_path / "cut", tell=break_in)
    assert steps(resume(tmp_path / "cut")) == steps(whole)


CODE = """
import netwright
if __name__ == "__main__":
    netwright.search("digits", strategy="asha(random)", limits=["params<=4k"], budget="24 trials", out="run", workers=1, options={options})
"""


@pytest.mark.slow
def test_a_real_search_that_is_killed_goes_on_from_its_checkpoints(tmp_path: Path) -> None:
    """The same trials with the same scores as one that was left alone, and no checkpoint is left behind."""
    found = {}
    for name, kills in (("alone", 0), ("killed", 4)):
        home = tmp_path / name
        home.mkdir()
        (home / "go.py").write_text(CODE.format(options=LEAN))
        command = [sys.executable, "go.py"]
        for moment in range(kills):
            process = subprocess.Popen(command, cwd=home, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(9 + 2 * moment)
            if process.poll() is None:
                os.kill(process.pid, signal.SIGKILL)
            process.wait()
            command = (
                [sys.executable, "-m", "netwright", "resume", "run", "--quiet"] if (home / "run" / "run.db").exists() else command
            )
        subprocess.run(command, cwd=home, check=kills == 0, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        run = Run(home / "run")
        assert run.facts.state == "finished"
        scores = {
            e.body["number"]: e.body["values"] for e in run.events() if e.kind == "measured" and "accuracy" in e.body["values"]
        }
        found[name] = [(*step[:5], scores.get(step[0])) for step in steps(run)]
        kept = {e.body["checkpoint"] for e in run.events() if e.kind == "control" and e.body.get("checkpoint")}
        assert {file.stem for file in (home / "run" / "vault").iterdir()} == kept
    assert found["alone"] == found["killed"]
    assert any(step[2] is not None for step in found["alone"])
