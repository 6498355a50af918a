"""A learned predictor inside evolution: many are ranked cheaply, the few that look best are evaluated, and it learns again.

NPENAS (Wei et al. 2020, arXiv:2003.12857), WeakNAS (Wu et al. 2021, arXiv:2102.10490).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from netwright.core.architecture import Architecture
from netwright.core.contracts import Strategy, Surrogate
from netwright.core.objectives import Goal
from netwright.core.picks import belongs, mutate, sample
from netwright.core.seeds import integer, stream
from netwright.core.space import Space
from netwright.core.trial import FINISHED, History, Proposal, Trial
from netwright.errors import RecipeError, SpaceError
from netwright.registry import part
from netwright.strategies._costs import over, softened
from netwright.strategies._fresh import Fresh
from netwright.strategies.candidates import Candidates
from netwright.surrogates.encode import read_by

__all__ = ["Predictor"]

LEARNED = 500
"""Trials that the predictor learns from at most: the best half of so many, and the latest."""

SPREAD = 64
"""Of several objectives, so many of the best candidates are put in an order that spreads them along the front."""

PARENTS, MUTANTS = 20, 5
"""How many of those that are predicted best have mutants, and how many each."""

TIED = 1e-7
"""Predictions that differ by less, relatively, are equal: rounding decides nothing."""


class Predictor(Strategy):
    """``design`` architectures are drawn; then a predictor ranks the candidates, and a ``generation`` of them is evaluated.

    ``surrogate``: the predictor; ``encoding``: what it reads, its own where empty. ``beta``: standard deviations of doubt that
    count in favour of a candidate. A space of at most ``whole`` architectures is ranked whole; of a larger one draws, mutants of
    the best trials, and ``rounds`` of mutants of those that are predicted best.
    """

    def __init__(
        self,
        space: Space,
        goal: Goal,
        seed: int,
        *,
        surrogate: str = "gp",
        encoding: str = "",
        design: int = 5,
        generation: int = 2,
        beta: float = 0.5,
        rounds: int = 3,
        whole: int = 30_000,
    ) -> None:
        if design < 2 or generation < 1 or min(beta, rounds, whole) < 0:
            raise RecipeError(
                f"design {design}, generation {generation}, beta {beta}, rounds {rounds}, whole {whole} cannot be",
                where="strategy predictor",
                todo="Use design >= 2, generation >= 1, and 0 or more of the others.",
            )
        self.space, self.goal, self.seed = space, goal, seed
        self.design, self.generation, self.beta, self.rounds = design, generation, beta, rounds
        self._maker = part("surrogates", surrogate)
        self.candidates = Candidates(space, seed, read_by(self._maker, encoding), whole=whole)
        self._ranked: tuple[Any, list[Architecture]] = (None, [])

    @property
    def first_design(self) -> int:
        return self.design

    def ask(self, history: History, slots: int) -> Sequence[Proposal]:
        belongs(self.space, history)
        fresh, proposals = Fresh(self.space, history), []
        for number in range(history.next_number, history.next_number + slots):
            ranked = self._ranking(history) if number >= self.design else []
            chosen = next((a for a in ranked if fresh.is_new(a)), None)
            proposals.append(fresh.taken(Proposal(chosen)) if chosen else fresh.take(self._draws(number)))
        return proposals

    def _draws(self, number: int) -> Callable[[int], Proposal]:
        rng = stream(self.seed, number, "predictor")
        return lambda attempt: Proposal(sample(self.space, rng))

    # ---- a generation ----------------------------------------------------------------------------------------------------

    def _ranking(self, history: History) -> Sequence[Architecture]:
        """The candidates of this generation, best first: what it is follows from the trials that ended before it."""
        count = self._learned(len(history.ended))
        past = history.ended[:count]
        mark = tuple((trial.number, trial.epochs) for trial in past)
        if self._ranked[0] != mark:
            known = [t for t in past if t.state in FINISHED and np.isfinite(self.goal.costs(t)).all()]
            self._ranked = mark, (list(self._best(known, past)) if len(known) > 1 else [])
        return self._ranked[1]

    def _learned(self, ended: int) -> int:
        """Of how many ended trials the predictor knows: it learns anew at fixed counts, each a generation beyond the last, or
        a tenth."""
        count = 0
        while count + max(self.generation, count // 10) <= ended:
            count += max(self.generation, count // 10)
        return count

    def _best(self, known: Sequence[Trial], past: Sequence[Trial]) -> Iterator[Architecture]:
        pool = self.candidates.pool(History(past), len(past), self.goal.ranked(known))
        order = self._taught(known, past)
        if self.candidates.listed:
            return (pool.architectures[place] for place in order(pool.codes))
        return iter(self._evolved(pool.architectures, order, len(past)))

    def _evolved(self, first: Sequence[Architecture], order: Callable[[Any], Any], count: int) -> list[Architecture]:
        """The candidates and mutants of those that are predicted best, and mutants of these: best first."""
        found = {architecture.trace: architecture for architecture in first}
        for number in range(self.rounds + 1):
            kept = list(found.values())
            best = [kept[place] for place in order(self.candidates.codes(kept))]
            if number == self.rounds:
                break
            rng = stream(self.seed, count, f"round {number}")
            try:
                children = [mutate(self.space, parent, rng) for parent in best[:PARENTS] for _ in range(MUTANTS)]
            except SpaceError:  # a space of one architecture
                break
            found |= {child.trace: child for child in children}
        return best

    # ---- what is predicted -----------------------------------------------------------------------------------------------

    def _taught(self, known: Sequence[Trial], past: Sequence[Trial]) -> Callable[[Any], Any]:
        """What puts codes in order, best first: those that keep the measured limits, then by how far they break them."""
        costs = np.array([self.goal.costs(trial) for trial in known])
        models = [self._model(f"objective {k}", known, column, softened(column, column)) for k, column in enumerate(costs.T)]
        front = np.array([self.goal.costs(trial) for trial in self.goal.front(known) or known])
        near = np.stack([softened(column, front[:, k]) for k, column in enumerate(costs.T)], axis=1)
        limits = []
        for limit in self.goal.limits:
            told = [trial for trial in past if np.isfinite(trial.values.get(limit.key, np.nan))]
            sides = np.array([over(limit, trial) for trial in told])
            if len(told) > 1 and sides.max() > 0:
                limits.append(self._model(f"limit {limit.key}", told, sides, sides))

        def order(codes: Any) -> Any:
            beliefs = [model.predict(codes) for model in models]
            hoped = np.stack([belief.mean - self.beta * belief.std for belief in beliefs], axis=1)
            broken = np.zeros(len(codes))
            for model in limits:
                broken += np.maximum(model.predict(codes).mean, 0.0)
            kept, rest = np.flatnonzero(broken <= 0), np.flatnonzero(broken > 0)
            ahead = _ascending(hoped[kept, 0]) if len(models) == 1 else _spread(hoped[kept], near)
            return np.concatenate([kept[ahead], rest[_ascending(broken[rest])]])

        return order

    def _model(self, name: str, trials: Sequence[Trial], values: Any, scaled: Any) -> Surrogate:
        rows: Any = np.arange(len(trials))
        if len(trials) > LEARNED:
            rows = np.union1d(np.argsort(values, kind="stable")[: LEARNED // 2], rows[-LEARNED // 2 :])
        model: Surrogate = self._maker(integer(self.seed, len(trials), f"predictor {name}"))
        model.fit(self.candidates.codes([trials[row].architecture for row in rows]), scaled[rows])
        return model


def _ascending(values: Any) -> Any:
    """Places from the least value to the greatest; equal ones in the order in which they stand."""
    if not len(values):
        return np.zeros(0, dtype=int)
    return np.argsort(np.round(values / (TIED * max(float(np.ptp(values)), 1e-12))), kind="stable")


def _spread(hoped: Any, front: Any) -> Any:
    """Places front by front; the first of them so that each is far from the known ``front`` and from those before it."""
    left, ordered = np.arange(len(hoped)), list[int]()
    while len(left) and len(ordered) < SPREAD:
        best = left[_undominated(hoped[left])]
        left = np.setdiff1d(left, best)
        apart = ((hoped[best][:, None] - front[None]) ** 2).sum(-1).min(1)
        for _ in range(len(best)):
            farthest = int(np.argmax(np.round(apart, 9)))
            ordered.append(int(best[farthest]))
            apart = np.minimum(apart, ((hoped[best] - hoped[best[farthest]]) ** 2).sum(-1))
            apart[farthest] = -np.inf
    return np.array([*ordered, *left[_ascending(hoped[left].sum(1))]], dtype=int)


def _undominated(costs: Any) -> Any:
    """Places that no other beats in every objective, in the order of their costs."""
    left, found = np.lexsort(costs.T[::-1]), list[int]()
    while len(left):
        found.append(int(left[0]))
        left = left[1:][(costs[left[1:]] < costs[left[0]]).any(axis=1)]
    return np.array(found, dtype=int)
