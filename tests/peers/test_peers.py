"""Other tools behind the contract of a strategy: what they are handed, what they are told, and that they can be repeated."""

from __future__ import annotations

import importlib.util
import logging
from typing import Any

import pytest

from netwright.core.objectives import Goal
from netwright.core.picks import replayed
from netwright.core.space import Space, op
from netwright.core.trial import History
from netwright.errors import RecipeError
from netwright.registry import listed, part
from netwright.testing import strategy as kit
from netwright.testing.playing import played

GOALS = kit.goals()
QUICK = {
    "optuna_nsga2": {"population": 8},
    "pymoo": {"population": 8},
    "deephyper": {"population": 8, "sample": 3},
    "syne_tune": {"population": 8, "sample": 3},
}
FEW = {"optuna_gp": 13, "smac": 14}
ONE_OBJECTIVE = {"deephyper"}


def made(name: str, space: str | Space = "cell", goal: Goal = GOALS["one"], seed: int = 1) -> Any:
    """The peer, quick; skips where its package is not installed."""
    found = part("peers", name)
    for package in found.packages:
        pytest.importorskip(package, reason=f"peer {name} needs the package {package}")
    return found(kit.SPACES[space] if isinstance(space, str) else space, goal, seed, **QUICK.get(name, {}))


def _traces(history: History) -> list[Any]:
    return [trial.architecture.trace for trial in history.ended]


@pytest.mark.parametrize("name", [pytest.param(n, marks=[pytest.mark.slow] * (n in FEW)) for n in listed("peers")])
def test_the_same_seed_gives_the_same_search(name: str) -> None:
    trials = FEW.get(name, 40)
    once, again, other = (played(made(name, seed=seed), GOALS["one"], trials) for seed in (1, 1, 2))
    assert len(once) == trials
    assert _traces(once) == _traces(again)
    assert _traces(once) != _traces(other)


@pytest.mark.parametrize("name", [name for name in listed("peers") if name not in FEW])
@pytest.mark.parametrize("goal", GOALS)
@pytest.mark.parametrize("space", ["macro", "listed", "grammar"])
def test_any_space_any_goal_with_failures_and_trials_side_by_side(name: str, goal: str, space: str) -> None:
    if goal == "two" and name in ONE_OBJECTIVE:
        pytest.skip("it serves one objective")
    history = played(made(name, space, GOALS[goal]), GOALS[goal], 24, fail=lambda n: "failed" if n % 7 == 3 else None, slots=3)
    assert len(history) == 24
    for trial in history:
        assert replayed(kit.SPACES[space], trial.architecture.decisions).trace == trial.architecture.trace


@pytest.mark.slow
@pytest.mark.parametrize("name", FEW)
@pytest.mark.parametrize("goal", GOALS)
def test_any_goal_for_those_that_take_their_time(name: str, goal: str) -> None:
    history = played(made(name, "listed", GOALS[goal]), GOALS[goal], 20, fail=lambda n: "failed" if n == 7 else None, slots=2)
    assert len(history) == 20


@pytest.mark.parametrize("name", [name for name in listed("peers") if name not in FEW])
def test_they_learn(name: str) -> None:
    """From what they are told: in a landscape that counts agreements they come nearer than their first draws."""
    measure = kit.agreement(kit.SPACES["wired"], 5)
    history = played(made(name, "wired"), GOALS["one"], 120, measure=measure)
    scores = [trial.values["accuracy"] for trial in history.ended]
    assert sum(scores[-30:]) > sum(scores[:8]) / 8 * 30 + 2


@pytest.mark.parametrize("name", ["optuna_tpe", "smac", "deephyper", "syne_tune"])
def test_trials_of_others_are_told_too(name: str) -> None:
    """A new object, given stored trials, makes use of them where the tool can."""
    history = played(made(name), GOALS["one"], 12)
    assert made(name).ask(history, 1)


def test_they_are_quiet(capfd: pytest.CaptureFixture[str]) -> None:
    level = logging.getLogger("optuna").level
    played(made("optuna_tpe"), GOALS["two"], 12)
    assert capfd.readouterr() == ("", "")
    assert logging.getLogger("optuna").level == level


@pytest.mark.parametrize("name", listed("peers"))
def test_a_missing_package_is_named_with_its_command(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda package: None)
    with pytest.raises(RecipeError, match=r"pip install 'netwright\[peers\]'") as error:
        part("peers", name)(kit.SPACES["cell"], GOALS["one"], 0)
    assert "\n" not in str(error.value)


def test_nothing_to_choose_is_said() -> None:
    with pytest.raises(RecipeError, match="nothing to choose"):
        made("optuna_tpe", Space(op("conv3")))
