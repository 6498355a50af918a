"""The simulated runner: the kit, and its clock."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from netwright.core.contracts import Arrival, Job, Runner
from netwright.runners.handling import Handler
from netwright.runners.simulated import SimulatedRunner
from netwright.testing.runner import RunnerKit


class TestSimulatedRunner(RunnerKit):
    def make(self, setup: str, workers: int) -> Runner:
        return SimulatedRunner(setup, {"greeting": "hello"}, workers)


def shop(argument: Mapping[str, Any]) -> Handler:
    """Work that costs what its job says, step by step."""

    def handle(kind: str, body: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        for cost in body["costs"]:
            yield {"kind": "measured", "body": {"values": {"x": 1.0}, "cost": {"train": cost}}}
        yield {"kind": "finished", "body": {}}

    return handle


@pytest.fixture
def runner(monkeypatch: pytest.MonkeyPatch) -> SimulatedRunner:
    monkeypatch.setattr("netwright.testing.toys.shop", shop, raising=False)
    return SimulatedRunner("netwright.testing.toys:shop", {}, 2)


def ends(runner: SimulatedRunner) -> list[tuple[str, float, float]]:
    """Key, clock and seconds of every job that ends."""
    found: list[Arrival] = []
    while runner.busy():
        found += runner.arrivals(float("inf"))
    return [(a.key, a.body["clock"], a.body["seconds"]) for a in found if a.kind == "finished"]


def test_arrivals_come_in_simulated_order(runner: SimulatedRunner) -> None:
    for key, costs in {"long": [100.0], "short": [10.0], "next": [20.0, 30.0]}.items():
        runner.submit(Job(key, "trial", {"costs": costs}))
    assert ends(runner) == [("short", 10.0, 10.0), ("next", 60.0, 50.0), ("long", 100.0, 100.0)]
    assert runner.now == 100.0


def test_of_one_instant_the_first_submitted_comes_first(runner: SimulatedRunner) -> None:
    for key in "ba":
        runner.submit(Job(key, "trial", {"costs": [5.0]}))
    assert [key for key, _, _ in ends(runner)] == ["b", "a"]


def test_waiting_is_simulated(runner: SimulatedRunner) -> None:
    runner.submit(Job("a", "trial", {"costs": [10.0]}))
    assert runner.arrivals(4.0) == ()
    assert runner.now == 4.0
    assert [a.kind for a in runner.arrivals(7.0)] == ["measured"]
    assert runner.now == 10.0


def test_a_stopped_job_frees_its_worker_at_once_and_its_next_step_is_not_done(runner: SimulatedRunner) -> None:
    for key, costs in {"a": [1.0, 1000.0], "b": [50.0], "c": [2.0]}.items():
        runner.submit(Job(key, "trial", {"costs": costs}))
    assert [a.key for a in runner.arrivals(float("inf"))] == ["a"]
    runner.stop("a")
    assert ends(runner) == [("c", 3.0, 2.0), ("b", 50.0, 50.0)]


def test_a_time_limit_is_simulated(runner: SimulatedRunner) -> None:
    runner.submit(Job("a", "trial", {"costs": [5.0, 100.0]}, limit_s=30.0))
    assert [a.kind for a in runner.arrivals(1e9)] == ["measured"]
    (last,) = runner.arrivals(1e9)
    assert (last.kind, last.reason, last.body["clock"]) == ("failed", "ran past its time limit of 30 s", 30.0)


def test_a_resumed_clock_goes_on_where_it_stood(monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs that were under way arrive when they would have arrived."""
    monkeypatch.setattr("netwright.testing.toys.shop", shop, raising=False)
    runner = SimulatedRunner("netwright.testing.toys:shop", {}, 2, start=30.0, began={"old": 20.0})
    runner.submit(Job("old", "trial", {"costs": [15.0]}))
    runner.submit(Job("new", "trial", {"costs": [1.0]}))
    assert ends(runner) == [("new", 31.0, 1.0), ("old", 35.0, 15.0)]
