"""SMAC3: Bayesian optimisation with a random forest (Lindauer et al. 2022, arXiv:2109.09831); ParEGO for several objectives."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any

from netwright.core.contracts import Prospect
from netwright.core.objectives import Goal
from netwright.core.space import Space
from netwright.peers._peer import Peer, Values, quiet, scratch

__all__ = ["SMAC"]

UNKNOWN = 150
"""Trials that it plans for where nobody knows how many there will be."""


class SMAC(Peer):
    """Its facade for hyperparameters. ``retrain``: after how many configurations it fits its forest anew (its own default: 8).

    The size of its first design depends on the number of trials, which it is told where the budget says it.
    """

    packages = ("smac", "ConfigSpace")

    def __init__(self, space: Space, goal: Goal, seed: int, prospect: Prospect | None = None, *, retrain: int = 8) -> None:
        super().__init__(space, goal, seed)
        with quiet(self.packages):
            smac = self.smac = importlib.import_module("smac")
            spaces = importlib.import_module("ConfigSpace")
            self.parameters = spaces.ConfigurationSpace(seed=self.number)
            made = spaces.CategoricalHyperparameter
            self.parameters.add([made(name, list(range(count))) for name, count in self.counts.items()])
            several = len(goal.objectives) > 1
            scenario = smac.Scenario(
                self.parameters,
                objectives=[f"cost{i}" for i in range(len(goal.objectives))] if several else "cost",
                deterministic=True,
                n_trials=(prospect.trials if prospect else None) or UNKNOWN,
                seed=self.number,
                output_directory=scratch(self),
            )
            facade = smac.HyperparameterOptimizationFacade
            parego = importlib.import_module("smac.multi_objective.parego").ParEGO(scenario) if several else None
            self.facade = facade(
                scenario,
                lambda config, seed=0: 0.0,
                config_selector=facade.get_config_selector(scenario, retrain_after=retrain),
                multi_objective_algorithm=parego,
                logging_level=False,
                overwrite=True,
            )
        self.worst: list[float] = []

    def suggest(self) -> tuple[Any, Values] | None:
        try:
            info = self.facade.ask()
        except StopIteration:  # it finds nothing new
            return None
        return info, {name: int(value) for name, value in dict(info.config).items()}

    def hear(self, token: Any, values: Values, costs: Sequence[float] | None, excess: float) -> None:
        made = importlib.import_module("smac.runhistory.dataclasses")
        status = importlib.import_module("smac.runhistory.enumerations").StatusType
        told = costs if costs is not None and excess <= 0 else None
        if told is not None:
            self.worst = [max(pair) for pair in zip(self.worst or told, told, strict=True)]
        cost = list(told or self.worst or [0.0] * len(self.goal.objectives))
        value = made.TrialValue(cost if len(cost) > 1 else cost[0], status=status.SUCCESS if told is not None else status.CRASHED)
        if token is None or {name: int(v) for name, v in dict(token.config).items()} != values:
            if token is not None:  # what it proposed was not tried
                self.facade.tell(token, made.TrialValue(value.cost, status=status.CRASHED), save=False)
            config = importlib.import_module("ConfigSpace").Configuration(self.parameters, values=dict(values))
            token = made.TrialInfo(config, seed=0)
        self.facade.tell(token, value, save=False)
