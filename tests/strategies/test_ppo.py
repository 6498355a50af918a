"""What is particular to ppo: the clipped objective, and its settings."""

import numpy as np
import pytest

from netwright.core.space import Choice, Space, op
from netwright.errors import RecipeError
from netwright.registry import part
from netwright.strategies.policy.controller import Batch, Controller
from netwright.strategies.policy.policy import Policy
from netwright.strategies.ppo import clipped
from netwright.testing import strategy as kit

SPACE = Space(Choice(op("identity"), op("zero"), op("avg_pool")))


def test_nothing_is_paid_for_moving_further_than_the_clip() -> None:
    before = np.zeros((4, 1))
    logs = np.log([[1.1], [1.3], [0.9], [0.7]])
    up, down = (clipped(np.full((4, 1), gain), before, 0.2)(logs)[:, 0] for gain in (1.0, -1.0))
    assert up == pytest.approx([1.1, 0.0, 0.9, 0.7])
    assert down == pytest.approx([-1.1, -1.3, -0.9, 0.0])


def test_it_is_the_slope_of_the_clipped_objective() -> None:
    gains, before = np.array([[1.0], [-2.0], [1.0], [-2.0]]), np.log([[0.3], [0.4], [0.2], [0.5]])
    logs = before + np.log([[1.1], [1.5], [1.4], [0.6]])

    def objective(at: np.ndarray) -> np.ndarray:
        ratio = np.exp(at - before)
        return np.minimum(ratio * gains, np.clip(ratio, 0.8, 1.2) * gains)

    slope = (objective(logs + 1e-6) - objective(logs - 1e-6)) / 2e-6
    assert clipped(gains, before, 0.2)(logs) == pytest.approx(slope, abs=1e-6)


def test_the_clip_holds_the_policy_back() -> None:
    def moved(clip: float) -> float:
        policy = Policy(SPACE, Controller(0, rate=0.01))
        batch = Batch.of([[(policy.controller.place("net", 3), (1.0, 1.0, 1.0), 0)]])
        before = policy.controller.likelihood(batch)
        for _ in range(50):
            merit = clipped(np.ones((1, 1)), before, clip)
            policy.controller.ascend(policy.controller.gradient(batch, merit, 0.0))
        return float(np.exp(policy.controller.likelihood(batch) - before)[0, 0])

    assert 1.05 < moved(0.1) < moved(0.9)


@pytest.mark.parametrize("options", [{"batch": 0}, {"shown": 5}, {"clip": 1.0}, {"rate": 0.0}, {"epochs": 0}, {"parts": 0}])
def test_it_refuses_settings_that_cannot_be(options: dict[str, float]) -> None:
    with pytest.raises(RecipeError, match="do not fit"):
        part("strategies", "ppo")(SPACE, kit.goals()["one"], 0, **options)
