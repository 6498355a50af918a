"""Optuna as its users run it: one study that is asked and told, each hole a categorical parameter."""

from __future__ import annotations

import importlib
import math
from collections.abc import Sequence
from typing import Any

from netwright.core.objectives import Goal
from netwright.core.space import Space
from netwright.peers._peer import Peer, Values, quiet

__all__ = ["OptunaPeer"]


class OptunaPeer(Peer):
    """A study with one of Optuna's samplers. Limits are its constraints."""

    packages: Sequence[str] = ("optuna",)
    sampler = ""

    def __init__(self, space: Space, goal: Goal, seed: int, **options: Any) -> None:
        super().__init__(space, goal, seed)
        optuna = self.optuna = importlib.import_module("optuna")
        with quiet(self.packages):
            sampler = getattr(optuna.samplers, self.sampler)(seed=self.number, **options)
            self.study = optuna.create_study(sampler=sampler, directions=["minimize"] * len(goal.objectives))
        made = optuna.distributions.CategoricalDistribution
        self.distributions = {name: made(range(count)) for name, count in self.counts.items()}

    def suggest(self) -> tuple[Any, Values]:
        trial = self.study.ask(self.distributions)
        return trial, trial.params

    def hear(self, token: Any, values: Values, costs: Sequence[float] | None, excess: float) -> None:
        state = self.optuna.trial.TrialState
        broken = {"limits": min(excess, 1e6)} if self.goal.limits else None
        if token is not None and token.params == values:
            if broken and math.isfinite(excess):
                token.set_constraint("limits", broken["limits"])
            self.study.tell(token, costs, state=state.FAIL if costs is None else state.COMPLETE)
            return
        if token is not None:
            self.study.tell(token, state=state.FAIL)
        if costs is not None:
            given = {"params": dict(values), "distributions": self.distributions, "constraints": broken}
            self.study.add_trial(self.optuna.trial.create_trial(values=list(costs), **given))
