"""What searches came to: queries until the best was found, how far from it they were at each budget, the strategy's own time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from netwright.bench.play import Played
from netwright.bench.problem import EDGE, Problem
from netwright.core.hypervolume import hypervolume
from netwright.core.seeds import integer

__all__ = ["SHARES", "Course", "budgets", "course", "enough", "interval", "quantile", "summary"]

SHARES = (0.98, 0.995)
"""Shares of the true hypervolume that a search over several objectives is timed to."""

DRAWS = 2000


@dataclass(frozen=True)
class Course:
    """One search as it went: ``at`` which spending the ``regret`` fell to a value. For one objective the regret is how far the
    best so far is from the best there is, in its unit; for several, the share of the true hypervolume that is missing.
    ``test``: the regret in the test column of the best so far by validation."""

    strategy: str
    seed: int
    at: tuple[float, ...]
    regret: tuple[float, ...]
    test: tuple[float, ...]
    asks: int
    ask_ms: float
    spent: float
    ended: str

    def regret_at(self, budget: float, test: bool = False) -> float:
        """Infinite before the first value."""
        found = [r for at, r in zip(self.at, self.test if test else self.regret, strict=True) if at <= budget]
        return found[-1] if found else math.inf

    def until(self, regret: float) -> float:
        """What was spent until the regret was this small; infinite where it never was."""
        return next((at for at, r in zip(self.at, self.regret, strict=True) if r <= regret), math.inf)


def course(problem: Problem, played: Played) -> Course:
    """How a search went. The spending is in queries, or what the budget counts."""
    queries = problem.plan.budget.unit == "queries"
    at, regret, test = list[float](), list[float](), list[float]()
    best, chosen, volume = math.inf, -1, Volume(problem) if problem.several else None
    for query, row, values, cost in zip(played.query, played.row, played.values, played.cost, strict=True):
        if values is None:
            continue
        place = problem.classes[problem.places[row]]
        costs = problem.costs[place].tolist()
        if volume:
            now = volume.missing(costs)
        else:
            if costs[0] < best:
                best, chosen = costs[0], place
            now = best - problem.best
        if not regret or now < regret[-1]:
            at.append(query if queries else cost)
            regret.append(now)
            if problem.test is not None:
                test.append(float(problem.tests[chosen] - problem.tests_best))
    spent = (played.query if queries else played.cost)[-1] if played.query else 0
    own = sum(played.ask_ms)
    return Course(
        played.strategy, played.seed, tuple(at), tuple(regret), tuple(test or regret), played.trials, own, spent, played.ended
    )


class Volume:
    """The hypervolume of a growing set, as the share of the true front's that it misses."""

    def __init__(self, problem: Problem) -> None:
        self.problem, self.front, self.now = problem, list[tuple[float, ...]](), 1.0
        self.edge = [EDGE] * len(problem.goal.objectives)
        self.whole = hypervolume(problem.scaled(problem.costs[problem.front]).tolist(), self.edge)

    def missing(self, costs: Sequence[float]) -> float:
        point = tuple(self.problem.scaled(costs).tolist())
        beaten = any(all(a <= b for a, b in zip(other, point, strict=True)) for other in self.front)
        if not beaten and all(cost < EDGE for cost in point):
            self.front = [o for o in self.front if not all(a <= b for a, b in zip(point, o, strict=True))] + [point]
            self.now = max(0.0, 1.0 - hypervolume(self.front, self.edge) / self.whole)
        return self.now


# ---- over the seeds ---------------------------------------------------------------------------------------------------


def quantile(values: Sequence[float], share: float) -> float:
    """The value that ``share`` of them do not exceed; between two values their mean. Infinite ones are larger than all."""
    ordered = sorted(values)
    place = share * len(ordered)
    if abs(place - round(place)) < 1e-9 and 0 < round(place) < len(ordered):
        low, high = ordered[round(place) - 1], ordered[round(place)]
        return high if math.isinf(high) else (low + high) / 2
    return ordered[min(len(ordered) - 1, max(0, math.ceil(place - 1e-9) - 1))]


def interval(values: Sequence[float], name: str) -> tuple[float, float]:
    """A 95 % interval of the median: the percentiles of medians of drawn-again values (Efron 1979)."""
    import numpy as np

    rng = np.random.default_rng(integer(0, len(values), name))
    ordered = np.sort(np.asarray(values, dtype=float))
    drawn = np.sort(rng.integers(0, len(ordered), size=(DRAWS, len(ordered))), axis=1)
    low, high = (len(ordered) - 1) // 2, len(ordered) // 2
    medians = sorted((ordered[drawn[:, low]] + ordered[drawn[:, high]]) / 2)
    return float(medians[int(0.025 * DRAWS)]), float(medians[int(0.975 * DRAWS) - 1])


def enough(problem: Problem) -> float:
    """The regret at which a search has found what it is for."""
    return 1 - SHARES[-1] if problem.several else problem.plan.within


def budgets(problem: Problem) -> list[float]:
    """Where the regret is told: 10, 25, 50, 100, 150, 200, 300 … up to the budget, in what it counts."""
    whole, unit = problem.plan.budget.amount, problem.plan.budget.unit
    if unit != "queries":
        return [whole * share for share in (0.05, 0.1, 0.25, 0.5, 0.75, 1.0)]
    usual = [10, 25, 50, 60, 100, 150, 200, 300, 500, 1000, 2000, 5000, 10000]
    return [*(float(each) for each in usual if each < whole), float(whole)]


def summary(problem: Problem, courses: Sequence[Course]) -> dict[str, Any]:
    """One strategy over its seeds, as JSON. Where a search did not find the best, its queries are more than any number: a
    median that is not finite is null."""
    first = courses[0]
    found = [each.until(enough(problem)) for each in courses]
    told: dict[str, Any] = {
        "strategy": first.strategy,
        "seeds": len(courses),
        "found_share": sum(map(math.isfinite, found)) / len(found),
        **_queries(problem, found, first.strategy),
        "ask_ms": round(quantile([each.ask_ms / max(1, each.asks) for each in courses], 0.5), 4),
        "own_s": round(quantile([each.ask_ms / 1000 for each in courses], 0.5), 4),
        "asks": round(sum(each.asks for each in courses) / len(courses), 1),
    }
    if problem.several:
        until = {f"{share:g}": [each.until(1 - share) for each in courses] for share in SHARES}
        told["share"] = {share: _queries(problem, found, first.strategy) for share, found in until.items()}
    told |= _regrets(problem, courses)
    ended = [each.ended for each in courses if each.ended != "budget"]
    if ended:
        told["ended_early"] = {reason: ended.count(reason) for reason in sorted(set(ended))}
    return told


def _queries(problem: Problem, found: Sequence[float], name: str) -> dict[str, Any]:
    low, high = interval(found, name)
    known = {"median": quantile(found, 0.5), "p90": quantile(found, 0.9)}
    noun = problem.plan.budget.unit
    return {
        f"median_{noun}": _finite(known["median"]),
        f"p90_{noun}": _finite(known["p90"]),
        "median_interval": [_finite(low), _finite(high)],
    }


def _regrets(problem: Problem, courses: Sequence[Course]) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for name, test in (("regret", False), *([("test_regret", True)] if problem.test else [])):
        found = {f"{b:.9g}": [c.regret_at(b, test) for c in courses] for b in budgets(problem)}
        told[name] = {b: _finite(quantile(values, 0.5)) for b, values in found.items()}
        told[f"{name}_quartiles"] = {b: [_finite(quantile(v, 0.25)), _finite(quantile(v, 0.75))] for b, v in found.items()}
        told[f"{name}_mean"] = {b: _finite(sum(v) / len(v)) for b, v in found.items()}
    return told


def _finite(value: float) -> float | int | None:
    if not math.isfinite(value):
        return None
    return int(value) if value == int(value) and abs(value) < 1e15 else round(value, 9)
