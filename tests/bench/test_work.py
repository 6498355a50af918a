"""Searches in processes: the same as in this one, kept as they end, gone on with after whatever happens."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from netwright.bench import work
from netwright.bench.log import Log
from netwright.bench.plan import Plan
from netwright.bench.play import Played, play
from netwright.bench.problem import Problem
from netwright.bench.work import Pace, State, searched
from netwright.core.contracts import Arrival, Job
from netwright.errors import NetwrightError, RunError
from netwright.stores.lock import RunLock

Pose = Callable[..., Problem]


def gone(plan: Plan, folder: Path, workers: int, tell: Callable[[State], None]) -> list[Played]:
    """Through all searches, with a log of its own."""
    with closing(Log(folder, plan, "f")) as log:
        return searched(plan, log, workers, tell)


def same(one: Played, other: Played) -> bool:
    """But for the time it took."""
    return replace(one, ask_ms=[], seconds=0.0) == replace(other, ask_ms=[], seconds=0.0)


def test_processes_search_as_this_one_does_and_nothing_is_done_twice(pose: Pose, tmp_path: Path) -> None:
    problem = pose(strategies=("random", "evolution[population=5,tournament=2]"), budget=15, seeds=3, first=2)
    states: list[State] = []
    found = gone(problem.plan, tmp_path / "out", 2, states.append)
    assert [(each.strategy, each.seed) for each in found] == [(s, k) for s in problem.plan.strategies for k in (2, 3, 4)]
    assert all(same(each, play(problem, each.strategy, each.seed)) for each in found)
    assert (states[-1].done, states[-1].total, states[-1].left_s) == (6, 6, 0.0)
    before = (tmp_path / "out" / "searches.jsonl").read_bytes()
    again = gone(problem.plan, tmp_path / "out", 2, lambda state: pytest.fail("there is nothing left to do"))
    assert again == found
    assert (tmp_path / "out" / "searches.jsonl").read_bytes() == before


def test_two_benches_never_share_a_folder(pose: Pose, tmp_path: Path) -> None:
    with RunLock(tmp_path), pytest.raises(RunError, match="in use"):
        gone(pose().plan, tmp_path, 1, lambda state: None)


class Broken:
    """A runner whose second search comes to grief."""

    def __init__(self, setup: str, argument: Any, workers: int, **given: Any) -> None:
        self.jobs: list[Job] = []

    def slots(self) -> int:
        return 1

    def busy(self) -> int:
        return len(self.jobs)

    def submit(self, job: Job) -> None:
        self.jobs.append(job)

    def arrivals(self, timeout_s: float) -> list[Arrival]:
        job = self.jobs[0]
        if job.body["seeds"] == [0]:
            self.jobs.clear()
            return [Arrival(job.key, "measured", Played("random", 0, seconds=0.1).to_json()), Arrival(job.key, "finished")]
        return [Arrival(job.key, "lost", {}, "worker killed by signal 9 (SIGKILL)")]

    def close(self) -> None:
        self.jobs.clear()


def test_a_search_that_fails_is_named_and_the_others_are_kept(
    pose: Pose, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("netwright.runners.process.ProcessRunner", Broken)
    monkeypatch.setattr(work, "CHUNK_S", 0.0)
    with pytest.raises(NetwrightError, match="strategy random, seed 1: worker killed by signal 9"):
        gone(pose(seeds=3).plan, tmp_path, 1, lambda state: None)
    lines = (tmp_path / "searches.jsonl").read_text().splitlines()
    assert [json.loads(line)["seed"] for line in lines[1:]] == [0]


def test_chunks_last_about_as_long_whatever_a_search_takes() -> None:
    pace = Pace([(text, seed) for text in ("quick", "slow") for seed in range(100)], workers=2)
    chunks = pace.chunks()
    assert [next(chunks), next(chunks)] == [("quick", [0]), ("slow", [0])]
    pace.took(Played("quick", 0, seconds=0.25))
    assert pace.left_s() is None, "nobody knows what the other takes"
    pace.took(Played("slow", 0, seconds=9.0))
    assert next(chunks) == ("quick", list(range(1, 17)))
    assert next(chunks) == ("slow", [1])
    assert pace.left_s() == pytest.approx((99 * 0.25 + 99 * 9) / 2)
    rest = list(chunks)
    assert sorted(seed for text, seeds in rest for seed in seeds if text == "quick") == list(range(17, 100))


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_it_goes_on_after_it_was_ended(pose: Pose, table: Path, tmp_path: Path, number: int) -> None:
    words = [
        "--table",
        str(table),
        "--strategies",
        "random,evolution",
        "--seeds",
        "30",
        "--budget",
        "60",
        "--out",
        str(tmp_path / "o"),
    ]
    command = [sys.executable, "-m", "netwright", "bench", *words, "--json"]
    began = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    log = tmp_path / "o" / "searches.jsonl"
    while not (log.exists() and log.read_text().count("\n") > 5):
        time.sleep(0.02)
    began.send_signal(number)
    out, told = began.communicate()
    if number == signal.SIGINT:
        assert began.returncode == 130
        assert f"netwright bench --table {table}" in told
        assert f"--out {tmp_path / 'o'}" in told
    assert not out
    done = log.read_text().count("\n") - 1
    assert done < 60, "it was quicker than the signal"
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    keys = [(d["strategy"], d["seed"]) for d in map(json.loads, log.read_text().splitlines()[1:])]
    assert len(keys) == len(set(keys)) == 60
    whole = subprocess.run([*command[:-2], str(tmp_path / "p"), "--json"], capture_output=True, text=True, check=True)
    one, other = ([drop(each) for each in json.loads(run.stdout)["strategies"]] for run in (ended, whole))
    assert one == other


def drop(told: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in told.items() if name not in ("ask_ms", "own_s")}
