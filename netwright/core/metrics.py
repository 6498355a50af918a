"""Metrics by name, with the unit in the name; limits and objectives are read and checked here."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from netwright.errors import LimitError

__all__ = ["METRICS", "Constraint", "Known", "Metric", "Objective", "metric", "parse_limit", "parse_objective", "shown"]

Direction = Literal["minimize", "maximize"]


@dataclass(frozen=True)
class Metric:
    """A named number. ``source`` says who finds it: counted from the nodes, measured on a device, scored by a task, or read from
    a table."""

    name: str
    direction: Direction
    source: Literal["counted", "measured", "scored", "tabled"]
    unit: str = ""
    summary: str = ""

    @property
    def maximize(self) -> bool:
        return self.direction == "maximize"


METRICS: dict[str, Metric] = {
    m.name: m
    for m in (
        Metric("params", "minimize", "counted", "", "trainable parameters"),
        Metric("flops", "minimize", "counted", "", "2 × multiply-adds of convolutions, matrix products and attention, batch 1"),
        Metric("peak_kib", "minimize", "counted", "KiB", "largest sum of live tensors in node order, batch 1, float32"),
        Metric("latency_ms", "minimize", "measured", "ms", "median time of one prediction, batch 1, ONNX Runtime, one thread"),
        Metric("accuracy", "maximize", "scored", "", "share of rows classified rightly"),
        Metric("balanced_accuracy", "maximize", "scored", "", "mean over classes of the share classified rightly"),
        Metric("f1", "maximize", "scored", "", "F1 score, macro average over classes"),
        Metric("auc", "maximize", "scored", "", "area under the ROC curve, one class against the rest, macro average"),
        Metric("log_loss", "minimize", "scored", "", "mean negative logarithm of the probability of the right class"),
        Metric("r2", "maximize", "scored", "", "share of the target's variance that is explained"),
        Metric("rmse", "minimize", "scored", "", "root of the mean squared error, in the target's unit"),
        Metric("mae", "minimize", "scored", "", "mean absolute error, in the target's unit"),
    )
}

Known = Callable[[str], Metric]
"""Metrics of a table's own, by their whole name; raises :class:`LimitError` for what is none."""

_SUFFIXES: dict[str, dict[str, float]] = {
    "": {"": 1.0, "k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "%": 0.01},
    "ms": {"": 1.0, "ms": 1.0},
    "KiB": {"": 1.0, "KiB": 1.0, "MiB": 1024.0, "GiB": 1024.0**2},
}
_BARE = {"latency": "latency_ms", "time": "latency_ms", "memory": "peak_kib", "peak": "peak_kib", "mem": "peak_kib"}
_LIMIT = re.compile(r"\s*([A-Za-z_][^\s<>=]*)\s*(<=|>=|<|>|==?)\s*([-+]?[\d.]+(?:[eE][-+]?\d+)?)\s*([A-Za-zµ%]*)\s*")
_NAME = re.compile(r"\s*([A-Za-z_][\w.]*)(?:@([\w.-]+))?\s*")


def metric(name: str) -> Metric:
    """The metric of that name. Raises :class:`LimitError` that names the right one."""
    if name in METRICS:
        return METRICS[name]
    unit_less = _BARE.get(name.lower())
    if unit_less is None:
        unit_less = next((known for known in METRICS if known.rsplit("_", 1)[0] == name), None)
    if unit_less:
        raise LimitError(f"metric {name!r} has no unit", todo=f"Write {unit_less!r}.")
    close = difflib.get_close_matches(name, METRICS, n=1)
    hint = f"Did you mean {close[0]!r}?" if close else f"Known: {', '.join(METRICS)}."
    raise LimitError(f"unknown metric {name!r}", todo=hint)


@dataclass(frozen=True)
class Objective:
    """A metric to make small or large. ``device`` is the device it is measured on, empty for the run's own."""

    metric: str
    maximize: bool
    device: str = ""

    @property
    def key(self) -> str:
        """How the metric is called in a measurement."""
        return f"{self.metric}@{self.device}" if self.device else self.metric

    def cost(self, value: float) -> float:
        """The value, turned so that smaller is better."""
        return -value if self.maximize else value

    def __str__(self) -> str:
        return f"{'maximize' if self.maximize else 'minimize'} {self.key}"


@dataclass(frozen=True)
class Constraint:
    """What must hold: ``metric <= bound`` or, with ``at_least``, ``metric >= bound``."""

    metric: str
    bound: float
    at_least: bool = False
    device: str = ""

    @property
    def key(self) -> str:
        return f"{self.metric}@{self.device}" if self.device else self.metric

    def excess(self, value: float) -> float:
        """How far the value breaks the bound, relative to it. 0 where it holds; infinite for a value that is not a number."""
        over = self.bound - value if self.at_least else value - self.bound
        if math.isnan(value):
            return math.inf
        return max(0.0, over / (abs(self.bound) or 1.0))

    def __str__(self) -> str:
        known = METRICS.get(self.metric.partition("@")[0])
        unit = known.unit if known else ""
        return f"{self.key} {'>=' if self.at_least else '<='} {shown(self.metric, self.bound)}{' ' + unit if unit else ''}"


def parse_limit(text: str, known_of: Known | None = None) -> Constraint:
    """Read ``params<=20k``, ``latency_ms<=2ms``, ``peak_kib<=1MiB``, ``accuracy>=95%``; or, with a table's metrics, a limit on
    one of its columns. Raises :class:`LimitError`."""
    match = _LIMIT.fullmatch(text)
    if not match:
        raise LimitError(f"limit {text!r} cannot be read", todo='Write it as "params<=20k" or "latency_ms<=2".')
    name, sign, number, suffix = match.groups()
    device = ""
    if known_of is None:
        name, _, device = name.partition("@")
    known = (known_of or metric)(name)
    units = _SUFFIXES.get(known.unit, {"": 1.0, known.unit: 1.0})
    if suffix not in units or (suffix == "%" and not known.unit and known.source != "scored"):
        right = " or ".join(u for u in units if u and (u != "%" or known.source == "scored"))
        raise LimitError(f"limit {text!r}: {suffix!r} is not a unit of {name}", todo=f"Use {right}, or no suffix.")
    if sign.startswith("="):
        raise LimitError(f"limit {text!r}: only <= and >= can be limits", todo=f'Write "{name}<={number}{suffix}".')
    if sign.startswith(">") != known.maximize:
        better = ">=" if known.maximize else "<="
        raise LimitError(f"limit {text!r} asks for a worse {name}", todo=f'Write "{name}{better}{number}{suffix}".')
    try:
        bound = float(number) * units[suffix]
    except ValueError:
        raise LimitError(f"limit {text!r}: {number!r} is not a number", todo=f'Write it as "{name}{sign}20".') from None
    if bound < 0 and known.source in ("counted", "measured"):
        raise LimitError(f"limit {text!r} is negative", todo="Give a positive bound.")
    return Constraint(known.name, bound, sign.startswith(">"), device)


def parse_objective(text: str, maximize: bool | None = None, known_of: Known | None = None) -> Objective:
    """Read ``latency_ms`` or ``latency_ms@cpu``, or with a table's metrics the name of one of its columns; the direction is the
    metric's own."""
    match = _NAME.fullmatch(text)
    if known_of is None and not match:
        raise LimitError(f"metric {text!r} cannot be read", todo="Write its name, for instance latency_ms.")
    known = known_of(text.strip()) if known_of else metric(match[1] if match else text)
    if maximize is not None and maximize != known.maximize:
        verb, other = ("maximize", "minimize") if maximize else ("minimize", "maximize")
        raise LimitError(
            f"{known.name} is to be made {'small' if maximize else 'large'}", todo=f"Use --{other} {known.name}, not --{verb}."
        )
    device = (match[2] or "") if match and known_of is None else ""
    return Objective(known.name, known.maximize, device)


def shown(name: str, value: Any) -> str:
    """A value as people write it: ``4.1k``, ``0.987``, ``0.032``."""
    if value is None:
        return "–"
    value = float(value)
    known = METRICS.get(name.split("@")[0])
    if known is not None and known.source == "counted" and not known.unit:
        for size, letter in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
            if abs(value) >= size:
                return f"{value / (1e3 if letter == 'k' else size):.3g}{letter}"
        return f"{value:,.0f}"
    if known is not None and known.source == "scored":
        return f"{value:.4g}"
    return f"{value:.3g}"
