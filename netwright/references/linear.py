"""Logistic regression, or ridge regression: what a straight line makes of the data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["applies", "fitted"]

LARGEST = 30_000_000


def applies(kind: str, rows: int, features: int, classes: int) -> str:
    return f"{rows:,} rows of {features:,} features are too many" if rows * features > LARGEST else ""


def fitted(x: Any, y: Any, kind: str, seed: int) -> tuple[Callable[[Any], Any], int]:
    """Predicts log-probabilities of shape (rows, classes), or values of shape (rows,); and the number of coefficients."""
    from sklearn.linear_model import LogisticRegression, Ridge

    if kind == "regression":
        ridge = Ridge().fit(x, y)
        return ridge.predict, ridge.coef_.size + 1
    model = LogisticRegression(max_iter=300, random_state=seed % 2**32).fit(x, y)
    return lambda rows: np.log(np.clip(model.predict_proba(rows), 1e-12, 1)), model.coef_.size + model.intercept_.size
