"""Scores equal scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics

from netwright.tasks.scores import classification_scores, regression_scores


@pytest.mark.parametrize("classes", [2, 3, 7])
@pytest.mark.parametrize("ties", [False, True])
def test_classification(classes: int, ties: bool) -> None:
    rng = np.random.default_rng(classes)
    y = np.concatenate([np.arange(classes), rng.integers(0, classes, 200) ** 2 // classes])
    z = rng.normal(size=(len(y), classes)) * 3 + 2 * np.eye(classes)[y]
    z = np.round(z) if ties else z
    found = classification_scores(z.astype(np.float32), y)
    p = np.exp(z - z.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    guess = z.argmax(1)
    assert found["accuracy"] == pytest.approx(metrics.accuracy_score(y, guess))
    assert found["balanced_accuracy"] == pytest.approx(metrics.balanced_accuracy_score(y, guess))
    assert found["f1"] == pytest.approx(metrics.f1_score(y, guess, average="macro"))
    assert found["log_loss"] == pytest.approx(metrics.log_loss(y, p), rel=1e-5)
    auc = metrics.roc_auc_score(y, p[:, 1]) if classes == 2 else metrics.roc_auc_score(y, p, multi_class="ovr")
    assert found["auc"] == pytest.approx(auc, abs=1e-4 if ties else 1e-9)  # rounding breaks a few ties


def test_one_class_has_no_auc() -> None:
    found = classification_scores(np.array([[1.0, 0.0], [2.0, 0.0]]), [0, 0])
    assert "auc" not in found
    assert found["accuracy"] == 1.0


def test_f1_counts_a_class_that_is_only_said() -> None:
    z = np.array([[1.0, 0, 0], [0, 1.0, 0], [0, 0, 1.0]])
    y = [0, 1, 1]
    assert classification_scores(z, y)["f1"] == pytest.approx(metrics.f1_score(y, z.argmax(1), average="macro"))


def test_nothing_is_scored_that_is_no_number() -> None:
    assert classification_scores(np.array([[np.nan, 0.0]]), [0]) == {}
    assert regression_scores([np.inf], [1.0]) == {}


def test_regression() -> None:
    rng = np.random.default_rng(0)
    t, p = rng.normal(size=50), rng.normal(size=50)
    found = regression_scores(p, t)
    assert found["r2"] == pytest.approx(metrics.r2_score(t, p))
    assert found["rmse"] == pytest.approx(metrics.mean_squared_error(t, p) ** 0.5)
    assert found["mae"] == pytest.approx(metrics.mean_absolute_error(t, p))
    assert "r2" not in regression_scores([1.0, 2.0], [3.0, 3.0])
