"""Regularized evolution: tournament among the youngest, the oldest die (Real et al. 2019, arXiv:1802.01548)."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from netwright.core.contracts import Strategy
from netwright.core.objectives import Goal, fronts
from netwright.core.picks import belongs, sample
from netwright.core.seeds import stream
from netwright.core.space import Space
from netwright.core.trial import History, Proposal, Trial
from netwright.errors import RecipeError
from netwright.strategies._fresh import Fresh, bred

__all__ = ["Evolution"]


class Evolution(Strategy):
    """Draw a few at random; then the best of a random tournament among the latest has a child.

    ``initial``: how many are drawn. ``population``: how many of the latest trials can be parents. ``tournament``: how many of
    them compete; 0 for half of the population. ``crossover``: probability that a child takes each decision from one of two
    parents; else it is a mutant of one.
    Failed and infeasible trials stay out of the population, so that they neither breed nor push others out; only while fewer
    than two keep the limits, those that break them breed.
    """

    def __init__(
        self,
        space: Space,
        goal: Goal,
        seed: int,
        *,
        initial: int = 10,
        population: int = 50,
        tournament: int = 0,
        crossover: float = 0.5,
    ) -> None:
        if population < 2 or initial < 1 or not 0 <= tournament <= population or not 0 <= crossover <= 1:
            raise RecipeError(
                f"initial {initial}, population {population}, tournament {tournament}, crossover {crossover} do not fit",
                where="strategy evolution",
                todo="Use initial >= 1, population >= 2, 0 <= tournament <= population (0: half of it) and 0 <= crossover <= 1.",
            )
        self.space, self.goal, self.seed = space, goal, seed
        self.initial, self.population, self.crossover = initial, population, crossover
        self.tournament = tournament or population // 2

    @property
    def first_design(self) -> int:
        return self.initial

    def ask(self, history: History, slots: int) -> Sequence[Proposal]:
        belongs(self.space, history)
        fresh, rivals = Fresh(self.space, history), _Rivals(self.goal, self._living(history))
        proposals = []
        for number in range(history.next_number, history.next_number + slots):
            rng = stream(self.seed, number, "evolution")
            drawing = number < self.initial or len(rivals.living) < 2

            def draft(attempt: int, drawing: bool = drawing, rng: Random = rng) -> Proposal:
                return Proposal(sample(self.space, rng)) if drawing else self._child(rivals, attempt, rng)

            proposals.append(fresh.take(draft))
        return proposals

    def _living(self, history: History) -> Sequence[Trial]:
        living = history.finished[-self.population :]
        if len(living) < 2:
            latest = history.ended[-self.population :]
            living = [trial for trial in latest if trial.state == "infeasible" and trial.measurements] + living
        return living

    def _child(self, rivals: _Rivals, attempt: int, rng: Random) -> Proposal:
        """The more drafts were known already, the farther it is from its parents."""
        crossing = rng.random() < self.crossover
        parents = [rivals.winner(self.tournament, rng) for _ in range(1 + crossing)]
        return bred(self.space, parents, 1 - crossing + attempt // 5, rng)


class _Rivals:
    """Who can be a parent."""

    def __init__(self, goal: Goal, living: Sequence[Trial]) -> None:
        self.living = living
        self.place = {trial.number: place for place, trial in enumerate(goal.ranked(living))}
        several = len(goal.objectives) > 1
        self.costs = {trial.number: goal.costs(trial) for trial in living if several and goal.met(trial)}

    def winner(self, tournament: int, rng: Random) -> Trial:
        """The best of some; with several objectives, any of those that none of them dominates."""
        some = rng.sample(self.living, min(tournament, len(self.living)))
        met = [trial for trial in some if trial.number in self.costs]
        if met:
            return met[rng.choice(fronts([self.costs[trial.number] for trial in met])[0])]
        return min(some, key=lambda trial: self.place[trial.number])
