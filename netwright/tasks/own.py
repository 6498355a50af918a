"""A task that a person wrote: the four methods of the contract, and here what a run needs besides."""

from __future__ import annotations

import hashlib
import importlib.util
import inspect
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast, final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from netwright.core.architecture import Frame
from netwright.core.contracts import Need, Split, Task
from netwright.core.trial import Fidelity
from netwright.errors import DataError
from netwright.tasks import scores
from netwright.tasks.sealed import Batch, Kind, Sealed

__all__ = ["OwnTask", "built"]


@final
class OwnTask(Sealed):
    """Wraps a task; ``name kind classes frame describe() splits()`` are taken from it where it has them."""

    def __init__(self, task: Task, has_test: bool = True) -> None:
        self.task = task
        self.signature = task.signature
        own = vars(type(task)) | vars(task)
        self.name = str(own.get("name", type(task).__name__.lower()))
        guessed = "regression" if task.metrics()[0] in scores.REGRESSION else "classification"
        self.kind = cast(Kind, own.get("kind", guessed))
        numbered = tuple(str(i) for i in range(task.signature.outputs)) if self.kind == "classification" else ()
        self.classes = tuple(own.get("classes", numbered))
        self.frame = own.get("frame", Frame(task.signature))
        images = len(task.signature.input(-1).shape) == 3
        self.offers = task.offers or frozenset({Need.IMAGES if images else Need.TABLES})
        self.has_test = has_test
        self.origin = _origin(type(task))
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
            for split in ("train", "validation"):
                x, y = self.rows(cast(Split, split))
                rows[split] = len(y)
                made.update(x.tobytes() + np.ascontiguousarray(y).tobytes())
            self._facts = {"rows": rows, "fingerprint": made.hexdigest()}
        return self._facts

    @property
    def fingerprint(self) -> str:
        return str(self._measured()["fingerprint"])

    def describe(self) -> dict[str, Any]:
        told = self.task.describe() if hasattr(self.task, "describe") else {}
        rows = dict(self._measured()["rows"])
        if self.opened:
            rows["test"] = len(self.rows("test")[1])
        base = {"name": self.name, "kind": self.kind, "inputs": "own", "inferred": "", "classes": list(self.classes), "rows": rows}
        split = {"method": "the task's own"}
        more = {"split": split, "warnings": [], "notes": [], "skipped": [], "options": {}, "fingerprint": self.fingerprint}
        return {**base, **more, **told}

    def splits(self) -> dict[str, list[int | str]]:
        """The task's own, or none: its rows have no numbers that others could know."""
        return self.task.splits() if hasattr(self.task, "splits") else {}

    def without_test(self) -> OwnTask:
        """Its test is refused; a task of one's own is not cut open."""
        return OwnTask(self.task, has_test=False)

    def save(self, folder: Path | str) -> None:
        if not self.origin:
            raise DataError(
                f"the task {self.name!r} cannot be built in a worker",
                todo="Define its class in a file, with an __init__ that needs no arguments, or search with one worker, inline.",
            )
        place = Path(folder)
        place.mkdir(parents=True, exist_ok=True)
        (place / "task.json").write_text(json.dumps({"own": self.name}), encoding="utf-8")


def _origin(kind: type[Task]) -> str:
    """``file.py:Class`` where a worker can build it: a top-level class of a file, without arguments. Else empty."""
    try:
        file = inspect.getfile(kind)
        needed = [p for p in inspect.signature(kind).parameters.values() if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    except (OSError, TypeError, ValueError):
        return ""
    return f"{file}:{kind.__qualname__}" if not needed and "." not in kind.__qualname__ and Path(file).exists() else ""


def built(origin: str) -> OwnTask:
    """The task of a class in a file. ``origin`` must come from the process that holds the task, never from a run folder."""
    file, name = origin.rsplit(":", 1)
    spec = importlib.util.spec_from_file_location(f"netwright_own_{Path(file).stem}", file)
    if spec is None or spec.loader is None:
        raise DataError("not a Python file", where=file, todo="Define the task in a .py file.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return OwnTask(getattr(module, name)(), has_test=False)
