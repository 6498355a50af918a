"""Figures from searches that are made up: medians that see what was not found, regret at budgets, hypervolume."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from netwright.bench.measure import Course, Volume, budgets, course, interval, quantile, summary
from netwright.bench.plan import Budget
from netwright.bench.play import Played
from netwright.bench.problem import Problem
from netwright.core.hypervolume import hypervolume

Pose = Callable[..., Problem]


def played(problem: Problem, places: list[int], seed: int = 0, whole: bool = True) -> Played:
    n = len(places)
    values: list[Any] = [[0.0] * len(problem.goal.objectives) if whole else None] * n
    return Played(
        "s", seed, list(range(1, n + 1)), places, values, [9] * n, [9.0 * (k + 1) for k in range(n)], [2.0] * n, n, 1.0, "budget"
    )


def ordered(problem: Problem) -> list[int]:
    """Places, the best first."""
    return [int(place) for place in np.argsort(problem.costs[:, 0], kind="stable")]


def test_a_quantile_bears_infinite_values() -> None:
    inf = math.inf
    assert quantile([3, 1, 2], 0.5) == 2
    assert quantile([4, 1, 2, 3], 0.5) == 2.5
    assert quantile([1, inf, inf], 0.5) == inf
    assert quantile([1, 2, inf, inf], 0.5) == inf
    assert quantile([1, 2, 3, inf], 0.5) == 2.5
    assert quantile(range(1, 11), 0.9) == 9.5
    assert quantile(range(1, 101), 0.9) == 90.5
    assert quantile([7.0], 0.25) == 7.0


def test_the_interval_holds_the_median_and_narrows() -> None:
    rng = np.random.default_rng(7)
    few, many = rng.exponential(50, 20), rng.exponential(50, 500)
    for values in (few, many):
        low, high = interval(values.tolist(), "x")
        assert low <= np.median(values) <= high
    assert np.subtract(*interval(many.tolist(), "x")[::-1]) < np.subtract(*interval(few.tolist(), "x")[::-1])
    assert interval([5.0] * 8, "x") == (5.0, 5.0)
    assert interval([1.0, 2.0, math.inf, math.inf, math.inf], "x")[1] == math.inf


def test_a_course_is_the_best_so_far(pose: Pose) -> None:
    problem = pose(budget=5)
    best = ordered(problem)
    found = course(problem, played(problem, [best[9], best[20], best[3], best[0], best[1]]))
    regrets = problem.costs[[best[9], best[3], best[0]], 0] - problem.best
    assert found.at == (1, 3, 4)
    assert found.regret == pytest.approx(regrets)
    assert (found.until(0.0), found.until(regrets[1]), found.until(-1)) == (4, 3, math.inf)
    assert [found.regret_at(b) for b in (0, 2, 5)] == pytest.approx([math.inf, regrets[0], 0])
    tests = problem.tests[[best[9], best[3], best[0]]] - problem.tests_best
    assert found.test == pytest.approx(tests)


def test_what_was_not_trained_in_full_is_no_find(pose: Pose) -> None:
    problem = pose(budget=Budget(50, "epochs"))
    assert course(problem, played(problem, ordered(problem)[:3], whole=False)).at == ()
    assert course(problem, played(problem, ordered(problem)[2::-1])).at == (9, 18, 27), "in what the budget counts"


def test_a_summary_counts_what_was_not_found_as_infinite(pose: Pose) -> None:
    problem = pose(budget=4)
    best = ordered(problem)
    runs = [[best[0], *best[5:8]], [*best[5:8], best[0]], best[5:9], best[6:9]]
    told = summary(problem, [course(problem, played(problem, run, seed)) for seed, run in enumerate(runs)])
    assert told["found_share"] == 0.5
    assert (told["median_queries"], told["p90_queries"]) == (None, None)
    assert told["ask_ms"] == 2.0
    assert told["regret"]["4"] == pytest.approx((problem.costs[best[5], 0] - problem.best) / 2)
    runs.append([best[0]])
    told = summary(problem, [course(problem, played(problem, run, seed)) for seed, run in enumerate(runs)])
    assert told["median_queries"] == 4
    assert told["found_share"] == 0.6
    within = pose(budget=4, within=float(problem.costs[best[6], 0] - problem.best))
    assert summary(within, [course(within, played(within, run)) for run in runs])["median_queries"] == 1


def test_the_hypervolume_grows_to_that_of_the_true_front(pose: Pose) -> None:
    problem = pose(objectives=("val_acc", "latency_ms@phone"), budget=81)
    volume, shares = Volume(problem), []
    order = [int(place) for place in np.random.default_rng(1).permutation(81)]
    for k, place in enumerate(order):
        shares.append(1 - volume.missing(problem.costs[place].tolist()))
        points = problem.scaled(problem.costs[order[: k + 1]]).tolist()
        assert shares[-1] == pytest.approx(hypervolume(points, [1.1, 1.1]) / volume.whole)
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1.0)
    told = summary(problem, [course(problem, played(problem, order))])
    found = course(problem, played(problem, order))
    assert told["share"]["0.98"]["median_queries"] == next(k + 1 for k, share in enumerate(shares) if share >= 0.98)
    assert told["median_queries"] == told["share"]["0.995"]["median_queries"]
    assert found.regret_at(81) == pytest.approx(0.0, abs=1e-12)


def test_budgets_end_with_the_whole(pose: Pose) -> None:
    assert budgets(pose(budget=150)) == [10, 25, 50, 60, 100, 150]
    assert budgets(pose(budget=7)) == [7]
    assert budgets(pose(budget=Budget(1000, "epochs")))[-1] == 1000


def test_a_course_without_a_value_has_no_regret(pose: Pose) -> None:
    problem = pose(budget=3)
    told = summary(problem, [course(problem, played(problem, [1, 2, 3], whole=False))])
    assert told["regret"] == {"3": None}
    assert Course("s", 0, (), (), (), 0, 0.0, 0.0, "budget").regret_at(5) == math.inf
