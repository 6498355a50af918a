"""NSGA-II: generations that are sorted by dominance, then by crowding (Deb et al. 2002, DOI 10.1109/4235.996017)."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from netwright.core.contracts import Strategy
from netwright.core.objectives import Goal
from netwright.core.picks import belongs, sample
from netwright.core.seeds import stream
from netwright.core.space import Space
from netwright.core.trial import History, Proposal, Trial
from netwright.errors import RecipeError
from netwright.strategies._fresh import Fold, Fresh, bred

__all__ = ["Nsga2"]


class Nsga2(Strategy):
    """Of a generation and its children the best survive; two of them at a time compete to be parents.

    ``population``: the size of a generation; so many are drawn at random first. ``crossover``: probability that a child takes
    each decision from one of two parents. ``mutation``: probability that such a child changes one decision more; a child of one
    parent always does.
    Best is what keeps the limits, by front, then the loneliest of its front; then what breaks the limits least. A generation is
    over when as many have ended as it is large; whoever is asked for before that descends from the one before.
    """

    def __init__(
        self, space: Space, goal: Goal, seed: int, *, population: int = 20, crossover: float = 0.9, mutation: float = 0.3
    ) -> None:
        if population < 2 or not 0 <= crossover <= 1 or not 0 <= mutation <= 1:
            raise RecipeError(
                f"population {population}, crossover {crossover}, mutation {mutation} do not fit",
                where="strategy nsga2",
                todo="Use population >= 2, and probabilities from 0 to 1.",
            )
        self.space, self.goal, self.seed = space, goal, seed
        self.population, self.crossover, self.mutation = population, crossover, mutation
        self._survivors = Fold[list[Trial]](list, self._survive, population)

    def _survive(self, parents: list[Trial], children: Sequence[Trial]) -> list[Trial]:
        return self.goal.ranked([*parents, *children])[: self.population]

    @property
    def first_design(self) -> int:
        return self.population

    def ask(self, history: History, slots: int) -> Sequence[Proposal]:
        belongs(self.space, history)
        ended = [trial for trial in history.ended if trial.state != "failed" and trial.measurements]
        parents = self._survivors.of(ended) or (self.goal.ranked(ended) if history.next_number + slots > self.population else [])
        generation = len(ended) // self.population
        fresh, proposals = Fresh(self.space, history), []
        for number in range(history.next_number, history.next_number + slots):
            rng = stream(self.seed, number, "nsga2")
            drawing = number < self.population or len(parents) < 2

            def draft(attempt: int, drawing: bool = drawing, rng: Random = rng) -> Proposal:
                return Proposal(sample(self.space, rng)) if drawing else self._child(parents, generation, attempt, rng)

            proposals.append(fresh.take(draft))
        return proposals

    def _child(self, parents: Sequence[Trial], generation: int, attempt: int, rng: Random) -> Proposal:
        """The more drafts were known already, the farther it is from its parents."""
        crossing = rng.random() < self.crossover
        mutates = not crossing or rng.random() < self.mutation
        # Parents are ranked: of two, the better one comes first.
        chosen = [parents[min(rng.randrange(len(parents)) for _ in range(2))] for _ in range(1 + crossing)]
        return bred(self.space, chosen, mutates + attempt // 5, rng, generation=generation)
