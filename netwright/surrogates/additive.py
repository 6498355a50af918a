"""A Gaussian process whose parts add up: a smooth one over graph features, linear ones over these and over what is laid.

For what a device needs, as time and energy are nearly sums over operations (Duvenaud et al. 2011 on additive kernels).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy.linalg import solve_triangular
from scipy.optimize import minimize

from netwright.core.contracts import Belief, Surrogate
from netwright.surrogates._exact import JITTER, grown, matern, scaled

__all__ = ["Additive"]

_PRIOR = np.log([0.25, 0.135, 0.135, 0.0067])
"""Variances of the smooth part, of the linear ones and of the noise that are searched from, and that priors are centred on."""

_SPREADS = np.array([2.0, 2.0, 2.0, 2.0, 0.7])
"""Standard deviations of the priors of these and of the length scale, all in logarithms."""

_REACH = 8.0
"""How far, in logarithms, the search goes from where it starts."""

_ITERATIONS = 40


class Additive(Surrogate):
    """Reads codes of shape (n, 2, columns). :meth:`fit` learns variances and length; :meth:`update` keeps them."""

    encoding = "laid"

    def __init__(self, seed: int) -> None:
        self.theta = np.zeros(5)
        self._sizes = np.ones(2)
        self._x = np.zeros((0, 2, 0))
        self._lower = np.zeros((0, 0))
        self._weights = np.zeros(0)
        self._seen: Any = None  # the codes last predicted, what is known of them, and their variance beforehand
        self._columns, self._before = np.zeros((0, 0)), np.zeros(0)

    # ---- learning --------------------------------------------------------------------------------------------------------

    def fit(self, x: Any, y: Any) -> None:
        x = _doubled(x)
        self._sizes = np.maximum((x * x).sum(axis=2).mean(axis=0), 1e-9)
        products = self._products(x, x)
        far = _apart(products[0])
        usual = math.log(max(float(np.median(far[far > 0])), 1e-12)) / 2 if (far > 0).any() else 0.0
        start = np.append(_PRIOR, usual)
        told = (far, products, scaled(np.asarray(y, dtype=float))[0], start)
        bounds = [(each - _REACH, each + _REACH) for each in start]
        options = {"maxiter": _ITERATIONS}
        self.theta = minimize(_loss, start, args=told, jac=True, method="L-BFGS-B", bounds=bounds, options=options).x
        self._x, self._seen = np.zeros((0, *x.shape[1:])), None
        self.update(x, y)

    def update(self, x: Any, y: Any) -> None:
        """Condition on other values, or on more architectures, with what was learned."""
        x = _doubled(x)
        both = min(len(self._x), len(x))
        same = (self._x[:both] == x[:both]).all(axis=(1, 2))
        old = both if same.all() else int(np.argmin(same))
        self._columns = self._columns[:old]
        self._grow(x, old)
        z, self._mean, self._std = scaled(np.asarray(y, dtype=float))
        self._weights = solve_triangular(self._lower, z, lower=True)

    def _grow(self, x: Any, old: int) -> None:
        """The Cholesky factor for ``x``, whose first ``old`` rows are known."""
        self._lower = grown(self._lower, old, self._k(x[old:], x), math.exp(self.theta[3]))
        self._x = x

    def _products(self, a: Any, b: Any) -> list[Any]:
        """Inner products of graph features, and of counts, about 1 for an architecture with itself."""
        return [a[:, k] @ b[:, k].T / self._sizes[k] for k in (0, 1)]

    def _k(self, a: Any, b: Any) -> Any:
        products = self._products(a, b)
        own = [np.einsum("ij,ij->i", c[:, 0], c[:, 0]) / self._sizes[0] for c in (a, b)]
        far = np.maximum(own[0][:, None] + own[1] - 2 * products[0], 0.0)
        smooth, first, second, _ = np.exp(self.theta[:4])
        return smooth * matern(far, math.exp(self.theta[4]))[0] + first * products[0] + second * products[1]

    # ---- predicting ------------------------------------------------------------------------------------------------------

    def predict(self, x: Any) -> Belief:
        """Of the function without its noise. Asked of the same array again, it looks at the new architectures only."""
        if self._seen is not x:
            codes = _doubled(x)
            own = np.einsum("ikj,ikj->ik", codes, codes) / self._sizes
            smooth, first, second, _ = np.exp(self.theta[:4])
            self._seen, self._codes, self._columns = x, codes, np.zeros((0, len(codes)))
            self._before = smooth + own @ [first, second]
        known = len(self._columns)
        right = self._k(self._x[known:], self._codes) - self._lower[known:, :known] @ self._columns
        new = solve_triangular(self._lower[known:, known:], right, lower=True)
        self._columns = np.concatenate([self._columns, new])
        mean = self._weights @ self._columns
        variance = self._before - np.einsum("ij,ij->j", self._columns, self._columns)
        return Belief(mean * self._std + self._mean, np.sqrt(np.maximum(variance, 1e-12)) * self._std)

    @property
    def noise(self) -> float:
        """The standard deviation of what is measured around the function, in the unit of the values."""
        return float(math.exp(0.5 * self.theta[3]) * self._std)


def _loss(theta: Any, far: Any, products: Any, z: Any, prior: Any) -> tuple[float, Any]:
    """Minus the log posterior, and its gradient."""
    smooth, first, second, noise, length = np.exp(theta)
    k, by_length = matern(far, length)
    parts = [smooth * k, first * products[0], second * products[1], noise * np.eye(len(z))]
    try:
        lower = np.linalg.cholesky(sum(parts) + JITTER * np.eye(len(z)))
    except np.linalg.LinAlgError:
        return 1e10, np.zeros(5)
    inverse = solve_triangular(lower, np.eye(len(z)), lower=True)
    inverse = inverse.T @ inverse
    weights = inverse @ z
    off = (theta - prior) / _SPREADS
    loss = 0.5 * z @ weights + np.log(np.diag(lower)).sum() + 0.5 * off @ off
    slopes = inverse - np.outer(weights, weights)
    gradient = np.array([(slopes * part).sum() for part in (*parts, smooth * by_length)])
    return float(loss), 0.5 * gradient + off / _SPREADS


def _doubled(x: Any) -> Any:
    """Codes with a group for each linear part; other codes have no counts."""
    x = np.asarray(x, dtype=float)
    if x.ndim == 3 and x.shape[1] == 2:
        return x
    flat = x.reshape(len(x), math.prod(x.shape[1:]))
    return np.stack([flat, np.zeros_like(flat)], axis=1)


def _apart(products: Any) -> Any:
    """Squared distances, from inner products."""
    own = np.diag(products)
    return np.maximum(own[:, None] + own - 2 * products, 0.0)
