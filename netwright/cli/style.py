"""What all commands print with: the consoles, a few words and colours. Text from outside is never read as markup."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from netwright.core.metrics import METRICS
from netwright.report.words import bound, duration, name_of, told

__all__ = ["STATES", "budget", "console", "grid", "heading", "limits", "metrics_line", "print_json", "table", "value"]

STATES = {
    "finished": "green",
    "searching": "cyan",
    "finishing": "cyan",
    "interrupted": "yellow",
    "infeasible": "red",
    "unreadable": "red",
}
"""Colours of a run's states."""

_FIRST = ("params", "flops", "latency_ms", "peak_kib")


def console(*, stderr: bool = False) -> Console:
    """A console without guesses: no highlighting, no markup, no emoji. ``NO_COLOR`` is respected by rich itself."""
    return Console(stderr=stderr, highlight=False, markup=False, emoji=False)


def print_json(data: Any) -> None:
    """Strict JSON on standard output, and nothing else there."""
    import json

    sys.stdout.write(json.dumps(data, ensure_ascii=False, allow_nan=False, indent=2) + "\n")
    sys.stdout.flush()


def value(metric: str, number: Any) -> str:
    """A value with its unit and, where the unit does not tell, its name: ``4,120 parameters``, ``0.031 ms``, ``F1 0.93``."""
    name, text = metric.partition("@")[0], told(metric, number)
    if name in ("params", "flops"):
        return f"{text} {name_of(metric)}"
    if name == "latency_ms":
        return text
    return f"{text} {name_of(metric)}" if name == "peak_kib" else f"{name_of(metric)} {text}"


def metrics_line(values: Mapping[str, Any], wanted: Iterable[str] = ()) -> str:
    """Scores that are wanted first, then what the network costs."""
    keys = [key for key in wanted if key in values]
    keys += [key for key in (*_FIRST, *values) if key in values and key not in keys and key.partition("@")[0] in _FIRST]
    return ", ".join(value(key, values[key]) for key in dict.fromkeys(keys))


def limits(texts: Sequence[str]) -> str:
    return ", ".join(bound(text) for text in texts)


def grid(rows: Iterable[tuple[str, Any]], indent: str = "", style: str = "dim") -> Table:
    """Two columns: a word, and what there is to say."""
    made = Table.grid(padding=(0, 2))
    made.add_column(no_wrap=True, min_width=11 if style == "dim" else None)
    made.add_column(overflow="fold")
    for name, what in rows:
        made.add_row(Text(indent + name, style=style), what if not isinstance(what, str) else Text(what))
    return made


def table(title: str, columns: Sequence[tuple[str, str]], rows: Iterable[Sequence[Any]]) -> Group:
    """A table under its title, with ``columns`` of (heading, "left", "right" or "fold"); those that fold may be broken."""
    made = Table(box=box.SIMPLE_HEAD, header_style="dim", padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    for name, justify in columns:
        made.add_column(name, justify="right" if justify == "right" else "left", no_wrap=justify != "fold", overflow="fold")
    for row in rows:
        made.add_row(*(cell if not isinstance(cell, str) else Text(cell) for cell in row))
    return Group(*([Text(title, style="bold")] if title else []), made, Text(""))


def heading(metric: str) -> str:
    """What a column of a metric is called."""
    unit = METRICS[metric.partition("@")[0]].unit if metric.partition("@")[0] in METRICS else ""
    return name_of(metric) + (f" ({unit})" if unit else "")


def budget(told_budget: Mapping[str, Any]) -> str:
    """``90 s and 200 trials``."""
    parts = [duration(told_budget["seconds"])] if told_budget.get("seconds") is not None else []
    parts += [f"{told_budget['trials']:,} trials"] if told_budget.get("trials") is not None else []
    return " and ".join(parts) or "no bound"
