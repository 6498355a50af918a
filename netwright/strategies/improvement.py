"""Expected hypervolume improvement: what a candidate may add to the front of several objectives (Yang et al. 2019; BoTorch)."""

from __future__ import annotations

import importlib.util
import warnings
from typing import Any

import numpy as np

from netwright.core.objectives import fronts
from netwright.errors import RecipeError

__all__ = ["BEYOND", "available", "gains", "scale"]

BEYOND = 0.1
"""How far beyond the worst values of the front the reference point lies, in widths of the front."""

_AT_ONCE = 512
"""Candidates that BoTorch looks at together: with more it is slower, as memory is."""


def available() -> None:
    """Raises :class:`RecipeError` where BoTorch is not installed."""
    if importlib.util.find_spec("botorch") is None:
        what = "strategy bayes needs the package botorch for several objectives, which is not installed"
        raise RecipeError(what, todo="Install it with: pip install 'netwright[bo]', or use strategy nsga2.")


def scale(costs: Any) -> tuple[Any, Any]:
    """The best cost on the front of ``costs`` (n, k) and the front's width, for each objective.

    Where the front is a single point, the width is that of all costs."""
    front = costs[fronts(costs.tolist())[0]]
    width = np.ptp(front, axis=0)
    width = np.where(width > 0, width, np.ptp(costs, axis=0))
    return front.min(axis=0), np.where(width > 0, width, 1.0)


def gains(mean: Any, std: Any, costs: Any) -> Any:
    """By how much each candidate is expected to enlarge the hypervolume that ``costs`` dominate, shape (m,).

    ``mean``, ``std``: what is believed of the candidates, (m, k), each objective apart; a value that is known has a standard
    deviation of 0. ``costs``: those of the feasible trials, (n, k), n >= 1, and what is believed of trials under way, so that
    a batch spreads along the front. All are in the same units, smaller is better. Objectives are scaled to 0-1 over the front,
    the reference point is 1.1. Multiply by the probability that the limits are kept.
    """
    low, width = scale(costs)
    front = costs[fronts(costs.tolist())[0]]
    return _expected((mean - low) / width, std / width, (front - low) / width)


def _expected(mean: Any, std: Any, front: Any) -> Any:
    """BoTorch's closed form. BoTorch maximises, hence the signs; the inputs of its model are the beliefs themselves."""
    import torch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of torch.jit, when linear_operator is first imported
        from botorch.acquisition.multi_objective.analytic import ExpectedHypervolumeImprovement
        from botorch.models.model import Model
        from botorch.utils.multi_objective.box_decompositions.non_dominated import FastNondominatedPartitioning

    k = mean.shape[1]

    class Told(Model):  # type: ignore[misc]
        """Believes what it is asked: inputs are k means, then k standard deviations."""

        num_outputs, batch_shape = k, torch.Size()

        def posterior(self, X: Any, **options: Any) -> Any:
            return _Posterior(X[..., :k], X[..., k:] ** 2)

    reference = torch.full((k,), -1 - BEYOND, dtype=torch.double)
    cells = FastNondominatedPartitioning(ref_point=reference, Y=-torch.as_tensor(front, dtype=torch.double))
    expected = ExpectedHypervolumeImprovement(Told(), reference.tolist(), cells)
    told = torch.as_tensor(np.concatenate([-mean, std], axis=1), dtype=torch.double)[:, None]
    with torch.no_grad():
        return torch.cat([expected(part) for part in torch.split(told, _AT_ONCE)]).numpy()


class _Posterior:
    def __init__(self, mean: Any, variance: Any) -> None:
        self.mean, self.variance = mean, variance
