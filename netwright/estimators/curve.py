"""Extrapolates a learning curve: an average of many curve shapes, each weighed by how well it explains what was seen.

The idea is that of Domhan et al. 2015 (IJCAI): an ensemble of parametric curves. Here each is linear but for its shape, so
that the average over shapes and coefficients is Bayesian and exact, and draws nothing at random; and each has a term that follows
the planned learning rate, as scores rise when it falls (Loshchilov & Hutter 2017, arXiv:1608.03983).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from netwright.core.contracts import Estimator, Site
from netwright.core.metrics import Metric
from netwright.core.objectives import Goal
from netwright.core.trial import Fidelity, Measurement, Proposal
from netwright.errors import RecipeError

__all__ = ["Curve", "forecast"]

Reals = NDArray[np.float64]

SHAPES = (0.05, 0.15, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0)
"""Exponents of the power laws. Of the exponentials: rates, in lengths of the whole training."""

RATES = (1.5, 3.0, 6.0, 12.0)

SPREAD = (0.25, 0.6, 0.4)
"""What may be expected of level, further rise and anneal, in spreads of what was seen; `benchmarks/curves.py` says how often the
interval then holds."""

LEAST = 4
"""Points without which nothing is foretold."""


class Curve(Estimator):
    """Tells at each measurement where the first objective is going to end: ``notes["forecast"]`` holds ``metric``, ``low``,
    ``high`` and ``at``, the epochs. ``points``: measurements of a training, about. ``sure``: the interval's probability.

    What came of it is for the strategy's ``watch`` to say.
    """

    def __init__(self, inner: Estimator, *, points: int = 15, sure: float = 0.9) -> None:
        if points < LEAST or not 0.5 <= sure < 1:
            told = f"points {points} and sure {sure} do not fit"
            raise RecipeError(told, where="estimator curve", todo=f"Use points >= {LEAST} and 0.5 <= sure < 1.")
        self.inner, self.points, self.sure = inner, points, sure
        self.needs, self.offers = inner.needs, inner.offers

    def metrics(self) -> Sequence[Metric]:
        return self.inner.metrics()

    def full(self) -> Fidelity:
        return self.inner.full()

    def final(self) -> Fidelity:
        return self.inner.final()

    def rungs(self, goal: Goal) -> tuple[int, ...]:
        return self.inner.rungs(goal)

    def prepare(self, site: Site) -> None:
        self.inner.prepare(site)

    def estimate(self, proposal: Proposal, site: Site) -> Iterator[Measurement]:
        whole = (proposal.fidelity or self.full()).planned
        every = max(1, whole // self.points)
        objective = site.goal.primary
        sign = -1.0 if objective.maximize else 1.0
        seen: list[tuple[int, float]] = []
        for measurement in self.inner.estimate(replace(proposal, notes={**proposal.notes, "every": every}), site):
            if measurement.fidelity and objective.key in measurement.values:
                seen.append((measurement.fidelity.epochs, -sign * measurement.values[objective.key]))
                if len(seen) >= LEAST and measurement.fidelity.epochs < whole:
                    ends = sorted(-sign * end for end in forecast(seen, whole, self.sure))
                    told = {"metric": objective.key, "low": ends[0], "high": ends[1], "at": whole}
                    measurement = replace(measurement, notes={**measurement.notes, "forecast": told})
            yield measurement


def forecast(seen: Sequence[tuple[int, float]], at: int, sure: float = 0.9) -> tuple[float, float]:
    """Between what and what the curve lies after ``at`` epochs, with a probability of ``sure``. ``seen``: pairs of epochs and
    values, larger is better."""
    late = seen[min(len(seen) - LEAST, len(seen) // 4) :]  # the first steps are another story
    epochs, values = (np.array(column, dtype=float) for column in zip(*late, strict=True))
    spread = max(float(values.max() - values.min()), 1e-9)
    last = float(values[-1])
    means, deviations, weights = _believed(epochs / at, (values - last) / spread)
    low, high = (_quantile(p, means, deviations, weights) for p in ((1 - sure) / 2, (1 + sure) / 2))
    return last + spread * low, last + spread * high


def _believed(t: Reals, y: Reals) -> tuple[Reals, Reals, Reals]:
    """Of each shape: mean and deviation of the value at t = 1, and the weight that the evidence gives it."""
    noise = max(0.02, float(np.median(np.abs(np.diff(y)))) / 0.95)
    found = []
    for rise in _rises(t):
        x = np.stack([np.ones_like(rise), rise, _annealed(np.append(t, 1.0)) - _annealed(t[-1:])], axis=1)
        x[:, 1] -= x[-2, 1]  # all that is unknown is counted from the last point
        seen, end = x[:-1], x[-1]
        prior = np.diag(np.array(SPREAD) ** 2)
        covariance = seen @ prior @ seen.T + noise**2 * np.eye(len(y))
        gain = np.linalg.solve(covariance, seen @ prior).T
        mean = end @ gain @ y
        variance = end @ (prior - gain @ seen @ prior) @ end + noise**2
        evidence = -0.5 * (y @ np.linalg.solve(covariance, y) + np.linalg.slogdet(covariance)[1])
        found.append((mean, math.sqrt(max(float(variance), 1e-12)), evidence))
    means, deviations, evidence = (np.array(column) for column in zip(*found, strict=True))
    weights = np.exp(evidence - evidence.max())
    return means, deviations, weights / weights.sum()


def _rises(t: Reals) -> Iterator[Reals]:
    """Each shape at the points and at t = 1, rising by one from the first point to the last."""
    ends = np.append(t, 1.0)
    for shape in SHAPES:
        yield _unit(-(ends**-shape))
    for rate in RATES:
        yield _unit(-np.exp(-rate * ends))


def _unit(rise: Reals) -> Reals:
    return np.asarray((rise - rise[0]) / max(1e-9, float(rise[-2] - rise[0])))


def _annealed(t: Reals) -> Reals:
    """How far the learning rate has come down along a cosine."""
    return np.asarray(0.5 * (1 - np.cos(math.pi * t)))


def _quantile(p: float, means: Reals, deviations: Reals, weights: Reals) -> float:
    """Of a mixture of normal distributions, by halving."""
    low, high = float((means - 6 * deviations).min()), float((means + 6 * deviations).max())
    for _ in range(50):
        middle = (low + high) / 2
        below = sum(
            w * 0.5 * (1 + math.erf((middle - m) / (d * math.sqrt(2))))
            for m, d, w in zip(means, deviations, weights, strict=True)
        )
        low, high = (middle, high) if below < p else (low, middle)
    return (low + high) / 2
