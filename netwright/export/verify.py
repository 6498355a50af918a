"""That the exported files compute what was trained: the same rows through each of them, and the largest difference."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime
import torch
from torch import nn

from netwright.core.contracts import Split
from netwright.core.trial import Fidelity
from netwright.errors import NetwrightError

__all__ = ["ROWS", "TOLERANCE", "Run", "check", "check_frame", "of_onnx", "of_torch", "real_rows", "score", "training_rows"]

ROWS = 256
TOLERANCE = 1e-4
"""Of logits, or of a value in standard deviations of the target; beyond ten, a hundred thousandth of the output's size."""

Array = npt.NDArray[Any]
Run = Callable[[Array], Array]


def of_torch(model: nn.Module) -> Run:
    """A torch module as a function of arrays."""

    def run(x: Array) -> Array:
        with torch.inference_mode():
            found: Array = model(torch.from_numpy(x)).numpy()
        return found

    return run


def of_onnx(source: bytes | str, *, threads: int = 1) -> Run:
    """An ONNX file (its bytes or its path) as a function of arrays."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name

    def run(x: Array) -> Array:
        found: Array = np.concatenate([session.run(None, {name: x[i : i + ROWS]})[0] for i in range(0, len(x), ROWS)])
        return found

    return run


def real_rows(task: Any, limit: int = ROWS) -> Array:
    """Up to ``limit`` train and validation rows, and for columns of a table one row of gaps and one of unknown codes."""
    found = [np.asarray(task.rows(split)[0][: limit // 2], dtype=np.float32) for split in ("train", "validation")]
    if any(name == "encode" for name, _ in task.frame.front):
        found += [np.full((1, *found[0].shape[1:]), gap, np.float32) for gap in (np.nan, -1)]
    return np.ascontiguousarray(np.concatenate(found))


def training_rows(task: Any, limit: int = ROWS) -> Array:
    """Some of the train rows, spread over all of them."""
    rows = np.asarray(task.rows("train")[0], dtype=np.float32)
    return np.ascontiguousarray(rows[:: -(-len(rows) // limit)])


def check(files: Mapping[str, Run], raw: Array, task: Any) -> dict[str, float]:
    """Each of ``files`` against the one before it: ``{"net_vs_model.py": 1e-6, …}``, largest differences of any output.

    Raises :class:`NetwrightError` where one is over :data:`TOLERANCE`, or an output is not a number.
    """
    _, std = _scale(task)
    outputs = {name: run(raw) / std for name, run in files.items()}
    for name, values in outputs.items():
        if not np.isfinite(values).all():
            raise NetwrightError(f"{name} gives outputs that are not numbers", where="export", todo="Choose another trial.")
    found: dict[str, float] = {}
    for one, other in pairwise(outputs):
        found[f"{one}_vs_{other}"] = _difference(f"{one} and {other}", outputs[one], outputs[other])
    return found


def check_frame(trained: nn.Module, framed: nn.Module, task: Any) -> float:
    """The network as it was trained, on prepared rows, against the one that prepares them itself. Raises as :func:`check`."""
    mean, std = _scale(task)
    prepared = next(iter(task.batches("validation", Fidelity()))).x
    raw = np.asarray(task.rows("validation")[0][: len(prepared)], dtype=np.float32)
    with torch.inference_mode():
        before = trained(prepared).numpy()
    return _difference("the trained network and the framed one", before, (of_torch(framed)(raw) - mean) / std)


def _difference(what: str, one: Array, other: Array) -> float:
    if one.shape != other.shape:
        raise NetwrightError(f"{what} differ in shape: {one.shape}, {other.shape}", where="export")
    found = float(np.abs(one - other).max(initial=0.0))
    if not np.allclose(one, other, rtol=TOLERANCE / 10, atol=TOLERANCE):
        raise NetwrightError(f"{what} differ by {found:.2g}, more than {TOLERANCE:g}", where="export")
    return found


def score(task: Any, run: Run, split: Split) -> dict[str, float]:
    """The task's own scores of a file that takes raw rows."""
    mean, std = _scale(task)
    whole = torch.from_numpy((run(np.asarray(task.rows(split)[0], dtype=np.float32)) - mean) / std) if task.frame.front else None
    at = 0

    def predict(x: torch.Tensor) -> torch.Tensor:
        nonlocal at
        if whole is None:
            return torch.from_numpy((run(x.numpy()) - mean) / std)
        at += len(x)  # prepared rows come in the order of the raw ones
        return whole[at - len(x) : at]

    return dict(task.score(predict, split))


def _scale(task: Any) -> tuple[Any, Any]:
    """What the back of the frame adds and multiplies by."""
    for name, attrs in task.frame.back:
        if name == "rescale":
            told = dict(attrs)
            return np.array(told["mean"], np.float32), np.array(told["std"], np.float32)
    return np.float32(0), np.float32(1)
