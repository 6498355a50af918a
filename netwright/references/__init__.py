"""Plain models that need no search, fitted beside the winner: where one of them is as good, the report says so.

One file, one reference. A module has ``applies(kind, rows, features, classes) -> str`` (empty, or why not) and either
``fitted(x, y, kind, seed) -> (predict, size)`` or ``architecture(signature)``, a fixed network that is trained as the winner is.
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netwright.core.contracts import Split, Task
from netwright.core.trial import Fidelity

__all__ = ["NETWORKS", "PLAIN", "features", "work"]

PLAIN = ("boosting", "linear", "svm")
NETWORKS = ("cnn",)


def features(task: Task, splits: Sequence[Split]) -> tuple[NDArray[np.float32], NDArray[Any]]:
    """Rows of the splits as a matrix, after the task's preprocessing: shapes (rows, features) and (rows, …)."""
    batches = [batch for split in splits for batch in task.batches(split, Fidelity())]
    x = np.concatenate([batch.x.reshape(len(batch.x), -1).numpy() for batch in batches])
    return x, np.concatenate([batch.y.numpy() for batch in batches])


def work(task: Task, body: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """In a worker: fit the reference ``body["name"]`` on training and validation rows and predict the rows of
    ``body["inputs"]`` (a .npy file) into ``body["outputs"]``: shape (rows, classes), or (rows, 1)."""
    x, y = features(task, ("train", "validation"))
    model = importlib.import_module(f"netwright.references.{body['name']}")
    why = model.applies(task.kind, len(x), x.shape[1], len(task.classes))
    if why:
        yield {"kind": "failed", "reason": why, "body": {}}
        return
    start = time.perf_counter()
    predict, size = model.fitted(x, y.ravel(), task.kind, int(body["seed"]))
    seconds = time.perf_counter() - start
    rows = np.load(Path(body["inputs"]), mmap_mode="r", allow_pickle=False)
    outputs = predict(np.asarray(rows)).astype(np.float32)
    np.save(Path(body["outputs"]), outputs.reshape(len(rows), -1), allow_pickle=False)
    times = []
    for row in range(min(20, len(rows))):
        began = time.perf_counter()
        predict(np.asarray(rows[row : row + 1]))
        times.append((time.perf_counter() - began) * 1e3)
    yield {
        "kind": "finished",
        "body": {"seconds": seconds, "values": {"params": float(size), "latency_ms": float(np.median(times))}},
    }
