"""What surrogates learn from: costs and limits as numbers in which what matters is linear."""

from __future__ import annotations

from typing import Any

import numpy as np

from netwright.core.metrics import Constraint
from netwright.core.trial import Trial

__all__ = ["over", "softened"]


def softened(values: Any, costs: Any) -> Any:
    """Values in widths of the better half of ``costs``; beyond the median their logarithm, as it matters little how bad the bad
    ones are."""
    middle = np.median(costs)
    beyond = (values - middle) / max(float(middle - costs.min()), 1e-12)
    return np.where(beyond > 0, np.log1p(np.maximum(beyond, 0.0)), beyond)


def over(limit: Constraint, trial: Trial) -> float:
    """How far a value lies over its limit, in units of the limit; negative where it is kept."""
    value = trial.values[limit.key]
    return (limit.bound - value if limit.at_least else value - limit.bound) / (abs(limit.bound) or 1.0)
