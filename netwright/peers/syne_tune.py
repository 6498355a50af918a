"""Syne Tune's regularized evolution, for several objectives ranked by fronts (Salinas et al. 2022, AutoML conference)."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any

from netwright.core.objectives import Goal
from netwright.core.seeds import stream
from netwright.core.space import Space
from netwright.peers._peer import Peer, Values, quiet

__all__ = ["SyneTune"]

SEARCHERS = "syne_tune.optimizer.schedulers"


class SyneTune(Peer):
    """``population``: how many it keeps. ``sample``: how many compete to be parents.

    Its first configurations are drawn here: it would draw them from numpy's global generator, so that no search could be
    repeated. It is not told of failed ones.
    """

    packages = ("syne_tune", "pandas")
    install = "pip install 'netwright[peers]', then pip install --no-deps syne-tune"

    def __init__(self, space: Space, goal: Goal, seed: int, *, population: int = 100, sample: int = 10) -> None:
        super().__init__(space, goal, seed)
        self.several = len(goal.objectives) > 1
        with quiet(self.packages):
            choice = importlib.import_module("syne_tune.config_space").choice
            if self.several:
                made = importlib.import_module(f"{SEARCHERS}.multiobjective.multi_objective_regularized_evolution")
                searcher = made.MultiObjectiveRegularizedEvolution
            else:
                searcher = importlib.import_module(f"{SEARCHERS}.searchers.regularized_evolution").RegularizedEvolution
            self.searcher = searcher(
                {name: choice(list(range(count))) for name, count in self.counts.items()},
                population_size=population,
                sample_size=sample,
                random_seed=self.number,
            )
        self.population, self.drawn = population, 0

    def suggest(self) -> tuple[Any, Values]:
        if len(self.searcher.population) >= self.population:
            config = self.searcher.suggest()
        else:
            rng = stream(self.seed, self.drawn, "peer syne_tune")
            self.drawn += 1
            config = {name: rng.randrange(count) for name, count in self.counts.items()}
        return config, config

    def hear(self, token: Any, values: Values, costs: Sequence[float] | None, excess: float) -> None:
        if costs is not None and excess <= 0:
            self.searcher.on_trial_complete(0, dict(values), list(costs) if self.several else costs[0])
