"""Facts are a pure function of any beginning of a log."""

from __future__ import annotations

import json
import time

import pytest

from netwright.core.contracts import Event
from netwright.report.facts import facts
from netwright.testing.sample_log import sample_log

SHOWN = {
    "state",
    "recipe",
    "trials",
    "best",
    "front",
    "test",
    "control",
    "spent",
    "forecast",
    "failures",
    "machine",
    "task",
    "space",
    "screened",
}


@pytest.fixture(scope="module")
def log() -> list[Event]:
    return sample_log()


def run(*events: tuple[str, float, dict]) -> list[Event]:
    """A small log: what happens, when, with what; limits and objectives as in a usual run."""
    recipe = {"objectives": ["accuracy"], "limits": ["latency_ms<=2"]}
    begun = ("created", 100.0, {"recipe": recipe, "task": {}}), ("session", 100.0, {"pid": 1, "resumed": False, "started": 98.0})
    return [Event(kind, body, at) for kind, at, body in (*begun, *events)]


def tried(
    number: int, accuracy: float, latency: float = 1.0, at: float = 101.0, state: str = "finished"
) -> list[tuple[str, float, dict]]:
    key = {"number": number, "attempt": 1}
    return [
        ("proposed", at, {**key, "id": f"{number:016x}", "notes": {"screened": 2}}),
        ("started", at, key),
        ("measured", at + 1, {**key, "values": {"accuracy": accuracy, "latency_ms": latency}, "cost": {"train": 1.0}}),
        ("ended", at + 2, {**key, "state": state, "reason": "", "seconds": 2.0}),
    ]


def test_every_beginning_of_a_log_gives_json(log: list[Event]) -> None:
    for length in range(len(log) + 1):
        shown = facts(log[:length]).to_json()
        assert shown.keys() >= SHOWN
        json.dumps(shown, allow_nan=False)
        for row in shown["trials"]:
            assert {"number", "state", "architecture", "metrics", "reason", "seconds", "attempt", "fidelity"} <= row.keys()


def test_a_run_goes_through_its_states_in_order(log: list[Event]) -> None:
    states = [facts(log[:length]).state for length in range(len(log) + 1)]
    seen = [state for place, state in enumerate(states) if place == 0 or states[place - 1] != state]
    assert seen == ["empty", "searching", "finishing", "finished"]
    assert facts(log[:50], running=False).state == "interrupted"
    assert facts(log, running=False).state == "finished"


def test_the_best_so_far_is_the_best_feasible_trial_until_the_winner_is_fixed() -> None:
    events = tried(0, 0.90) + tried(1, 0.99, latency=3.0, at=104) + tried(2, 0.95, at=107)
    found = facts(run(*events)).best
    assert found is not None
    assert found["trial"] == 2
    assert found["limits_met"]
    assert not found["final"]
    ending = ("winner", 111.0, {"number": 0, "id": "x", "why": "because"})
    found = facts(run(*events, ("finalist", 110.0, {"number": 0, "values": {"latency_ms": 1.7}, "kept": True}), ending)).best
    assert found is not None
    assert found["trial"] == 0
    assert found["final"]
    assert found["metrics"]["latency_ms"] == 1.7


def test_where_nothing_keeps_the_limits_the_nearest_is_shown_and_said_to_break_them() -> None:
    found = facts(run(*tried(0, 0.99, latency=9.0), *tried(1, 0.90, latency=3.0, at=104)))
    assert found.best is not None
    assert found.best["trial"] == 1
    assert not found.best["limits_met"]
    assert found.front == []


def test_a_finalist_that_breaks_its_limit_when_measured_again_leaves_the_front() -> None:
    events = tried(0, 0.99) + tried(1, 0.95, at=104)
    again = ("finalist", 110.0, {"number": 0, "values": {"latency_ms": 2.4}, "kept": False, "reason": "latency_ms 2.4 > 2"})
    assert [point["trial"] for point in facts(run(*events)).front] == [0]
    assert [point["trial"] for point in facts(run(*events, again)).front] == [1]


def test_trials_that_broke_one_limit_failed_for_one_reason() -> None:
    ends = [("ended", 101.0, {"number": n, "state": "infeasible", "reason": f"latency_ms {n + 2.125:.4g} > 2"}) for n in range(5)]
    other = ("ended", 102.0, {"number": 9, "state": "failed", "reason": "out of memory: 512 MiB"})
    assert facts(run(*ends, other)).failures == {"latency_ms > 2": 5, "out of memory: 512 MiB": 1}


def test_a_lost_attempt_leaves_no_measurements() -> None:
    events = [*tried(0, 0.9)[:3], ("lost", 104.0, {"number": 0, "attempt": 1, "reason": "killed"})]
    (row,) = facts(run(*events)).trials
    assert (row["state"], row["reason"]) == ("lost", "killed")
    (row,) = facts(run(*events, ("started", 105.0, {"number": 0, "attempt": 2}))).trials
    assert (row["state"], row["attempt"], row["metrics"], row["reason"]) == ("running", 2, {}, "")


def test_what_was_under_way_when_the_search_ended_was_cut() -> None:
    events = [*tried(0, 0.9), *tried(1, 0.9, at=104)[:3]]
    assert [row["state"] for row in facts(run(*events)).trials] == ["finished", "running"]
    stopped = ("stopped", 108.0, {"reason": "deadline", "text": "the time was up"})
    assert [row["state"] for row in facts(run(*events, stopped)).trials] == ["finished", "cut"]
    assert facts(run(*events, stopped)).failures == {}


def test_time_between_sessions_is_left_out_and_time_without_trials_is_overhead() -> None:
    resumed = [("session", 5000.0, {"pid": 2, "resumed": True, "started": 4997.0}), *tried(1, 0.9, at=5001.5)]
    spent = facts(run(*tried(0, 0.9), *resumed)).spent
    assert spent["wall_s"] == pytest.approx(2 + 3 + 3 + 3.5)
    assert spent["phases"]["start"] == pytest.approx(5)  # loading, before the first event of each session
    assert spent["overhead_s"] == pytest.approx(1 + 1.5)
    assert spent["search_s"] == pytest.approx(2 + 2 + 2.5)
    assert spent["stages"] == {"train": 2.0}
    assert spent["trials"] == 2
    assert spent["sessions"] == 2


def test_a_clock_that_is_set_back_costs_nothing() -> None:
    assert facts(run(*tried(0, 0.9), *tried(1, 0.9, at=50))).spent["wall_s"] == pytest.approx(2 + 3 + 2)


def test_what_an_extended_search_finds_takes_the_old_result_s_place(log: list[Event]) -> None:
    number = next(row["number"] for row in facts(log).trials if row["state"] == "finished")
    at = log[-1].at + 1e5
    more = [
        Event("session", {"pid": 2, "resumed": True, "started": at - 1}, at),
        Event("winner", {"number": number, "id": "y", "why": "later"}, at + 1),
    ]
    assert facts(log + more[:1]).state == "searching"
    found = facts(log + more)
    assert found.state == "finishing"
    assert found.best is not None
    assert found.best["trial"] == number
    assert found.control["winner"] is None
    assert found.control["gain"] is None
    assert found.test is not None
    assert found.test["score"] is None
    again = Event("unsealed", {"split": "test", "rows": 360}, at + 2)
    tested = facts([*log, *more, again]).test
    assert tested is not None
    assert tested["openings"] == 2


def test_an_export_long_after_the_end_changes_neither_state_nor_time(log: list[Event]) -> None:
    later = facts([*log, Event("exported", {"folder": "model"}, log[-1].at + 1e6)])
    assert later.state == "finished"
    assert later.spent == facts(log).spent


def test_the_control_arm_has_scores_for_each_seed(log: list[Event]) -> None:
    control = facts(log).control
    assert control["winner"]["seeds"] == [0, 1, 2]
    assert len(control["winner"]["scores"]) == 3
    assert [entry["name"] for entry in control["random"]] == ["random-1", "random-2", "random-3"]
    assert len(control["random_scores"]) == 9
    assert {"params", "latency_ms"} <= control["random"][0].keys()
    assert [entry["name"] for entry in control["reference"]] == ["cnn", "linear", "boosting", "svm"]
    assert control["gain_interval"][0] < control["gain"] < control["gain_interval"][1]


def test_scores_are_null_until_the_test_is_open(log: list[Event]) -> None:
    sealed = [event for event in log if event.kind not in ("unsealed", "tested", "result", "exported", "finished")]
    found = facts(sealed)
    assert found.test is None
    assert found.control["winner"]["scores"] == [None] * 3
    assert found.control["winner"]["score"] is None


def test_references_that_score_as_well_are_named_best_first() -> None:
    assert facts(sample_log(reference=0.9)).control["beaten_by"] == []
    assert facts(sample_log(reference=0.993)).control["beaten_by"] == ["svm", "cnn"]


def test_numbers_that_json_cannot_hold_are_null() -> None:
    (row,) = facts(run(*tried(0, float("nan")))).to_json()["trials"]
    assert row["metrics"] == {"accuracy": None, "latency_ms": 1.0}


def test_ten_thousand_trials_take_less_than_a_second() -> None:
    values = [((n * 7919) % 10007 / 10007, 2.5 * ((n * 104729) % 10009) / 10009) for n in range(10_000)]
    log = run(*(event for n, (score, latency) in enumerate(values) for event in tried(n, score, latency, at=100.0 + n)))
    recipe = {"objectives": ["accuracy", "latency_ms"], "limits": ["latency_ms<=2"]}
    log[0] = Event("created", {"recipe": recipe, "task": {}}, 100.0)
    start = time.process_time()
    found = facts(log)
    assert time.process_time() - start < 1.0
    kept = [(score, latency) for score, latency in values if latency <= 2]
    front = [(point["metrics"]["accuracy"], point["metrics"]["latency_ms"]) for point in found.front]
    assert all(any(a >= score and b <= latency for a, b in front) for score, latency in kept)
    assert not any(a > score and b < latency for score, latency in front for a, b in kept)
    assert found.best is not None
    assert found.best["metrics"]["accuracy"] == max(score for score, _ in kept)
