"""An ensemble of small neural networks; how far they disagree is its doubt (BANANAS, White et al. 2021, arXiv:1910.11858)."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np

from netwright.core.contracts import Belief, Surrogate
from netwright.core.seeds import integer
from netwright.errors import RecipeError

__all__ = ["Ensemble"]


class Ensemble(Surrogate):
    """``members``: how many networks. ``width``, ``depth``: of their hidden layers. ``steps``, ``rate``: of training, each on all
    architectures. ``decay``: of the weights. All members are trained at once, as one batch of matrices."""

    encoding = "path"

    def __init__(
        self,
        seed: int,
        *,
        members: int = 5,
        width: int = 32,
        depth: int = 2,
        steps: int = 200,
        rate: float = 0.01,
        decay: float = 0.01,
    ) -> None:
        if members < 2 or width < 1 or depth < 1 or steps < 1 or not 0 < rate < 1 or not 0 <= decay < 1:
            raise RecipeError(
                f"members {members}, width {width}, depth {depth}, steps {steps}, rate {rate}, decay {decay} do not fit",
                where="surrogate ensemble",
                todo="Use members >= 2, width, depth and steps >= 1, 0 < rate < 1 and 0 <= decay < 1.",
            )
        self.seed, self.members, self.width, self.depth = seed, members, width, depth
        self.steps, self.rate, self.decay = steps, rate, decay

    def fit(self, x: Any, y: Any) -> None:
        x, y = _plain(x), np.asarray(y, dtype=np.float32)
        rng = np.random.default_rng(integer(self.seed, len(x), "ensemble"))
        self._kept = np.flatnonzero(x.min(axis=0) < x.max(axis=0))
        x = x[:, self._kept]
        self._shift, self._scale = x.mean(axis=0), np.maximum(x.std(axis=0), 1e-6)
        self._mean, self._std = float(y.mean()), float(y.std()) or 1.0
        sizes = [x.shape[1], *[self.width] * self.depth, 1]
        self._weights = [
            (rng.standard_normal((self.members, a, b)) * np.sqrt(2 / max(a, 1))).astype(np.float32) for a, b in pairwise(sizes)
        ]
        self._biases = [np.zeros((self.members, 1, b), dtype=np.float32) for b in sizes[1:]]
        self._train(self._scaled(x), (y - self._mean) / self._std)

    def _scaled(self, x: Any) -> Any:
        return np.clip((x - self._shift) / self._scale, -5, 5)

    def _train(self, x: Any, y: Any) -> None:
        """Adam (Kingma & Ba 2015) on the mean absolute error, its rate falling to zero along a cosine."""
        tensors = [*self._weights, *self._biases]
        first, second = [np.zeros_like(t) for t in tensors], [np.zeros_like(t) for t in tensors]
        for step in range(1, self.steps + 1):
            rate = self.rate * (1 + np.cos(np.pi * step / self.steps)) / 2
            for t, g, m, v in zip(tensors, self._gradients(x, y), first, second, strict=True):
                m += 0.1 * (g - m)
                v += 0.001 * (g * g - v)
                if t.shape[1] > 1:
                    t *= 1 - rate * self.decay
                t -= rate * (m / (1 - 0.9**step)) / (np.sqrt(v / (1 - 0.999**step)) + 1e-8)

    def _gradients(self, x: Any, y: Any) -> list[Any]:
        layers = self._forward(x)
        passed = np.tanh((layers[-1][..., 0] - y) * 3)[..., None] / len(y)  # of an absolute error that is smooth at zero
        weights, biases = [], []
        for n in range(len(self._weights) - 1, -1, -1):
            weights.append(np.swapaxes(layers[n], -1, -2) @ passed)
            biases.append(passed.sum(axis=1, keepdims=True))
            if n:
                passed = (passed @ np.swapaxes(self._weights[n], -1, -2)) * (layers[n] > 0)
        return [*weights[::-1], *biases[::-1]]

    def _forward(self, x: Any) -> list[Any]:
        """What goes into each layer, and what comes out of the last: shape (members, n, 1)."""
        found = [np.broadcast_to(x, (self.members, *x.shape))]
        for n, (weight, bias) in enumerate(zip(self._weights, self._biases, strict=True)):
            out = found[-1] @ weight + bias
            found.append(np.maximum(out, 0) if n < len(self._weights) - 1 else out)
        return found

    def predict(self, x: Any) -> Belief:
        x = _plain(x)[:, self._kept]
        each = self._forward(self._scaled(x))[-1][..., 0].astype(np.float64) * self._std + self._mean
        return Belief(each.mean(axis=0), np.maximum(each.std(axis=0), 1e-6 * self._std))


def _plain(x: Any) -> Any:
    return np.asarray(x, dtype=np.float32).reshape(len(x), math.prod(np.shape(x)[1:]))
