"""Bayesian optimisation: a surrogate says what to expect of every candidate, an acquisition what it is worth to find out.

Jones et al. 1998 (expected improvement); Kandasamy et al. 2018, White et al. 2021, Ru et al. 2021 (for architectures).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from scipy.special import ndtr

from netwright.core.contracts import Belief, Strategy, Surrogate
from netwright.core.objectives import Goal
from netwright.core.picks import belongs
from netwright.core.seeds import integer
from netwright.core.space import Space
from netwright.core.trial import History, Proposal, Trial
from netwright.errors import RecipeError
from netwright.registry import part
from netwright.strategies import improvement
from netwright.strategies._costs import over, softened
from netwright.strategies.candidates import Candidates, Pool
from netwright.surrogates.encode import read_by

__all__ = ["Bayes"]

REFITS = (5, 10, 15, 20, 30, 40, 60, 80, 120, 160, 240, 320, 480, 640, 1000, 2000, 4000, 8000)
"""Counts of known trials at which hyperparameters are learned anew, from exactly these."""

LEARNED = 200
"""So many of them are learned from at most, spread evenly over how good they are."""

LOOKED_AT = 1000
"""So many known trials are conditioned on at most: the best half of them, and the latest."""

SPREAD = 100
"""Draws of which the first design takes the one that is farthest from the others."""

ALONE_FROM, ALONE_EVERY = 30, 4
"""Of several objectives, from so many trials on every so many is about the first alone: the ends of a front are small in volume,
and are where those who search want to be sure."""

TIED = 1e-7
"""Candidates whose worth differs by less, relatively, are equal, and the first is taken: rounding decides nothing."""

ACQUISITIONS = ("ei", "ucb", "thompson")


class Bayes(Strategy):
    """A first design of ``design`` architectures far from one another, then the candidate with the largest ``acquisition``.

    ``design``: 0 for 3, of several objectives 5.
    ``surrogate``: ``gp``, ``forest``, ``ensemble``, ``gnn`` …, where empty ``gp``, of several objectives ``additive``;
    ``encoding``: what it reads, its own where empty.
    ``acquisition``: ``ei`` (expected improvement), ``ucb`` (lower confidence bound, ``beta`` standard deviations) or ``thompson``
    (independent draws). Several objectives: expected hypervolume improvement. Measured limits weigh by the probability that they
    are kept; trials under way count as if they had brought what is expected of them.
    """

    def __init__(
        self,
        space: Space,
        goal: Goal,
        seed: int,
        *,
        surrogate: str = "",
        encoding: str = "",
        acquisition: str = "ei",
        beta: float = 1.0,
        design: int = 0,
        whole: int = 30_000,
    ) -> None:
        if acquisition not in ACQUISITIONS:
            todo = f"Choose one of {', '.join(ACQUISITIONS)}."
            raise RecipeError(f"acquisition {acquisition!r} cannot be", where="strategy bayes", todo=todo)
        several = len(goal.objectives) > 1
        design = design or (5 if several else 3)
        if several:
            improvement.available()
        if design < 2 or beta < 0 or whole < 0:
            what = f"design {design}, beta {beta}, whole {whole} cannot be"
            raise RecipeError(what, where="strategy bayes", todo="Use design >= 2, beta >= 0 and whole >= 0.")
        self.space, self.goal, self.seed = space, goal, seed
        self.acquisition, self.beta, self.design = acquisition, beta, design
        self._maker = part("surrogates", surrogate or ("additive" if several else "gp"))
        self.candidates = Candidates(space, seed, read_by(self._maker, encoding), whole=whole, each=several)
        self._models: dict[str, tuple[tuple[Any, ...], Surrogate]] = {}

    @property
    def first_design(self) -> int:
        return self.design

    def ask(self, history: History, slots: int) -> Sequence[Proposal]:
        belongs(self.space, history)
        proposals: list[Proposal] = []
        under_way = [trial.architecture for trial in history.pending.values()]
        for number in range(history.next_number, history.next_number + slots):
            pool = self.candidates.pool(history, number, self.goal.ranked(history.finished)).without(under_way)
            if not pool.free.any():  # nothing new is left: a known one again, as it may be measured anew
                pool.free[:] = True
            place = self._chosen(pool, history, under_way, number)
            under_way.append(pool.architectures[place])
            proposals.append(Proposal(pool.architectures[place]))
        return proposals

    def _chosen(self, pool: Pool, history: History, under_way: Sequence[Any], number: int) -> int:
        """The place in the pool of the next proposal."""
        rng = np.random.default_rng(integer(self.seed, number, "bayes"))
        ended = [trial for trial in history.ended if trial.measurements]
        known = [trial for trial in ended if np.isfinite(self.goal.costs(trial)).all()]  # those that break a limit too
        if number < self.design or len(ended) < 2:
            return self._far(pool, [*(trial.architecture for trial in history.ended), *under_way], rng)
        pending = self.candidates.codes(under_way) if under_way else None
        worth = self._kept(pool, history, pending)
        if len(known) < 2:  # limits are looked at before objectives, and most break them
            return self._first(pool, worth)
        costs = np.array([self.goal.costs(trial) for trial in known])
        scales: list[Callable[[Any], Any]] = [
            _softened,
            *[np.asarray] * (costs.shape[1] - 1),
        ]  # times and sizes add up over layers as they are
        beliefs = [self._belief(f"objective {k}", known, costs[:, k], scale, pool, pending) for k, scale in enumerate(scales)]
        met = np.array([self.goal.met(trial) for trial in known])
        if met.any():
            alone = number >= ALONE_FROM and number % ALONE_EVERY == 0
            worth = worth * self._gain(beliefs[:1] if alone else beliefs, met, rng)
        return self._first(pool, worth)

    def _first(self, pool: Pool, worth: Any) -> int:
        """Of what is still to be had the first that is worth the most."""
        worth = np.where(pool.free, worth, -np.inf)
        return int(np.argmax(worth >= worth.max() - TIED * abs(worth.max())))

    def _far(self, pool: Pool, others: Sequence[Any], rng: np.random.Generator) -> int:
        """Of some draws the one whose nearest neighbour among the others is the farthest."""
        free = np.flatnonzero(pool.free)
        drawn = rng.choice(free, min(SPREAD, len(free)), replace=False)
        if not others:
            return int(drawn[0])
        codes, known = (
            np.asarray(x, dtype=float).reshape(len(x), -1) for x in (pool.codes[drawn], self.candidates.codes(others))
        )
        apart = ((codes[:, None] - known[None]) ** 2).sum(-1).min(1)
        return int(drawn[np.argmax(apart)])

    def _belief(
        self, name: str, known: Sequence[Trial], costs: Any, scaled: Callable[[Any], Any], pool: Pool, pending: Any
    ) -> _Told:
        """What the surrogate of one metric, learned from its ``scaled`` costs, thinks of the pool."""
        codes = self.candidates.codes([trial.architecture for trial in known])
        count = max((c for c in REFITS if c <= len(known)), default=len(known))
        mark = tuple((trial.number, trial.epochs) for trial in known[:count])
        learned, model = self._models.get(name, ((), None))
        if model is None or learned != mark:
            model = self._maker(integer(self.seed, count, f"surrogate {name}"))
            rows = np.argsort(costs[:count], kind="stable")
            rows = np.sort(rows[np.unique(np.linspace(0, count - 1, min(count, LEARNED)).astype(int))])
            model.fit(codes[rows], scaled(costs[:count])[rows])
            self._models[name] = mark, model
        values, rows = scaled(costs), _looked_at(costs)
        x, y = codes[rows], values[rows]
        model.update(x, y)
        if pending is not None:
            model.update(np.concatenate([x, pending]), np.concatenate([y, model.predict(pending).mean]))
        belief = model.predict(pool.codes)
        return _Told(belief, values, float(getattr(model, "noise", 0.0)))

    def _gain(self, beliefs: Sequence[_Told], met: Any, rng: np.random.Generator) -> Any:
        """What it is worth to evaluate each candidate, limits apart."""
        means = [told.belief.mean for told in beliefs]
        stds = [np.sqrt(told.belief.std**2 + told.noise**2) for told in beliefs]  # what is measured has its noise
        if len(beliefs) > 1:
            values = np.stack([told.values for told in beliefs], axis=1)
            return improvement.gains(np.stack(means, axis=1), np.stack(stds, axis=1), values[met])
        (told,), (mean,), (std,) = beliefs, means, stds
        if self.acquisition == "ei":
            ahead = (told.values[met].min() - mean) / std
            return std * (ahead * ndtr(ahead) + np.exp(-0.5 * ahead**2) / np.sqrt(2 * np.pi))
        if self.acquisition == "thompson":
            mean = mean + told.belief.std * rng.standard_normal(len(mean))
        else:
            mean = mean - self.beta * told.belief.std
        return mean.max() - mean  # not negative, so that limits can weigh it

    def _kept(self, pool: Pool, history: History, pending: Any) -> Any:
        """How likely each candidate keeps the limits that are measured."""
        likely = np.ones(len(pool.architectures))
        for limit in self.goal.limits:
            known = [t for t in history.ended if np.isfinite(t.values.get(limit.key, np.nan))]
            values = np.array([over(limit, t) for t in known])
            if len(known) >= 2 and (values > 0).any():
                told = self._belief(f"limit {limit.key}", known, values, _plain, pool, pending)
                likely *= ndtr(-told.belief.mean / np.sqrt(told.belief.std**2 + told.noise**2))
        return likely


class _Told:
    """What is thought of the pool: a belief, the known values that it comes from, and how noisy these are."""

    def __init__(self, belief: Belief, values: Any, noise: float) -> None:
        self.belief, self.values, self.noise = belief, values, noise


def _looked_at(values: Any) -> Any:
    """All rows, or the best half and the latest of many."""
    if len(values) <= LOOKED_AT:
        return np.arange(len(values))
    best = np.argsort(values, kind="stable")[: LOOKED_AT // 2]
    return np.union1d(best, np.arange(len(values) - LOOKED_AT // 2, len(values)))


def _plain(costs: Any) -> Any:
    return costs


def _softened(costs: Any) -> Any:
    return softened(costs, costs)
