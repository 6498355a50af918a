"""Bayesian optimisation and the predictor: what they learn from, what they propose, what they refuse."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from netwright.core.objectives import Goal
from netwright.core.picks import enumerated
from netwright.core.trial import History, Trial
from netwright.errors import RecipeError
from netwright.layers.canonical import canonical
from netwright.strategies.bayes import Bayes
from netwright.strategies.predictor import Predictor
from netwright.testing.playing import SPACES, additive, goals, made, played, toy

MODELS = ["bayes", "predictor"]


def best(history: History, goal: Goal) -> Trial:
    return goal.ranked(history.finished)[0]


@pytest.mark.parametrize("settings", ["acquisition=ei", "acquisition=ucb", "acquisition=thompson", "surrogate=forest"])
def test_each_kind_finds_a_better_one_than_chance(settings: str) -> None:
    goal, space = goals()["one"], SPACES["listed"]

    def found(text: str) -> float:
        runs = (played(made(text)(space, goal, seed), goal, 20) for seed in range(3))
        return float(np.mean([best(history, goal).values["accuracy"] for history in runs]))

    assert found(f"bayes[{settings}]") > found("random")


@pytest.mark.parametrize("name", MODELS)
def test_measured_limits_are_learned(name: str) -> None:
    """Most of the space breaks the limit; after the first trials most proposals keep it."""
    goal, space = goals()["limited"], SPACES["listed"]
    bound = float(np.quantile([toy(each)["latency_ms"] for each in enumerated(space)], 0.2))
    goal = Goal(goal.objectives, (replace(goal.limits[0], bound=bound),))
    history = played(made(name)(space, goal, 0), goal, 35)
    kept = [trial.values["latency_ms"] <= bound for trial in history.ended]
    assert np.mean(kept[15:]) > 0.5, "of random ones a fifth keep it"


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("slots", [2, 7])
def test_what_is_under_way_is_not_proposed_again_and_a_batch_spreads(name: str, slots: int) -> None:
    goal, space = goals()["one"], SPACES["wired"]
    strategy = made(name)(space, goal, 0)
    history = played(strategy, goal, 15, measure=additive)
    for _ in range(2):
        asked = strategy.ask(history, slots)
        for proposal in asked:
            history.propose(Trial(history.next_number, proposal))
    every = [canonical(trial.architecture) for trial in history]
    assert len(set(every)) == len(every) == 15 + 2 * slots


@pytest.mark.parametrize("name", MODELS)
def test_the_rows_of_a_table_are_one_of_their_own(name: str) -> None:
    """Cells that compute the same were trained apart there: each can be asked for, and each once."""
    goal, space = goals()["one"], SPACES["listed"]
    rows = [architecture.trace for architecture in enumerated(space)]
    assert len({canonical(architecture) for architecture in enumerated(space)}) < len(rows)
    history = played(made(name)(space, goal, 0), goal, len(rows), measure=additive)
    assert sorted(trial.architecture.trace for trial in history) == sorted(rows)


@pytest.mark.parametrize(
    ("strategy", "given", "said"),
    [
        (Bayes, {"acquisition": "pi"}, "acquisition 'pi'"),
        (Bayes, {"design": 1}, "design 1"),
        (Bayes, {"surrogate": "oracle"}, "surrogate 'oracle'"),
        (Bayes, {"encoding": "nothing"}, "encoding 'nothing'"),
        (Predictor, {"generation": 0}, "generation 0"),
        (Predictor, {"surrogate": "oracle"}, "surrogate 'oracle'"),
    ],
)
def test_what_cannot_be_is_refused(strategy: Any, given: dict[str, Any], said: str) -> None:
    with pytest.raises(RecipeError, match=said):
        strategy(SPACES["cell"], goals()["one"], 0, **given).ask(History(), 1)
