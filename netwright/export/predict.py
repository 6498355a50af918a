"""Predictions of an exported model from raw inputs, by ONNX Runtime alone; no code of the folder is run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from netwright.errors import DataError, RunError
from netwright.export.verify import of_onnx

__all__ = ["card", "predict"]


def card(folder: Path) -> dict[str, Any]:
    """What ``card.json`` of a model folder says; its ``task`` is what raw inputs are read from files by."""
    try:
        told = json.loads((folder / "card.json").read_text(encoding="utf-8"))
        _ = told["task"], told["classes"], told["input"]["shape"]
    except OSError:
        raise RunError("there is no exported model", where=str(folder), todo="Use `netwright export` first.") from None
    except (ValueError, KeyError, TypeError):
        raise RunError("its card.json is damaged", where=str(folder), todo="Use `netwright export` again.") from None
    assert isinstance(told, dict)
    return told


def predict(folder: Path, names: Sequence[str], raw: npt.NDArray[Any]) -> list[dict[str, Any]]:
    """For each row of ``raw``: ``input`` (its name) and ``prediction``, a class with the ``probabilities`` of all, or a value."""
    told = card(folder)
    shape = tuple(told["input"]["shape"])
    if raw.shape[1:] != shape:
        raise DataError(f"rows of shape {raw.shape[1:]} where the model takes {shape}", where=str(folder))
    try:
        run = of_onnx(str(folder / "model.onnx"))
    except Exception as error:  # ONNX Runtime raises classes of its own, with no common base
        told_why = f"model.onnx cannot be read ({str(error).splitlines()[0][:80]})"
        raise RunError(told_why, where=str(folder), todo="Use `netwright export` again.") from None
    if not len(raw):
        return []
    outputs = run(np.ascontiguousarray(raw, dtype=told["input"]["dtype"])).astype(np.float64)
    classes = told["classes"]
    if not classes:
        return [{"input": name, "prediction": _number(row)} for name, row in zip(names, outputs, strict=True)]
    shares = np.exp(outputs - outputs.max(1, keepdims=True))
    shares /= shares.sum(1, keepdims=True)
    return [
        {
            "input": name,
            "prediction": classes[int(row.argmax())],
            "probabilities": dict(zip(classes, map(float, row), strict=True)),
        }
        for name, row in zip(names, shares, strict=True)
    ]


def _number(row: npt.NDArray[np.float64]) -> float | list[float]:
    return float(row[0]) if len(row) == 1 else [float(v) for v in row]
