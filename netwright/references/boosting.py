"""Gradient-boosted trees (histogram kind, Ke et al. 2017): the usual winner on tables."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["applies", "fitted"]

LARGEST = 100_000_000


def applies(kind: str, rows: int, features: int, classes: int) -> str:
    cells = rows * features * max(1, classes)
    return f"{rows:,} rows of {features:,} features in {classes} classes are too many" if cells > LARGEST else ""


def fitted(x: Any, y: Any, kind: str, seed: int) -> tuple[Callable[[Any], Any], int]:
    """Predicts log-probabilities of shape (rows, classes), or values of shape (rows,); and the number of leaves."""
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    maker = HistGradientBoostingRegressor if kind == "regression" else HistGradientBoostingClassifier
    model = maker(random_state=seed % 2**32, early_stopping=False, max_iter=100).fit(x, y)
    leaves = sum(tree.get_n_leaf_nodes() for round_ in model._predictors for tree in round_)
    if kind == "regression":
        return model.predict, leaves
    return lambda rows: np.log(np.clip(model.predict_proba(rows), 1e-12, 1)), leaves
