"""Regularized evolution: tournament among the youngest, the oldest die (Real et al. 2019, arXiv:1802.01548)."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

from netwright.core.contracts import Strategy
from netwright.core.objectives import Goal
from netwright.core.picks import cross, mutate, sample
from netwright.core.seeds import stream
from netwright.core.space import Space
from netwright.core.trial import History, Proposal, Trial
from netwright.errors import RecipeError, SpaceError

__all__ = ["Evolution"]

UNSEEN = 20
"""Children that are known already before one is proposed again."""


class Evolution(Strategy):
    """Sample until the population is full; then the best of a random tournament has a mutant.

    ``population``: how many of the latest trials can be parents. ``tournament``: how many of them compete.
    ``crossover``: probability that a second tournament's winner gives half of the decisions.
    Failed and infeasible trials stay out of the population, so that they neither breed nor push others out.
    """

    def __init__(
        self, space: Space, goal: Goal, seed: int, *, population: int = 24, tournament: int = 6, crossover: float = 0.0
    ) -> None:
        if population < 2 or not 1 <= tournament <= population or not 0 <= crossover <= 1:
            raise RecipeError(
                f"population {population}, tournament {tournament}, crossover {crossover} do not fit",
                where="strategy evolution",
                todo="Use 1 <= tournament <= population, population >= 2 and 0 <= crossover <= 1.",
            )
        self.space, self.goal, self.seed = space, goal, seed
        self.population, self.tournament, self.crossover = population, tournament, crossover

    def ask(self, history: History, slots: int) -> Sequence[Proposal]:
        known, new = history.traces, set[Any]()
        living = history.finished[-self.population :]
        proposals = []
        for number in range(history.next_number, history.next_number + slots):
            rng = stream(self.seed, number, "evolution")
            filling = number < self.population or len(living) < 2
            for _ in range(UNSEEN):
                proposal = Proposal(sample(self.space, rng)) if filling else self._child(living, rng)
                if proposal.architecture.trace not in known and proposal.architecture.trace not in new:
                    break
            new.add(proposal.architecture.trace)
            proposals.append(proposal)
        return proposals

    def _winner(self, living: Sequence[Trial], rng: Random) -> Trial:
        return self.goal.ranked(rng.sample(living, min(self.tournament, len(living))))[0]

    def _child(self, living: Sequence[Trial], rng: Random) -> Proposal:
        parent = self._winner(living, rng)
        start = parent.architecture
        if rng.random() < self.crossover:
            start = cross(self.space, start, self._winner(living, rng).architecture, rng)
        try:
            return Proposal(mutate(self.space, start, rng), notes={"parent": parent.number})
        except SpaceError:  # a space of one architecture
            return Proposal(start, notes={"parent": parent.number})
