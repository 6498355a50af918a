"""Optuna's samplers over Netwright's spaces: each goes on identically, sees what ended, and stays quiet."""

from __future__ import annotations

import importlib.util
import json
import logging
import math
import warnings
from typing import Any

import pytest

from netwright.core.flat import Flat
from netwright.core.metrics import parse_limit, parse_objective
from netwright.core.objectives import Goal
from netwright.core.picks import replayed, sample
from netwright.core.seeds import integer, stream
from netwright.core.space import Cell, Choice, Edge, Repeat, Seq, Space, Subset, op
from netwright.core.trial import History, Measurement, Proposal, Trial
from netwright.errors import RecipeError
from netwright.testing import strategy as kit
from netwright.testing.playing import played

optuna = pytest.importorskip("optuna", reason="the package optuna is not installed")

from netwright.strategies.optuna import SAMPLERS, Optuna  # noqa: E402

SMALL = {
    "cmaes": "popsize=5",
    "gp": "n_startup_trials=6",
    "nsga2": "population_size=6",
    "nsga3": "population_size=6",
    "tpe": "n_startup_trials=5",
}
ONE, TWO = kit.goals()["one"], kit.goals()["two"]


def made(sampler: str, goal: Goal = ONE, space: str = "macro", **settings: Any) -> Optuna:
    if sampler == "cmaes":
        pytest.importorskip("cmaes", reason="the package cmaes is not installed")
    return Optuna(kit.SPACES[space], goal, 3, **{"sampler": sampler, "options": SMALL.get(sampler, ""), **settings})


def ended(space: Space, values: list[dict[str, float]], seed: int = 0) -> History:
    """Finished trials of random architectures with these values."""
    trials = []
    for number, value in enumerate(values):
        proposal = Proposal(sample(space, stream(seed, number, "test")))
        trials.append(Trial(number, proposal, "finished", (Measurement(value),)))
    return History(trials)


SLOW = {"gp"}
PAIRS = [
    (sampler, space) for sampler in SAMPLERS for space in ("macro", "grammar") if space == "macro" or sampler in ("tpe", "qmc")
]


@pytest.mark.parametrize(("sampler", "space"), [pytest.param(*p, marks=[pytest.mark.slow] * (p[0] in SLOW)) for p in PAIRS])
def test_every_sampler_goes_on_identically(sampler: str, space: str) -> None:
    """Over several generations, with trials that fail and three under way at once, where holes come and go."""
    trials = 8 if sampler in SLOW else 22
    kit.check_continues(lambda space, goal, seed: made(sampler, goal, named(space)), kit.SPACES[space], ONE, trials)


def test_a_gaussian_process_proposes_from_its_sixth_trial_on() -> None:
    history = played(made("gp", space="cell"), ONE, 8)
    assert len({trial.architecture.trace for trial in history}) == 8


def named(space: Space) -> str:
    return next(name for name, known in kit.SPACES.items() if known is space)


@pytest.mark.parametrize("sampler", ["tpe", "nsga3"])
def test_several_objectives(sampler: str) -> None:
    kit.check_continues(lambda space, goal, seed: made(sampler, goal, "cell"), kit.SPACES["cell"], TWO, 26)


def test_it_proposes_what_optuna_would() -> None:
    """A study of Optuna's own with the same trials and a sampler with the same seed asks for the same."""
    history = played(made("tpe", space="cell"), ONE, 20)
    (proposal,) = made("tpe", space="cell").ask(history, 1)
    optuna.logging.set_verbosity(optuna.logging.CRITICAL)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(n_startup_trials=5, seed=integer(3, 20, "optuna sampler", 32)))
    for trial in history.ended:
        params = dict(trial.architecture.trace)
        distributions = {path: optuna.distributions.CategoricalDistribution(range(5)) for path in params}
        value = -trial.values["accuracy"]
        study.add_trial(optuna.trial.create_trial(params=params, distributions=distributions, value=value))
    asked = study.ask()
    wanted = {path: asked.suggest_categorical(path, range(5)) for path in proposal.architecture.decisions}
    known = {tuple(trial.architecture.trace) for trial in history.ended}
    assert tuple(wanted.items()) not in known, "choose another seed: this one is repeated, and so changed"
    assert proposal.architecture.decisions == wanted


@pytest.mark.parametrize("sampler", ["cmaes", "nsga2"])
def test_generations_follow_each_other(sampler: str) -> None:
    history = played(made(sampler, space="cell"), ONE, 30, slots=3)
    generations = [
        next(iter(trial.proposal.notes["optuna"].values())) for trial in history.ended if trial.proposal.notes.get("optuna")
    ]
    assert max(generations) >= 3
    assert not any("optimizer" in key for trial in history for key in trial.proposal.notes.get("optuna", {}))


def test_growing_numbers_are_whole_numbers_to_optuna_and_other_options_names() -> None:
    strategy = made("tpe")
    strategy.ask(played(strategy, ONE, 8), 1)
    kinds = {name: type(distribution).__name__ for name, distribution in strategy._distributions.items()}
    assert kinds["net.times"] == kinds["net.0=0.width"] == "IntDistribution"
    assert kinds["net.0"] == "CategoricalDistribution"


def test_limits_are_constraints_and_what_has_no_score_counts_with_the_worst() -> None:
    goal = Goal((parse_objective("accuracy"),), (parse_limit("latency_ms<=8"),))
    history = ended(
        kit.SPACES["cell"],
        [{"latency_ms": 16.0}, {"accuracy": 0.5, "latency_ms": 4.0}, {"accuracy": 0.25, "latency_ms": math.nan}],
    )
    history.ended[0] = history.ended[0].ended("infeasible", "latency_ms 16 > 8")
    strategy = Optuna(kit.SPACES["cell"], goal, 0)
    strategy.ask(History(history.ended[:1]), 1)
    assert [trial.value for trial in strategy.study.trials] == [0.0], "nobody knows yet what a score looks like"
    strategy.ask(history, 1)
    told = [(trial.value, trial.constraints["latency_ms"]) for trial in strategy.study.trials]
    assert told == [(-0.5, 1.0), (-0.5, -0.5), (-0.25, 1e3)]


def test_tpe_learns_to_keep_a_limit() -> None:
    space = Space(Seq(*(Choice(*(op(f"o{k}") for k in range(4))) for _ in range(6))))
    goal = Goal((parse_objective("accuracy"),), (parse_limit("latency_ms<=5"),))

    def measure(architecture: Any) -> dict[str, float]:
        total = float(sum(int(node.op[1:]) for node in architecture.nodes))
        return {"accuracy": 1 / (1 + abs(5 - total)), "latency_ms": total}

    def kept(sampler: str) -> int:
        history = played(Optuna(space, goal, 0, sampler=sampler), goal, 80, measure=measure)
        return sum(not goal.broken(trial.values) for trial in history)

    assert kept("tpe") >= 2 * kept("random")


def test_large_subsets_are_asked_member_by_member() -> None:
    edges = tuple(Edge(j, op(f"conv{k}")) for j in range(1) for k in range(10))
    space = Space(Cell((Subset(edges, 2, 4),)))
    assert len(Flat(space).parameters) == 10
    for sampler in ("tpe", "nsga2", "qmc"):
        history = played(Optuna(space, ONE, 0, sampler=sampler), ONE, 25)
        for trial in history:
            assert replayed(space, trial.architecture.decisions).trace == trial.architecture.trace


def test_unasked_holes_are_kept_for_samplers_that_want_them_all() -> None:
    history = played(made("cmaes"), ONE, 12)
    deep = len(Flat(kit.SPACES["macro"]).parameters)
    assert all(json.loads(json.dumps(trial.proposal.notes)) == trial.proposal.notes for trial in history)
    for trial in history:
        answered = {name for name, _ in Flat(kit.SPACES["macro"]).values(trial.architecture).items()}
        assert len(answered) + len(trial.proposal.notes.get("unasked", {})) == deep


def test_it_is_quiet_and_leaves_loggers_and_warnings_as_they_were(capfd: pytest.CaptureFixture[str]) -> None:
    logger = logging.getLogger("optuna")
    before = logger.level
    logger.setLevel(logging.INFO)
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            filters = list(warnings.filters)
            played(made("tpe", options="group=true n_startup_trials=5"), ONE, 10)
            played(made("cmaes"), ONE, 14)
            assert warnings.filters == filters
        assert logger.level == logging.INFO
    finally:
        logger.setLevel(before)
    assert not caught
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"sampler": "tpee"}, "Did you mean 'tpe'"),
        ({"options": "n_startup=3"}, "n_startup_trials"),
        ({"options": "seed=3"}, "no option"),
        ({"options": "group"}, "name=value"),
        ({"sampler": "nsga2", "options": "population_size=1"}, "refuses its options"),
        ({"sampler": "tpe", "options": "multivariate=false group=true"}, "refuses its options"),
    ],
)
def test_settings_that_cannot_be(settings: dict[str, str], told: str) -> None:
    with pytest.raises(RecipeError, match=told) as error:
        Optuna(kit.SPACES["cell"], ONE, 0, **settings)
    assert "\n" not in str(error.value)


def test_cmaes_serves_one_objective() -> None:
    with pytest.raises(RecipeError, match="serves one objective"):
        Optuna(kit.SPACES["cell"], TWO, 0, sampler="cmaes")


def test_samplers_that_do_not_see_limits_say_so() -> None:
    limited = kit.goals()["limited"]
    assert Optuna(kit.SPACES["cell"], limited, 0, sampler="random").remarks()
    assert not Optuna(kit.SPACES["cell"], limited, 0).remarks()


def test_a_missing_package_is_named_with_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(RecipeError, match=r"pip install 'netwright\[optuna\]'") as error:
        Optuna(kit.SPACES["cell"], ONE, 0)
    assert "\n" not in str(error.value)


def test_repeated_bodies_are_one_decision() -> None:
    space = Space(Repeat(Choice(op("conv", kernel=3), op("conv", kernel=1)), 3, tied=True))
    assert [parameter.count for parameter in Flat(space).parameters] == [2]
