"""What exact Gaussian processes share (Rasmussen & Williams 2006): a factor that grows, a kernel, values in widths."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.linalg import solve_triangular

__all__ = ["JITTER", "grown", "matern", "scaled"]

JITTER = 1e-6
"""Added to variances, so that a factor exists."""


def grown(lower: Any, old: int, new: Any, noise: float) -> Any:
    """The Cholesky factor of n rows, of which ``old`` have theirs in ``lower``. ``new``: covariances of the others with all,
    shape (n - old, n), to which ``noise`` is added."""
    n = new.shape[1]
    new[np.arange(n - old), np.arange(old, n)] += noise + JITTER
    found = np.zeros((n, n))
    found[:old, :old] = lower[:old, :old]
    if old:
        found[old:, :old] = solve_triangular(found[:old, :old], new[:, :old].T, lower=True).T
    found[old:, old:] = np.linalg.cholesky(new[:, old:] - found[old:, :old] @ found[old:, :old].T)
    return found


def matern(far: Any, length: float) -> tuple[Any, Any]:
    """Matérn 5/2 at squared distances, and its derivative by the logarithm of the length."""
    r = np.sqrt(5 * far) / length
    decay = np.exp(-r)
    return (1 + r + r * r / 3) * decay, r * r * (1 + r) / 3 * decay


def scaled(y: Any) -> tuple[Any, float, float]:
    """Values with mean 0 and standard deviation 1, and what these were."""
    mean, std = float(y.mean()), float(y.std()) or 1.0
    return (y - mean) / std, mean, std
