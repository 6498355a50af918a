"""An exact Gaussian process of one length scale, its hyperparameters the likeliest (Rasmussen & Williams 2006)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy.linalg import solve_triangular
from scipy.optimize import minimize

from netwright.core.contracts import Belief, Surrogate
from netwright.errors import RecipeError
from netwright.surrogates._exact import JITTER, grown, matern, scaled

__all__ = ["Gp"]

_STARTS = (math.log(0.5), math.log(0.05))
"""Where the search for signal and noise variance begins, and what their log-normal priors are centred on."""

_SPREADS = (1.0, 0.7, 1.0)
"""Standard deviations of the priors of signal, length and noise, all in logarithms."""

_ITERATIONS = 25


class Gp(Surrogate):
    """``kernel``: ``matern`` (5/2) or ``rbf``. :meth:`fit` learns signal, length and noise; :meth:`update` keeps them."""

    encoding = "graph"

    def __init__(self, seed: int, *, kernel: str = "matern") -> None:
        if kernel not in ("matern", "rbf"):
            raise RecipeError(f"kernel {kernel!r} cannot be", where="surrogate gp", todo='Use "matern" or "rbf".')
        self.kernel = kernel
        self.theta = np.zeros(3)
        self._x = np.zeros((0, 0))
        self._lower = np.zeros((0, 0))
        self._weights = np.zeros(0)
        self._seen: Any = None  # the codes last predicted, and what is known of them
        self._columns = np.zeros((0, 0))

    # ---- learning --------------------------------------------------------------------------------------------------------

    def fit(self, x: Any, y: Any) -> None:
        x, y = _plain(x), np.asarray(y, dtype=float)
        far = _apart(x, x)
        usual = 0.5 * math.log(max(float(np.median(far[far > 0])), 1e-12)) if (far > 0).any() else 0.0
        start = np.array([_STARTS[0], usual + math.log(1.5), _STARTS[1]])
        told = (far, scaled(y)[0], start)
        found = minimize(self._loss, start, args=told, jac=True, method="L-BFGS-B", options={"maxiter": _ITERATIONS})
        self.theta = found.x
        self._x, self._columns = np.zeros((0, x.shape[1])), np.zeros((0, 0))
        self.update(x, y)

    def update(self, x: Any, y: Any) -> None:
        """Condition on other values, or on more architectures, with the hyperparameters that were learned."""
        x, y = _plain(x), np.asarray(y, dtype=float)
        both = min(len(self._x), len(x))
        same = (self._x[:both] == x[:both]).all(axis=1) if both else np.zeros(0, dtype=bool)
        old = both if same.all() else int(np.argmin(same))
        self._columns = self._columns[:old]
        self._grow(x, old)
        z, self._mean, self._std = scaled(y)
        self._weights = solve_triangular(self._lower, z, lower=True)

    def _grow(self, x: Any, old: int) -> None:
        """The Cholesky factor for ``x``, whose first ``old`` rows are known."""
        self._lower = grown(self._lower, old, self._k(_apart(x[old:], x)), math.exp(self.theta[2]))
        self._x = x

    def _loss(self, theta: Any, far: Any, z: Any, prior: Any) -> tuple[float, Any]:
        """Minus the log posterior, and its gradient."""
        signal, length, noise = np.exp(theta)
        k, by_length = _kernel(far, length, self.kernel)
        covariance = signal * k
        covariance[np.diag_indices(len(z))] += noise + JITTER
        try:
            lower = np.linalg.cholesky(covariance)
        except np.linalg.LinAlgError:
            return 1e10, np.zeros(3)
        inverse = solve_triangular(lower, np.eye(len(z)), lower=True)
        inverse = inverse.T @ inverse
        weights = inverse @ z
        off = (theta - prior) / np.array(_SPREADS)
        loss = 0.5 * z @ weights + np.log(np.diag(lower)).sum() + 0.5 * off @ off
        slopes = inverse - np.outer(weights, weights)
        gradient = np.array([(slopes * signal * k).sum(), (slopes * signal * by_length).sum(), noise * np.trace(slopes)])
        return float(loss), 0.5 * gradient + off / np.array(_SPREADS)

    def _k(self, far: Any) -> Any:
        return math.exp(self.theta[0]) * _kernel(far, math.exp(self.theta[1]), self.kernel)[0]

    # ---- predicting ------------------------------------------------------------------------------------------------------

    def predict(self, x: Any) -> Belief:
        """Of the function without its noise. Asked of the same array again, it looks at the new architectures only."""
        known = len(self._columns) if self._seen is x else 0
        right = self._k(_apart(self._x[known:], _plain(x)))
        right -= self._lower[known:, :known] @ self._columns[:known] if known else 0.0
        new = solve_triangular(self._lower[known:, known:], right, lower=True)
        self._columns, self._seen = np.concatenate([self._columns[:known], new]) if known else new, x
        mean = self._weights @ self._columns
        variance = math.exp(self.theta[0]) - np.einsum("ij,ij->j", self._columns, self._columns)
        return Belief(mean * self._std + self._mean, np.sqrt(np.maximum(variance, 1e-12)) * self._std)

    @property
    def noise(self) -> float:
        """The standard deviation of what is measured around the function, in the unit of the values."""
        return float(math.exp(0.5 * self.theta[2]) * self._std)


def _plain(x: Any) -> Any:
    return np.asarray(x, dtype=float).reshape(len(x), math.prod(np.shape(x)[1:]))


def _apart(a: Any, b: Any) -> Any:
    """Squared distances, shape (len(a), len(b))."""
    return np.maximum((a * a).sum(1)[:, None] + (b * b).sum(1) - 2 * a @ b.T, 0.0)


def _kernel(far: Any, length: float, kind: str) -> tuple[Any, Any]:
    """The correlation at squared distances, and its derivative by the logarithm of the length."""
    if kind == "rbf":
        k = np.exp(-0.5 * far / length**2)
        return k, k * far / length**2
    return matern(far, length)
