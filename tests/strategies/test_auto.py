"""What the default chooses: by objectives, trials, and what a trial takes."""

from dataclasses import replace

import pytest

from netwright.core.contracts import Prospect, why
from netwright.core.trial import History
from netwright.strategies.auto import Auto
from netwright.testing.playing import FULL, SPACES, additive, goals, made, played

FEW = Prospect(FULL, trials=60)


def test_few_trials_are_modelled_and_it_says_so() -> None:
    (why,) = Auto(SPACES["cell"], goals()["one"], 0, FEW).remarks()
    assert "bayes" in why
    assert "60 trials can be modelled" in why


def test_many_trials_are_left_to_evolution() -> None:
    (why,) = Auto(SPACES["cell"], goals()["one"], 0, replace(FEW, trials=20_000)).remarks()
    assert "the first 1000 trials, then evolution" in why


def test_trials_that_take_less_than_a_question_are_left_to_evolution_sooner() -> None:
    goal, cheap = goals()["one"], replace(FEW, trials=300, seconds=0.05)
    auto = Auto(SPACES["cell"], goal, 0, cheap)
    assert "the first 100 trials, then evolution, as models of more take longer than a trial" in auto.remarks()[0]
    history = played(made("random")(SPACES["cell"], goal, 0), goal, 101, measure=additive)
    asked = auto.ask(history, 1)
    assert asked[0].notes["parent"] in {trial.number for trial in history}, "a child, as evolution makes them"
    assert Auto(SPACES["cell"], goal, 0, replace(cheap, seconds=30.0)).remarks() != auto.remarks()


def test_a_batch_does_not_reach_over_the_change() -> None:
    goal = goals()["one"]
    auto = Auto(SPACES["cell"], goal, 0, replace(FEW, trials=300, seconds=0.05))
    history = played(made("random")(SPACES["cell"], goal, 0), goal, 98, measure=additive)
    assert len(auto.ask(history, 8)) == 2


def test_several_objectives_need_botorch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    auto = Auto(SPACES["cell"], goals()["two"], 0, FEW)
    assert "nsga2, as there are several objectives and botorch is not installed" in auto.remarks()[0]
    assert auto.ask(History(), 2)


@pytest.mark.parametrize(
    ("text", "design"),
    [
        ("random", 0),
        ("evolution[initial=7,population=5]", 7),
        ("bayes", 3),
        ("asha(bayes[design=9])", 9),
        ("auto", 3),
        ("nsga2", 20),
    ],
)
def test_a_budget_within_the_first_design_is_said(text: str, design: int) -> None:
    strategy = made(text)(SPACES["cell"], goals()["one"], 0)
    assert strategy.first_design == design
    assert ("it learns nothing" in why(strategy, design)) == (design > 0)
    assert "it learns nothing" not in why(strategy, design + 1)
    assert "it learns nothing" not in why(strategy, None)
