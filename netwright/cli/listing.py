"""``list``: the parts, metrics and bundled data that there are to choose from, each with its first sentence."""

from __future__ import annotations

from netwright.cli.style import console, grid, print_json
from netwright.core.metrics import METRICS
from netwright.errors import RecipeError
from netwright.registry import KINDS as PARTS
from netwright.registry import listed, suggest, summary

__all__ = ["DATA", "KINDS", "show"]

KINDS = (*PARTS, "metrics", "data")
"""What can be listed."""

DATA = {
    "digits": "1,797 handwritten digits of 8×8 pixels, 10 classes",
    "wine": "178 wines, 13 measurements, 3 classes",
    "breast_cancer": "569 tumours, 30 measurements, 2 classes",
    "diabetes": "442 patients, 10 measurements, a number to predict",
    "iris": "150 flowers, 4 measurements, 3 classes",
}
"""Data that comes with scikit-learn: no download."""


def show(kind: str | None, as_json: bool) -> None:
    """One kind, or all of them."""
    if kind is not None and kind not in KINDS:
        raise RecipeError(f"nothing is listed as {kind!r}", todo=suggest(kind, KINDS))
    found = {each: _listed(each) for each in ([kind] if kind else KINDS)}
    if as_json:
        print_json(found)
        return
    out = console()
    for number, (each, parts) in enumerate(found.items()):
        if kind is None:
            out.print(("\n" if number else "") + each, style="bold")
        out.print(grid(parts.items(), "  " if kind is None else "", "cyan"))


def _listed(kind: str) -> dict[str, str]:
    if kind == "metrics":
        return {m.name: f"{m.summary}; {m.source}, to {m.direction}" for m in METRICS.values()}
    if kind == "data":
        return DATA
    return {name: summary(kind, name).replace("``", "") for name in listed(kind)}
