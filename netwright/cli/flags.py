"""What the commands' flags are made of: options under headings, and the completion of their values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import typer

__all__ = ["Json", "kinds", "metrics", "names", "option"]


Json = Annotated[
    bool, typer.Option("--json", help="Print JSON and nothing else on standard output; errors go to standard error.")
]
"""The flag of every command that can answer in JSON."""


def names(kind: str) -> Callable[[str], list[str]]:
    """Completes the names of a kind of part."""

    def complete(incomplete: str) -> list[str]:
        from netwright.registry import listed

        return [name for name in listed(kind) if name.startswith(incomplete)]

    return complete


def metrics(maximize: bool) -> Callable[[str], list[str]]:
    """Completes the metrics of a direction."""

    def complete(incomplete: str) -> list[str]:
        from netwright.core.metrics import METRICS

        return [metric.name for metric in METRICS.values() if metric.maximize == maximize and metric.name.startswith(incomplete)]

    return complete


def kinds(incomplete: str) -> list[str]:
    from netwright.cli.listing import KINDS

    return [kind for kind in KINDS if kind.startswith(incomplete)]


def option(panel: str, metavar: str, text: str, *flags: str, complete: Callable[[str], list[str]] | None = None) -> Any:
    """An option that takes a value, under its heading."""
    return typer.Option(*flags, help=text, metavar=metavar, rich_help_panel=panel, autocompletion=complete, show_default=False)
