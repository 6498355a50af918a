"""Every strategy of the folder passes the kit; what is not named random beats it."""

import pytest

from netwright.core.metrics import parse_objective
from netwright.core.objectives import Goal
from netwright.core.space import Space, op
from netwright.core.trial import History
from netwright.errors import RecipeError
from netwright.registry import listed, part
from netwright.testing import strategy as kit


@pytest.mark.parametrize("name", listed("strategies"))
def test_conformance(name: str) -> None:
    made = part("strategies", name)
    kit.check_all(lambda space, goal, seed: made(space, goal, seed))


@pytest.mark.parametrize("name", [name for name in listed("strategies") if name != "random"])
@pytest.mark.parametrize("space", ["cell", "wired"])
def test_it_beats_random(name: str, space: str) -> None:
    made = part("strategies", name)
    kit.check_beats_random(lambda space, goal, seed: made(space, goal, seed), kit.SPACES[space], trials=80)


@pytest.mark.parametrize(
    "options", [{"population": 1}, {"population": 5, "tournament": 6}, {"crossover": 2.0}, {"tournament": 0}]
)
def test_evolution_refuses_settings_that_cannot_be(options: dict[str, float]) -> None:
    with pytest.raises(RecipeError, match="tournament <= population"):
        part("strategies", "evolution")(kit.SPACES["cell"], kit.goals()["one"], 0, **options)


def test_evolution_bears_a_space_of_one_architecture() -> None:
    goal = Goal((parse_objective("accuracy"),))
    strategy = part("strategies", "evolution")(Space(op("conv3")), goal, 0, population=2, tournament=1)
    assert len(kit.played(strategy, goal, 10)) == 10


def test_evolution_with_crossover_mixes_two_parents() -> None:
    goal = kit.goals()["one"]
    strategy = part("strategies", "evolution")(kit.SPACES["cell"], goal, 0, population=10, tournament=3, crossover=1.0)
    history = kit.played(strategy, goal, 40)
    assert all("parent" in trial.proposal.notes for trial in history.ended[10:])


def test_random_repeats_nothing_while_something_new_is_left() -> None:
    history = kit.played(part("strategies", "random")(kit.SPACES["cell"], kit.goals()["one"], 0), kit.goals()["one"], 200)
    assert len({trial.architecture.id for trial in history}) == 200
    assert isinstance(history, History)
