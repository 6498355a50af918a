"""A support-vector machine with a radial kernel: hard to beat where rows are few, on pixels too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["applies", "fitted"]

MOST_ROWS = 12_000


def applies(kind: str, rows: int, features: int, classes: int) -> str:
    return f"{rows:,} rows are too many for a kernel" if rows > MOST_ROWS or rows * features > 20_000_000 else ""


def fitted(x: Any, y: Any, kind: str, seed: int) -> tuple[Callable[[Any], Any], int]:
    """Predicts decision values of shape (rows, classes), or values of shape (rows,); and the numbers in its support vectors."""
    from sklearn.svm import SVC, SVR

    if kind == "regression":
        machine = SVR(C=10.0).fit(x, y)
        return machine.predict, machine.support_vectors_.size
    model = SVC(C=10.0).fit(x, y)

    def predict(rows: Any) -> Any:
        values = model.decision_function(rows)
        return np.stack([-values / 2, values / 2], axis=1) if values.ndim == 1 else values

    return predict, model.support_vectors_.size
