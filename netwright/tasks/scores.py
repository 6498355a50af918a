"""Scores of a set of predictions, from logits or from numbers, in numpy alone."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["CLASSIFICATION", "REGRESSION", "classification_scores", "names", "regression_scores"]

CLASSIFICATION = ("accuracy", "balanced_accuracy", "f1", "auc", "log_loss")
REGRESSION = ("r2", "rmse", "mae")

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def names(kind: str) -> tuple[str, ...]:
    """The scores of a kind of task, the default one first."""
    return REGRESSION if kind == "regression" else CLASSIFICATION


def classification_scores(logits: npt.ArrayLike, labels: npt.ArrayLike) -> dict[str, float]:
    """All scores that are finite; ``auc`` is left out where a single class is present. Averages are over the classes present."""
    z = np.asarray(logits, dtype=np.float64)
    y = np.asarray(labels, dtype=np.int64)
    if not len(y) or not np.isfinite(z).all():
        return {}
    count = z.shape[1]
    guess = z.argmax(1)
    confusion = np.bincount(y * count + guess, minlength=count * count).reshape(count, count)
    hits, true, said = np.diag(confusion), confusion.sum(1), confusion.sum(0)
    seen = true > 0
    named = seen | (said > 0)
    z = z - z.max(1, keepdims=True)
    logs = z - np.log(np.exp(z).sum(1, keepdims=True))
    found = {
        "accuracy": float(hits.sum() / len(y)),
        "balanced_accuracy": float((hits[seen] / true[seen]).mean()),
        "f1": float((2 * hits[named] / (true[named] + said[named])).mean()),
        "auc": _auc(np.exp(logs), y, seen),
        "log_loss": float(-logs[np.arange(len(y)), y].mean()),
    }
    return {name: value for name, value in found.items() if np.isfinite(value)}


def _auc(probabilities: Floats, y: Ints, seen: npt.NDArray[np.bool_]) -> float:
    """Each class against the rest, mean over the classes present; two classes are one question. By ranks (Mann–Whitney)."""
    if seen.sum() < 2:
        return float("nan")
    asked = [1] if len(seen) == 2 else np.flatnonzero(seen)
    return float(np.mean([_area(probabilities[:, k], y == k) for k in asked]))


def _area(score: Floats, positive: npt.NDArray[np.bool_]) -> float:
    _, place, ties = np.unique(score, return_inverse=True, return_counts=True)
    rank = (np.cumsum(ties) - (ties - 1) / 2)[place]
    right = int(positive.sum())
    wrong = len(positive) - right
    return float((rank[positive].sum() - right * (right + 1) / 2) / (right * wrong))


def regression_scores(predicted: npt.ArrayLike, target: npt.ArrayLike) -> dict[str, float]:
    """All scores that are finite; ``r2`` is left out where the target is constant."""
    p = np.asarray(predicted, dtype=np.float64).reshape(-1)
    t = np.asarray(target, dtype=np.float64).reshape(-1)
    if not len(t) or not np.isfinite(p).all():
        return {}
    error = p - t
    spread = float(((t - t.mean()) ** 2).sum())
    found = {
        "r2": 1.0 - float((error**2).sum()) / spread if spread > 0 else float("nan"),
        "rmse": float(np.sqrt((error**2).mean())),
        "mae": float(np.abs(error).mean()),
    }
    return {name: value for name, value in found.items() if np.isfinite(value)}
