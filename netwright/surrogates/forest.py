"""A forest of randomised trees; how far the trees disagree is its doubt (Geurts et al. 2006; SMAC, Hutter et al. 2011)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from netwright.core.contracts import Belief, Surrogate
from netwright.core.seeds import integer
from netwright.errors import RecipeError

__all__ = ["Forest"]


class Forest(Surrogate):
    """``trees``: how many. ``leaf``: the fewest architectures that a leaf holds. ``share``: of the columns, how many a split may
    choose from. ``extra``: splits at random places (extremely randomised trees, each of which sees all architectures), else at
    the best ones (random forest)."""

    encoding = "graph"

    def __init__(self, seed: int, *, trees: int = 100, leaf: int = 1, share: float = 0.5, extra: bool = True) -> None:
        if trees < 2 or leaf < 1 or not 0 < share <= 1:
            raise RecipeError(
                f"trees {trees}, leaf {leaf}, share {share} do not fit",
                where="surrogate forest",
                todo="Use trees >= 2, leaf >= 1 and 0 < share <= 1.",
            )
        self.seed, self.trees, self.leaf, self.share, self.extra = seed, trees, leaf, share, extra

    def fit(self, x: Any, y: Any) -> None:
        from sklearn.ensemble import ExtraTreesRegressor, RandomForestRegressor

        x = _plain(x)
        self._kept = np.flatnonzero(x.min(axis=0) < x.max(axis=0))
        self._mean, self._least = float(np.mean(y)), 1e-6 * float(np.std(y)) + 1e-12
        maker = ExtraTreesRegressor if self.extra else RandomForestRegressor
        state = integer(self.seed, len(x), "forest", bits=31)
        self._forest = maker(self.trees, min_samples_leaf=self.leaf, max_features=self.share, random_state=state)
        if len(self._kept):
            self._forest.fit(x[:, self._kept], np.asarray(y, dtype=np.float64))

    def predict(self, x: Any) -> Belief:
        if not len(self._kept) or not len(x):
            return Belief(np.full(len(x), self._mean), np.full(len(x), self._least))
        x = np.ascontiguousarray(_plain(x)[:, self._kept])
        each = np.stack([tree.tree_.predict(x)[:, 0] for tree in self._forest.estimators_])
        return Belief(each.mean(axis=0), np.maximum(each.std(axis=0), self._least))


def _plain(x: Any) -> Any:
    return np.asarray(x, dtype=np.float32).reshape(len(x), math.prod(np.shape(x)[1:]))
