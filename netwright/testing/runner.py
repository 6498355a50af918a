"""What every runner must do, as classes of tests: derive from one and say in ``make`` how yours is made."""

from __future__ import annotations

import json
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from netwright.core.contracts import Arrival, Job, Runner

__all__ = ["IsolatedRunnerKit", "RunnerKit"]

_TOYS = "netwright.testing.toys"


class RunnerKit(ABC):
    """For any runner."""

    @abstractmethod
    def make(self, setup: str, workers: int) -> Runner:
        """A runner whose handler is ``setup({"greeting": "hello"})``."""

    @contextmanager
    def runner(self, setup: str = "workshop", workers: int = 2) -> Iterator[Runner]:
        with closing(self.make(f"{_TOYS}:{setup}", workers)) as made:
            yield made

    def test_a_job_gives_its_steps_in_order(self) -> None:
        with self.runner() as runner:
            arrivals = outcome(runner, do="count", n=3)
            assert [a.kind for a in arrivals] == ["measured"] * 3 + ["finished"]
            assert [a.body["values"]["accuracy"] for a in arrivals[:3]] == [0.0, 0.1, 0.2]
            assert arrivals[-1].body["greeting"] == "hello"
            assert arrivals[-1].body["kind"] == "trial"

    def test_every_job_ends_once_in_whatever_order(self) -> None:
        with self.runner(workers=2) as runner:
            for i in range(7):
                runner.submit(Job(f"job {i}", "trial", {"do": "count", "n": 1 + i % 3, "pause_s": 0.01 * (7 - i)}))
            ends = [a for a in collected(runner, ends=7) if a.kind == "finished"]
            assert sorted(a.key for a in ends) == [f"job {i}" for i in range(7)]
            assert list(runner.arrivals(0.05)) == []

    def test_a_failure_has_its_reason_and_the_next_job_works(self) -> None:
        told = {
            "error": "RuntimeError: shapes do not fit",
            "leave": "SystemExit: 3",
            "nan": "accuracy is not finite",
            "strange": "a step is not JSON: Object of type object is not JSON serializable",
            "silent": "the work ended without a result",
            "over": "params 30 > 20",
            "nonsense": "KeyError: '_nonsense'",
        }
        with self.runner(workers=1) as runner:
            for do, reason in told.items():
                last = outcome(runner, do=do)[-1]
                assert (last.kind, last.reason) == ("infeasible" if do == "over" else "failed", reason), do
                assert outcome(runner, do="count", n=1)[-1].kind == "finished"

    def test_a_traceback_comes_with_an_exception(self) -> None:
        with self.runner(workers=1) as runner:
            assert "in _error" in outcome(runner, do="error")[-1].body["traceback"]

    def test_a_set_up_that_raises_fails_the_job(self) -> None:
        with self.runner("broken", workers=1) as runner:
            for _ in range(2):
                last = outcome(runner, do="count")[-1]
                assert last.kind == "failed"
                assert "FileNotFoundError: the data is gone" in last.reason

    def test_bodies_are_json(self) -> None:
        with self.runner(workers=1) as runner:
            for bad in ({"do": {1, 2}}, {"do": float("nan")}):
                try:
                    runner.submit(Job("bad", "trial", bad))
                except (TypeError, ValueError):
                    continue
                raise AssertionError(f"{bad} was taken")
            for arrival in outcome(runner, do="count"):
                json.dumps(dict(arrival.body), allow_nan=False)

    def test_a_stopped_job_is_closed_and_says_no_more(self, tmp_path: Path) -> None:
        with self.runner(workers=1) as runner:
            runner.submit(Job("long", "trial", {"do": "closing", "file": str(tmp_path / "left")}))
            assert runner.arrivals(30)[0].kind == "measured"
            runner.stop("long")
            runner.submit(Job("next", "trial", {"do": "count", "n": 1}))
            assert {a.key for a in collected(runner, ends=1)} == {"next"}
            assert (tmp_path / "left").read_text() == "closed"

    def test_a_queued_job_can_be_stopped(self) -> None:
        with self.runner(workers=1) as runner:
            runner.submit(Job("first", "trial", {"do": "count", "n": 2, "pause_s": 0.02}))
            runner.submit(Job("second", "trial", {"do": "count", "n": 1}))
            runner.stop("second")
            assert {a.key for a in collected(runner, ends=1)} == {"first"}
            assert list(runner.arrivals(0.05)) == []


class IsolatedRunnerKit(RunnerKit):
    """For a runner whose work cannot harm the search."""

    def test_a_worker_that_dies_is_lost_and_the_next_job_works(self) -> None:
        told = {
            "crash": "worker killed by signal 9 (SIGKILL)",
            "vanish": "worker ended by itself, exit code 7",
        }
        with self.runner(workers=1) as runner:
            for do, reason in told.items():
                arrivals = outcome(runner, do=do)
                assert [a.kind for a in arrivals] == ["measured", "lost"], "what it said before it died counts"
                assert arrivals[-1].reason == reason
                assert outcome(runner, do="count", n=1)[-1].kind == "finished"

    def test_a_death_does_not_touch_the_neighbour(self) -> None:
        with self.runner(workers=2) as runner:
            runner.submit(Job("good", "trial", {"do": "count", "n": 20, "pause_s": 0.02}))
            runner.submit(Job("bad", "trial", {"do": "crash"}))
            ends = {a.key: a.kind for a in collected(runner, ends=2) if a.kind != "measured"}
            assert ends == {"good": "finished", "bad": "lost"}

    def test_a_time_limit_is_kept(self) -> None:
        with self.runner(workers=1) as runner:
            outcome(runner, do="count", n=1)
            start = time.monotonic()
            last = outcome(runner, limit_s=0.3, do="hang")[-1]
            assert (last.kind, last.reason) == ("failed", "ran past its time limit of 0.3 s")
            assert time.monotonic() - start < 1.5
            assert outcome(runner, limit_s=30, do="count", n=1)[-1].kind == "finished"

    def test_a_hanging_job_is_stopped_within_a_second(self) -> None:
        with self.runner(workers=1) as runner:
            runner.submit(Job("long", "trial", {"do": "hang"}))
            runner.arrivals(30)
            start = time.monotonic()
            runner.stop("long")
            assert list(runner.arrivals(5)) == []
            assert time.monotonic() - start < 1.0
            assert outcome(runner, do="count", n=1)[-1].kind == "finished"

    def test_closing_ends_a_hanging_job(self) -> None:
        with self.runner(workers=2) as runner:
            for key in "ab":
                runner.submit(Job(key, "trial", {"do": "hang"}))
            runner.arrivals(30)
            start = time.monotonic()
            runner.close()
            assert time.monotonic() - start < 2.0


def outcome(runner: Runner, limit_s: float | None = None, **body: Any) -> Sequence[Arrival]:
    """All that comes of one job alone."""
    runner.submit(Job("job", "trial", body, limit_s))
    return collected(runner, ends=1)


def collected(runner: Runner, ends: int, within_s: float = 60.0) -> list[Arrival]:
    """What arrives until so many jobs have ended."""
    found: list[Arrival] = []
    until = time.monotonic() + within_s
    while sum(a.kind != "measured" for a in found) < ends:
        assert time.monotonic() < until, f"only this came within {within_s:g} s: {found}"
        found += runner.arrivals(1.0)
    return found
