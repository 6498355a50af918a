"""Numbers as people read them, with their units: one wording for the whole page."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from netwright.core.metrics import METRICS

__all__ = ["NAMES", "arm", "bound", "counted", "duration", "name_of", "scored", "size", "told", "unit_of"]

NAMES = {
    "params": "parameters",
    "flops": "FLOPs",
    "peak_kib": "peak memory",
    "latency_ms": "latency",
    "balanced_accuracy": "balanced accuracy",
    "f1": "F1",
    "auc": "AUC",
    "log_loss": "log loss",
    "r2": "R²",
    "rmse": "RMSE",
    "mae": "MAE",
}
_ARMS = {
    "cnn": "fixed convolutional network",
    "linear": "linear model",
    "boosting": "gradient boosting",
    "svm": "support-vector machine",
}
_SHARES = ("accuracy", "balanced_accuracy")


def name_of(metric: str) -> str:
    """What a metric is called in a sentence: ``latency on pixel3``."""
    name, _, device = metric.partition("@")
    if "." in name or "#" in metric or device.isdigit():
        return metric  # a table's column
    return NAMES.get(name, name.replace("_", " ")) + (f" on {device}" if device else "")


def scored(metric: str) -> bool:
    """Whether a metric is a score of a task, by its name alone: a table's columns are not."""
    known = METRICS.get(metric.partition("@")[0])
    return known is not None and known.source == "scored"


def unit_of(metric: str) -> str:
    """``ms``; empty where there is none, or it is not known."""
    known = METRICS.get(metric.partition("@")[0])
    return known.unit if known else ""


def arm(name: str) -> str:
    """What a network or reference of the control arm is called."""
    return _ARMS.get(name, name.replace("-", " ") if name.startswith("random-") else name)


def told(metric: str, value: Any, *, signed: bool = False) -> str:
    """A value with its unit: ``98.61 %``, ``0.053 ms``, ``5,242``. A dash where there is none. ``signed``: a difference."""
    if value is None or not math.isfinite(value):
        return "–"
    name, plus = metric.partition("@")[0], "+" if signed else ""
    if name in _SHARES:
        text = f"{100 * value:{plus}.2f} {'points' if signed else '%'}"
    elif name not in METRICS or METRICS[name].source == "scored":
        text = f"{value:{plus}.4g}"
    elif METRICS[name].source == "counted" and not METRICS[name].unit:
        text = f"{value:{plus},.0f}" if abs(value) < 1e6 else f"{value / 1e6:{plus},.2f} M"
    else:
        unit = METRICS[name].unit
        text = f"{value / 1024:{plus}.3g} MiB" if unit == "KiB" and abs(value) >= 1024 else f"{value:{plus}.3g} {unit}"
    return text.replace("-", "−").replace(" ", "\u00a0")  # a unit stays with its number


def bound(limit: str) -> str:
    """A limit as a sentence has it: ``latency ≤ 2 ms``."""
    return limit.replace("<=", " ≤ ").replace(">=", " ≥ ").replace("  ", " ")


def duration(seconds: Any) -> str:
    """``0.34 s``, ``42 s``, ``3 min 20 s``, ``2 h 5 min``."""
    if seconds is None or not math.isfinite(seconds):
        return "–"
    if seconds < 10:
        return f"{seconds:.2g} s" if seconds >= 0.01 else "0 s" if seconds == 0 else "< 0.01 s"
    whole = round(seconds)
    if whole < 100:
        return f"{whole} s"
    if whole < 7200:
        return f"{whole // 60} min" + (f" {whole % 60} s" if whole % 60 else "")
    return f"{whole // 3600} h" + (f" {whole % 3600 // 60} min" if whole % 3600 // 60 else "")


def counted(number: int, noun: str) -> str:
    """``1 trial``, ``12 trials``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def size(values: Mapping[str, Any]) -> str:
    """What a network costs, of what is known: ``5,242 parameters, 0.053 ms``."""
    parts = [f"{told('params', values['params'])} parameters"] if values.get("params") is not None else []
    parts += [told(key, values[key]) for key in values if key.startswith("latency_ms") and values[key] is not None]
    return ", ".join(parts)
