"""``predict``: the exported network on a person's own files."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.text import Text

from netwright.cli.style import console, print_json, table

__all__ = ["predict"]

FEW = 4
"""Classes up to which each has a column of its own; with more, the likeliest two are named."""


def predict(run: Path, files: Sequence[Path], as_json: bool) -> None:
    """A line for each image or row: in columns for people, separated by tabs for a pipe."""
    from netwright import api

    found = api.predict(run, files)
    if as_json:
        print_json(found)
        return
    columns, rows = _columns(found)
    if sys.stdout.isatty():
        lines = [[Text(row[0]), Text(row[1], style="bold"), *row[2:]] for row in rows]
        console().print(table("", [(name, "fold" if k < 2 else "right") for k, name in enumerate(columns)], lines))
    else:
        for line in (columns, *rows):
            sys.stdout.write("\t".join(cell.replace("\t", " ") for cell in line) + "\n")


def _columns(found: Sequence[Mapping[str, Any]]) -> tuple[list[str], list[list[str]]]:
    shares = [entry.get("probabilities") for entry in found]
    first = shares[0] if shares else None
    if first is None:
        return ["input", "prediction"], [[str(entry["input"]), f"{entry['prediction']:.6g}"] for entry in found]
    names = list(first) if len(first) <= FEW else []
    rows = []
    for entry in found:
        told: Mapping[str, float] = entry["probabilities"]
        row = [str(entry["input"]), str(entry["prediction"]), f"{told[entry['prediction']]:.4f}"]
        if names:
            row += [f"{told[name]:.4f}" for name in names]
        else:
            second = sorted(told, key=lambda name: -told[name])[1]
            row += [second, f"{told[second]:.4f}"]
        rows.append(row)
    return ["input", "prediction", "probability", *(names or ["next best", "its probability"])], rows
