"""Where the command line reaches past the api, in one place: finding runs, predicting, and trying a worker."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from netwright.report.facts import Facts

__all__ = ["exercise", "facts_of", "find", "predictions", "runs", "self_test"]


def find(run: Path) -> Path:
    """The run's folder, or a :class:`~netwright.errors.RunError` with the name that may have been meant."""
    found: Path = importlib.import_module("netwright.stores.folders").find_run(run)
    return found


def runs(base: Path) -> list[Path]:
    """The run folders in ``base``."""
    found: list[Path] = importlib.import_module("netwright.stores.folders").list_runs(base)
    return found


def facts_of(run: Path) -> Facts:
    """What is known about a run."""
    from netwright.api import Run

    return Run(find(run)).facts


def predictions(run: Path, files: Sequence[Path]) -> list[dict[str, Any]]:
    """``input``, ``prediction`` and, for classes, ``probabilities``, of every image or row in the files.

    ``run`` is a run's folder, or a model folder. Raises a :class:`~netwright.errors.UserError` for what cannot be read.
    """
    predict = importlib.import_module("netwright.export.predict")
    folder = run if (run / "card.json").is_file() else find(run) / "model"
    names, raw = importlib.import_module("netwright.tasks.raw").encode_inputs(predict.card(folder)["task"], files)
    found: list[dict[str, Any]] = predict.predict(folder, names, raw)
    return found


def self_test(within_s: float = 60.0) -> tuple[float, str]:
    """Start a worker that times a small network on ONNX Runtime: its latency in milliseconds, or 0 and what went wrong."""
    made = importlib.import_module("netwright.runners.process").ProcessRunner
    job = importlib.import_module("netwright.core.contracts").Job("self-test", "self-test", {}, within_s)
    runner = made(f"{__name__}:exercise", {}, 1, preload=())
    try:
        runner.submit(job)
        end = time.monotonic() + within_s
        while time.monotonic() < end:
            for arrival in runner.arrivals(0.5):
                if arrival.kind == "finished":
                    return float(arrival.body["latency_ms"]), ""
                if arrival.kind != "measured":
                    return 0.0, f"the worker's job {arrival.kind}: {arrival.reason}"
    finally:
        runner.close()
    return 0.0, f"the worker did not answer within {within_s:.0f} s"


def exercise(argument: Mapping[str, Any]) -> Callable[[str, Mapping[str, Any]], Iterator[dict[str, Any]]]:
    """What the worker of the self-test calls."""
    from netwright.core.architecture import Architecture, Node, Signature, Tensor
    from netwright.registry import part

    signature = Signature((("x", Tensor((8,))),), (("y", Tensor((2,))),))
    small = Architecture((Node("linear", (-1,), (("bias", True), ("units", 2)), "0"),), (0,))

    def work(kind: str, body: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        values = part("devices", "cpu")().profile(small, signature).values
        yield {"kind": "finished", "body": {"latency_ms": values["latency_ms"]}}

    return work
