from netwright.core.contracts import Job, Runner
from netwright.runners.inline import InlineRunner
from netwright.testing.runner import RunnerKit, collected


class TestInlineRunner(RunnerKit):
    def make(self, setup: str, workers: int) -> Runner:
        return InlineRunner(setup, {"greeting": "hello"})


def test_one_step_at_a_time() -> None:
    runner = InlineRunner("netwright.testing.toys:workshop", {})
    assert runner.slots() == 1
    assert runner.busy() == 0
    assert list(runner.arrivals(1)) == []
    runner.submit(Job("a", "final", {"do": "count", "n": 2}))
    assert [arrival.kind for arrival in runner.arrivals(0)] == ["measured"]
    assert runner.busy() == 1
    assert [arrival.kind for arrival in runner.arrivals(0)] == ["measured"]
    assert [arrival.kind for arrival in runner.arrivals(0)] == ["finished"]
    assert runner.busy() == 0


def test_a_time_limit_is_seen_between_measurements() -> None:
    runner = InlineRunner("netwright.testing.toys:workshop", {})
    runner.submit(Job("a", "trial", {"do": "count", "n": 100, "pause_s": 0.05}, limit_s=0.12))
    last = collected(runner, ends=1)[-1]
    assert (last.kind, last.reason) == ("failed", "ran past its time limit of 0.12 s")
