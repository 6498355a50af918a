"""Chooses a strategy by what is known before the search: objectives, budget, the size of the space. It says what, and why."""

from __future__ import annotations

import importlib.util
from collections.abc import Collection, Sequence

from netwright.core.contracts import Prospect, Strategy, Verdict
from netwright.core.objectives import Goal
from netwright.core.space import Space
from netwright.core.trial import History, Proposal, Trial
from netwright.registry import part

__all__ = ["Auto"]

MODELLED = {1: 1000, 2: 300}
"""Trials after which a model of all of them costs more time than it saves trials, by the number of objectives (2: several)."""

CHEAP_S, SOON = 1.0, 100
"""Where a trial takes less than so many seconds, it is after so many trials: models of more take longer than the trial."""


class Auto(Strategy):
    """Bayesian optimisation while trials are few and dear, which needs the fewest on the tables of the benchmarks; evolution when
    there are so many that models grow slow. Which it is at a trial depends on the number of that trial, so that a resumed or
    extended search goes on with the same."""

    def __init__(self, space: Space, goal: Goal, seed: int, prospect: Prospect | None = None) -> None:
        self.space, self.goal, self.seed, self.prospect = space, goal, seed, prospect or Prospect()
        several = len(goal.objectives) > 1
        cheap = self.prospect.seconds is not None and self.prospect.seconds < CHEAP_S
        self.first = SOON if cheap else MODELLED[2 if several else 1]
        if several and importlib.util.find_spec("botorch") is None:
            self.first = 0
        self.later = "nsga2" if several else "evolution"
        self._made: dict[str, Strategy] = {}

    @property
    def first_design(self) -> int:
        return self._now(0).first_design

    def _now(self, number: int) -> Strategy:
        name = "bayes" if number < self.first else self.later
        if name not in self._made:
            self._made[name] = part("strategies", name)(self.space, self.goal, self.seed)
        return self._made[name]

    def remarks(self) -> Sequence[str]:
        several = len(self.goal.objectives) > 1
        trials, seconds = self.prospect.trials, self.prospect.seconds
        if not self.first:
            why = "auto: nsga2, as there are several objectives and botorch is not installed (pip install 'netwright[bo]')"
        elif trials is not None and trials <= self.first:
            why = f"auto: bayes, as {'several objectives and ' if several else ''}{trials} trials can be modelled"
        else:
            slow = "take longer than a trial" if self.first == SOON and seconds is not None else "are slow"
            why = f"auto: bayes for the first {self.first} trials, then {self.later}, as models of more {slow}"
        return [why]

    def ask(self, history: History, slots: int) -> Sequence[Proposal]:
        left = self.first - history.next_number
        return self._now(history.next_number).ask(history, min(slots, left) if left > 0 else slots)

    def watch(self, trial: Trial, history: History) -> Verdict:
        return self._now(trial.number).watch(trial, history)

    def resumable(self, history: History) -> Collection[int]:
        return self._now(history.next_number).resumable(history)
