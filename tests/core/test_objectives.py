"""Limits and objectives with their units, and how trials compare."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netwright.core.metrics import METRICS, parse_limit, parse_objective, shown
from netwright.core.objectives import Goal, crowding, dominates, fronts
from netwright.core.seeds import integer, stream
from netwright.core.space import Choice, Space, op, unfold
from netwright.core.trial import Fidelity, History, Measurement, Proposal, State, Trial
from netwright.errors import LimitError

POINTS = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6), st.integers(0, 6)), max_size=40)


@pytest.mark.parametrize(
    ("text", "metric", "bound"),
    [
        ("params<=20k", "params", 20_000),
        ("params <= 1.5M", "params", 1_500_000),
        ("flops<=2G", "flops", 2e9),
        ("latency_ms<=2ms", "latency_ms", 2),
        ("latency_ms<=2", "latency_ms", 2),
        ("peak_kib<=1MiB", "peak_kib", 1024),
        ("peak_kib<=64KiB", "peak_kib", 64),
        ("accuracy>=95%", "accuracy", 0.95),
        ("latency_ms@cpu<=3", "latency_ms", 3),
    ],
)
def test_limits_are_read_with_their_units(text: str, metric: str, bound: float) -> None:
    limit = parse_limit(text)
    assert (limit.metric, limit.bound) == (metric, pytest.approx(bound))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("latency<=2", "'latency_ms'"),
        ("memory<=2", "'peak_kib'"),
        ("peak<=2", "'peak_kib'"),
        ("latency_ms<=2s", "Use ms"),
        ("latency_ms<=2k", "Use ms"),
        ("params<=2ms", "is not a unit of params"),
        ("params<=2MiB", "is not a unit of params"),
        ("params<=50%", "is not a unit of params"),
        ("peak_kib<=2MB", "Use KiB or MiB"),
        ("parms<=2", "Did you mean 'params'"),
        ("params>=2", 'Write "params<=2"'),
        ("accuracy<=0.5", 'Write "accuracy>=0.5"'),
        ("params==2", "only <= and >="),
        ("params<=-2", "negative"),
        ("params<=1.2.3", "not a number"),
        ("params", "cannot be read"),
        ("", "cannot be read"),
    ],
)
def test_a_bare_or_wrong_unit_names_the_right_one(text: str, says: str) -> None:
    with pytest.raises(LimitError) as caught:
        parse_limit(text)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_objectives_know_their_direction() -> None:
    assert parse_objective("latency_ms").maximize is False
    assert parse_objective("f1", True).maximize is True
    with pytest.raises(LimitError, match="--minimize params"):
        parse_objective("params", True)
    with pytest.raises(LimitError, match="latency_ms"):
        parse_objective("latency")


@given(POINTS)
def test_fronts_are_what_their_definition_says(points: list[tuple[int, int, int]]) -> None:
    found = fronts(points)
    assert sorted(i for front in found for i in front) == list(range(len(points)))
    for k, front in enumerate(found):
        for i in front:
            assert not any(dominates(points[j], points[i]) for j in front)
            if k:
                assert any(dominates(points[j], points[i]) for j in found[k - 1])


@given(POINTS)
def test_crowding_is_infinite_at_the_ends(points: list[tuple[int, int, int]]) -> None:
    lonely = crowding(points)
    assert len(lonely) == len(points)
    if points:
        for m in range(3):
            assert any(math.isinf(lonely[i]) for i in range(len(points)) if points[i][m] == min(p[m] for p in points))


def trial(number: int, state: State = "finished", **values: float) -> Trial:
    architecture = unfold(Space(op("conv", width=Choice(*range(100)))), lambda path, hole: number)
    return Trial(number, Proposal(architecture, Fidelity(1)), state, (Measurement(values),))


GOAL = Goal((parse_objective("accuracy"), parse_objective("latency_ms")), (parse_limit("params<=100"),))


def test_feasible_comes_first_then_dominance_then_what_is_least_broken() -> None:
    trials = [
        trial(0, accuracy=0.9, latency_ms=3, params=50),
        trial(1, accuracy=0.99, latency_ms=1, params=150),
        trial(2, accuracy=0.8, latency_ms=4, params=50),
        trial(3, accuracy=0.95, latency_ms=3, params=50),
        trial(4, accuracy=0.99, latency_ms=1, params=120),
        trial(5, "failed"),
        trial(6, accuracy=0.7, latency_ms=1, params=50),
    ]
    ranked = [t.number for t in GOAL.ranked(trials)]
    assert set(ranked[:2]) == {3, 6}
    assert ranked[2:4] == [0, 2]
    assert ranked[4:] == [4, 1, 5]
    assert [t.number for t in GOAL.front(trials)] == [3, 6]


def test_nan_and_missing_values_are_never_feasible() -> None:
    assert not GOAL.met(trial(0, accuracy=math.nan, latency_ms=1, params=1))
    assert not GOAL.met(trial(0, accuracy=0.5, params=1))
    assert not GOAL.met(trial(0, accuracy=0.5, latency_ms=1))
    assert not GOAL.met(trial(0, accuracy=0.5, latency_ms=1, params=math.nan))
    assert GOAL.met(trial(0, accuracy=0.5, latency_ms=1, params=1))


def test_a_history_keeps_the_order_in_which_trials_ended() -> None:
    history = History()
    for number in range(3):
        history.propose(trial(number, "pending"))
    history.update(trial(2, accuracy=1))
    history.update(trial(0, "failed"))
    assert [t.number for t in history.ended] == [2, 0]
    assert list(history.pending) == [1]
    assert [t.number for t in history.finished] == [2]
    assert (len(history), history.next_number) == (3, 3)


def test_measurements_survive_json() -> None:
    measured = Measurement({"accuracy": 0.5}, Fidelity(3, 0.5), {"train": 1.0}, {"runs": 3}, "ab")
    assert Measurement.from_json(measured.to_json()) == measured


def test_streams_are_named_and_the_same_everywhere() -> None:
    assert integer(0, 0, "weights") == integer(0, 0, "weights")
    assert len({integer(s, n, p) for s in range(3) for n in range(3) for p in "ab"}) == 18
    assert stream(1, 2, "x").random() == stream(1, 2, "x").random()
    assert integer(0, 1, "check") == 102089037486224049  # of every machine and version
    assert random.Random(0).random() != stream(0, 0, "").random()


def test_values_are_shown_as_people_write_them() -> None:
    assert shown("params", 4123) == "4,123"
    assert shown("params", 41234) == "41.2k"
    assert shown("accuracy", 0.98765) == "0.9877"
    assert shown("latency_ms", None) == "–"
    assert all(metric.summary for metric in METRICS.values())
