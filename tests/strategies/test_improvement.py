"""Expected hypervolume improvement: against exact hypervolumes, and counted over many draws."""

import importlib.util

import numpy as np
import pytest

from netwright.core.hypervolume import hypervolume
from netwright.errors import RecipeError
from netwright.strategies import improvement
from netwright.strategies.improvement import available, gains, scale

pytest.importorskip("botorch", reason="an extra, netwright[bo]", exc_type=ImportError)


def problem(objectives: int, candidates: int = 6) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(objectives)
    units = np.array([10.0, 0.2, 300.0])[:objectives]

    def around(points: int, low: float, high: float) -> np.ndarray:
        away = np.abs(rng.standard_normal((points, objectives)))
        return (1 - away / np.linalg.norm(away, axis=1, keepdims=True) * rng.uniform(low, high, (points, 1))) * units

    return around(candidates, 0.5, 1.2), rng.uniform(0, 0.2, (candidates, objectives)) * units, around(9, 0.5, 1.0)


def grown(costs: np.ndarray, new: np.ndarray) -> float:
    """The hypervolume with a new point, less that without, scaled as `gains` says."""
    low, width = scale(costs)
    reference = [1.1] * costs.shape[1]
    before = ((costs - low) / width).tolist()
    return hypervolume([*before, ((new - low) / width).tolist()], reference) - hypervolume(before, reference)


@pytest.mark.parametrize("objectives", [2, 3])
def test_what_is_known_adds_its_hypervolume(objectives: int) -> None:
    mean, std, costs = problem(objectives, 30)
    exact = [grown(costs, each) for each in mean]
    assert max(exact) > 0.01
    assert min(exact) == 0
    assert gains(mean, 0 * std, costs) == pytest.approx(exact, abs=1e-4)


@pytest.mark.parametrize("objectives", [2, 3])
def test_what_is_believed_adds_the_mean_over_its_draws(objectives: int) -> None:
    mean, std, costs = problem(objectives, 3)
    draws = np.random.default_rng(7).standard_normal((1500, objectives))
    counted = [np.mean([grown(costs, m + s * e) for e in draws]) for m, s in zip(mean, std, strict=True)]
    assert gains(mean, std, costs) == pytest.approx(counted, rel=0.1, abs=2e-3)


def test_many_candidates_are_each_told_as_if_alone() -> None:
    mean, std, costs = problem(2, 1200)
    whole = gains(mean, std, costs)
    assert whole.shape == (1200,)
    assert gains(mean[700:701], std[700:701], costs) == pytest.approx(whole[700:701], rel=1e-12)


def test_a_trial_under_way_makes_its_likes_worth_less() -> None:
    mean, std, costs = problem(2)
    before = gains(mean, std, costs)
    best = int(np.argmax(before))
    after = gains(mean, std, np.vstack([costs, mean[best]]))
    assert after[best] < 0.5 * before[best]


def test_units_do_not_matter() -> None:
    mean, std, costs = problem(3)
    units = np.array([1e-3, 1e4, 1.0])
    assert gains(mean * units, std * units, costs * units) == pytest.approx(gains(mean, std, costs), rel=1e-9)


@pytest.mark.parametrize("costs", [[[1.0, 2.0]], [[1.0, 2.0], [1.0, 2.0]], [[1.0, 2.0], [3.0, 4.0]], [[1.0, 2.0], [1.0, 5.0]]])
def test_a_front_of_one_point_will_do(costs: list[list[float]]) -> None:
    found = gains(np.array([[0.9, 1.9], [5.0, 6.0]]), np.full((2, 2), 0.01), np.array(costs))
    assert np.isfinite(found).all()
    assert found[0] > found[1] >= 0


def test_without_botorch_it_says_so_in_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(RecipeError, match=r"botorch for several objectives.*netwright\[bo\]"):
        improvement.available()
    monkeypatch.undo()
    available()
