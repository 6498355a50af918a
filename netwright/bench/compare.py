"""Whether one strategy is better than another: both searched with the same seeds, so their differences are tested in pairs.

The signed-rank test of Wilcoxon (1945), its p-values corrected for the number of comparisons by Holm (1979).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from netwright.bench.measure import Course, quantile

__all__ = ["comparisons", "holm", "signed_rank"]


def comparisons(courses: Mapping[str, Sequence[Course]], budget: float, enough: float) -> list[dict[str, Any]]:
    """Each strategy beside each that is named before it, as JSON: by what it spent until the regret was ``enough``, and by the
    regret at the end of the budget. What was not found counts as found just beyond the budget."""
    names = list(courses)
    pairs = [(name, before) for k, name in enumerate(names) for before in names[:k]]

    def until(course: Course) -> float:
        return min(course.until(enough), budget + 1)

    def left(course: Course) -> float:
        return course.regret_at(budget)

    tested = [_tests(courses, pairs, value) for value in (until, left)]
    return [
        {"strategy": name, "baseline": before, "found": found, "regret": regret}
        for (name, before), found, regret in zip(pairs, *tested, strict=True)
    ]


def _tests(
    courses: Mapping[str, Sequence[Course]], pairs: Sequence[tuple[str, str]], value: Callable[[Course], float]
) -> list[dict[str, Any]]:
    """Of each pair; their p-values corrected for one another."""
    tests = [
        _compared([_difference(value(b), value(a)) for b, a in zip(courses[before], courses[name], strict=True)])
        for name, before in pairs
    ]
    return [{**test, "p_holm": p} for test, p in zip(tests, holm([test["p"] for test in tests]), strict=True)]


def _difference(before: float, after: float) -> float:
    """How much smaller the strategy's is than the baseline's; where both have nothing, none."""
    if math.isinf(before) and math.isinf(after):
        return 0.0
    return before - after


def _compared(gains: Sequence[float]) -> dict[str, Any]:
    """``better``: on how many seeds the strategy needed less than the baseline."""
    median = quantile(gains, 0.5)
    return {
        "better": sum(gain > 0 for gain in gains),
        "equal": sum(gain == 0 for gain in gains),
        "worse": sum(gain < 0 for gain in gains),
        "median_gain": round(median, 9) if math.isfinite(median) else None,
        "p": signed_rank(gains),
    }


def signed_rank(gains: Sequence[float]) -> float:
    """The two-sided p-value of gains that would be as likely positive as negative; 1 where there is none."""
    import numpy as np

    apart = np.array([gain for gain in gains if gain != 0])
    if not len(apart):
        return 1.0
    most = float(np.abs(apart[np.isfinite(apart)]).max(initial=1.0))
    apart = np.clip(apart, -2 * most, 2 * most)  # what is infinitely better has the highest rank
    from scipy.stats import wilcoxon

    tied = len(np.unique(np.abs(apart))) < len(apart)
    return float(wilcoxon(apart, method="approx" if tied or len(apart) > 50 else "exact").pvalue)


def holm(chances: Sequence[float]) -> list[float]:
    """Each p-value times the number of those that are not smaller, and never below one before it."""
    order = sorted(range(len(chances)), key=lambda k: chances[k])
    corrected, least = [0.0] * len(chances), 0.0
    for rank, k in enumerate(order):
        least = max(least, min(1.0, (len(chances) - rank) * chances[k]))
        corrected[k] = least
    return corrected
