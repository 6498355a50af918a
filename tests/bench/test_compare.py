"""Tests in pairs: against scipy and against differences that are known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import wilcoxon

from netwright.bench.compare import comparisons, holm, signed_rank
from netwright.bench.measure import Course


def courses(found: list[float], end: float = 0.1) -> list[Course]:
    """Searches that find it at these queries."""
    return [
        Course("s", seed, *(((1.0, at), (end, 0.0)) if math.isfinite(at) else ((1.0,), (end,))), (), 5, 1.0, 5.0, "budget")  # type: ignore[misc]
        for seed, at in enumerate(found)
    ]


def test_a_difference_is_seen_and_chance_is_not() -> None:
    rng = np.random.default_rng(0)
    base = rng.uniform(40, 100, 60)
    told = comparisons(
        {"a": courses(base.tolist()), "b": courses((base / 2).tolist()), "c": courses(rng.permutation(base).tolist())}, 150, 0.0
    )
    by = {(each["strategy"], each["baseline"]): each["found"] for each in told}
    assert list(by) == [("b", "a"), ("c", "a"), ("c", "b")], "each beside those before it"
    assert by["b", "a"]["better"] == 60
    assert by["b", "a"]["p_holm"] < 1e-6
    assert by["c", "a"]["p_holm"] > 0.05
    assert by["b", "a"]["median_gain"] == pytest.approx(np.median(base / 2))
    assert by["c", "b"]["worse"] > 50


def test_what_was_not_found_ties_with_what_was_not_found() -> None:
    inf = math.inf
    found = comparisons({"a": courses([inf, inf, 50, inf]), "b": courses([inf, 100, inf, inf])}, 150, 0.0)[0]["found"]
    assert (found["better"], found["equal"], found["worse"]) == (1, 2, 1)
    assert comparisons({"a": courses([inf] * 5), "b": courses([inf] * 5)}, 150, 0.0)[0]["found"]["p"] == 1.0


def test_the_test_is_wilcoxons() -> None:
    gains = np.random.default_rng(3).normal(0.4, 1, 30)
    assert signed_rank(gains.tolist()) == pytest.approx(float(wilcoxon(gains).pvalue))
    assert signed_rank([0.0, *gains.tolist(), 0.0]) == pytest.approx(signed_rank(gains.tolist())), "no difference says nothing"
    assert signed_rank([]) == signed_rank([0.0, 0.0]) == 1.0
    assert signed_rank([math.inf] * 10) == signed_rank([1.0] * 10)


def test_holm_never_lets_a_smaller_p_end_up_larger() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]) == [1.0, 1.0]
    assert holm([]) == []
