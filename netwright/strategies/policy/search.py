"""A search by a policy: it draws, and learns from trials in batches, in the order in which they ended."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from netwright.core.objectives import Goal
from netwright.core.picks import accepted, belongs
from netwright.core.seeds import stream
from netwright.core.space import Space
from netwright.core.trial import History, Proposal, Trial
from netwright.strategies.policy.controller import Array, Controller, Step
from netwright.strategies.policy.policy import Policy

__all__ = ["WINDOW", "Learner", "PolicySearch", "rewards"]

UNSEEN = 20
"""Draws of known architectures before one is proposed again. Each is less bold than the one before; the last is uniform."""

WINDOW = 100
"""So many of the latest trials a trial is ranked among."""


def rewards(goal: Goal, trials: Sequence[Trial]) -> Array:
    """What each trial is worth among the others: −log of the share that is better, so that a step near the top counts most; of
    mean 0 and variance 1. Only ranks matter, so no metric needs a scale; what failed comes last, and equal trials are equal."""
    places: dict[Any, list[int]] = {}
    for place, trial in enumerate(goal.ranked(trials)):
        places.setdefault(_worth(goal, trial), []).append(place)
    share = {worth: (float(np.mean(found)) + 0.5) / len(trials) for worth, found in places.items()}
    found = -np.log([share[_worth(goal, trial)] for trial in trials])
    spread = float(found.std())
    return (found - found.mean()) / spread if spread > 1e-9 else np.zeros(len(trials))


def _worth(goal: Goal, trial: Trial) -> tuple[Any, ...]:
    return goal.met(trial), goal.costs(trial), goal.excess(trial.values)


class Learner(ABC):
    """How a controller learns. All that it knows is from what it was shown, so that another one can be shown the same."""

    controller: Controller

    @abstractmethod
    def learn(self, steps: Sequence[Sequence[Step]], rewards: Array) -> None:
        """From the latest trials, the newest last."""


class PolicySearch:
    """Asks a policy for what was not tried yet. After every ``batch`` trials its learner is shown the latest ``shown``.

    ``purpose`` names its random streams. Trials are taken in as they ended; given others than before, a new learner is shown
    them all.
    """

    def __init__(
        self, space: Space, goal: Goal, seed: int, purpose: str, learner: Callable[[], Learner], *, batch: int, shown: int
    ) -> None:
        self.space, self.goal, self.seed, self.purpose = space, goal, seed, purpose
        self.make, self.batch, self.shown = learner, batch, shown
        self._begin()

    def _begin(self) -> None:
        self.learner = self.make()
        self.policy = Policy(self.space, self.learner.controller)
        self._taken: list[Trial] = []

    def ask(self, history: History, slots: int) -> list[Proposal]:
        belongs(self.space, history)
        self._catch_up(history.ended)
        known, new = history.traces, set[Any]()
        proposals = []
        for number in range(history.next_number, history.next_number + slots):
            rng = stream(self.seed, number, self.purpose)
            for attempt in range(UNSEEN):
                boldness = 1 - attempt / (UNSEEN - 1)
                drawn = accepted(self.space, lambda: self.policy.draw(rng, boldness), rng)  # noqa: B023
                if drawn.trace not in known and drawn.trace not in new:
                    break
            new.add(drawn.trace)
            proposals.append(Proposal(drawn))
        return proposals

    def _catch_up(self, ended: Sequence[Trial]) -> None:
        if list(ended[: len(self._taken)]) != self._taken:
            self._begin()
        while len(ended) - len(self._taken) >= self.batch:
            self._taken = list(ended[: len(self._taken) + self.batch])
            latest = self._taken[-max(WINDOW, self.shown) :]
            worth = rewards(self.goal, latest)[-self.shown :]
            self.learner.learn([self.policy.steps(trial.architecture) for trial in latest[-self.shown :]], worth)
            self.policy.changed()
