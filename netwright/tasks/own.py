"""A task that a person wrote: the four methods of the contract, and here what a run needs besides."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from netwright.core.contracts import Need, Split, Task
from netwright.core.trial import Fidelity
from netwright.tasks import scores
from netwright.tasks.sealed import Batch, Kind, Sealed

__all__ = ["OwnTask"]


@final
class OwnTask(Sealed):
    """Wraps a task. What a run asks beyond the contract is the task's own where it has it, else found from its batches.

    It cannot be written to a folder, so a run with it works inline.
    """

    def __init__(self, task: Task, has_test: bool = True) -> None:
        self.task = task
        self.signature = task.signature
        self.name = task.name if task.name != Task.name else type(task).__name__.lower()
        self.kind: Kind = "regression" if task.metrics()[0] in scores.REGRESSION else task.kind
        numbered = tuple(str(i) for i in range(task.signature.outputs)) if self.kind == "classification" else ()
        self.classes = task.classes or numbered
        self.frame = task.frame
        kind = {3: Need.IMAGES, 2: Need.SEQUENCES}.get(len(task.signature.input(-1).shape), Need.TABLES)
        self.offers = task.offers or frozenset({kind})
        self.has_test = has_test
        self._facts: dict[str, Any] = {}

    def metrics(self) -> Sequence[str]:
        return self.task.metrics()

    def batches(self, split: Split, fidelity: Fidelity | None = None, seed: int | None = None) -> Iterator[Batch]:
        """The task's own batches, ``(x, y)`` each."""
        self.check_seal(split)
        return (Batch(*batch) for batch in self.task.batches(split, fidelity or Fidelity(), seed))

    def loss(self, output: Tensor, batch: Batch) -> Any:
        return self.task.loss(output, batch)

    def score(self, predict: Callable[[Any], Any], split: Split) -> Mapping[str, float]:
        self.check_seal(split)
        with torch.no_grad():
            return self.task.score(predict, split)

    def rows(self, split: Split) -> tuple[npt.NDArray[np.float32], npt.NDArray[Any]]:
        parts = list(self.batches(split))
        return torch.cat([b.x for b in parts]).float().numpy(), torch.cat([b.y for b in parts]).numpy()

    def _measured(self) -> dict[str, Any]:
        """Rows of the splits and a digest of train and validation: one pass over each, once."""
        if not self._facts:
            made, rows = hashlib.blake2b(digest_size=16), {}
            parts: tuple[Split, ...] = ("train", "validation")
            for split in parts:
                x, y = self.rows(split)
                rows[split] = len(y)
                made.update(x.tobytes() + np.ascontiguousarray(y).tobytes())
            self._facts = {"rows": rows, "fingerprint": made.hexdigest()}
        return self._facts

    @property
    def fingerprint(self) -> str:
        return str(self._measured()["fingerprint"])

    def describe(self) -> dict[str, Any]:
        rows = dict(self._measured()["rows"])
        if self.opened:
            rows["test"] = len(self.rows("test")[1])
        base = {
            "name": self.name,
            "kind": self.kind,
            "inputs": "own",
            "inferred": "",
            "classes": list(self.classes),
            "rows": rows,
        }
        split = {"method": "the task's own"}
        more = {"split": split, "warnings": [], "notes": [], "skipped": [], "options": {}, "fingerprint": self.fingerprint}
        return {**base, **more, **self.task.describe()}

    def splits(self) -> dict[str, list[int | str]]:
        """The task's own, or none: its rows have no numbers that others could know."""
        return self.task.splits()

    def without_test(self) -> OwnTask:
        """Its test is refused from then on; a task of one's own is not cut open."""
        return OwnTask(self.task, has_test=False)
