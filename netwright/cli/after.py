"""``export`` and ``report``: what can be made of a run again."""

from __future__ import annotations

from pathlib import Path

from rich.text import Text

from netwright.cli.search import interruptible
from netwright.cli.style import console
from netwright.report.words import told

__all__ = ["export", "report"]


def export(run: Path, trial: int | None, int8: bool, quiet: bool) -> None:
    """Write the model folder, and say what is in it and how well its parts agree."""
    from netwright import api

    api.find_run(run)
    out = console()
    with interruptible(), out.status(Text(f"exporting {run}")):
        folder = api.export(run, trial=trial, int8=int8)
    if not quiet:
        for file in sorted(folder.iterdir()):
            out.print(Text.assemble("  ", (f"{file.name:20}", "cyan"), f" {file.stat().st_size / 1024:,.1f} KiB"), soft_wrap=True)
        exported = api.Run(run).facts.exported or {}
        for pair, difference in (exported.get("parity") or {}).items():
            out.print(Text(f"  {pair}: largest difference {difference:.2g}", style="dim"), soft_wrap=True)
        if exported.get("latency_ms") is not None:
            out.print(Text(f"  {told('latency_ms', exported['latency_ms'])} a prediction", style="dim"), soft_wrap=True)
    out.print(str(folder), soft_wrap=True)


def report(run: Path, open_: bool) -> None:
    """Write the report, and show it where that is wanted."""
    from netwright import api

    api.find_run(run)
    out = console()
    with out.status(Text(f"writing the report of {run}")):
        page = api.report(run)
    out.print(str(page), soft_wrap=True)
    if open_:
        import webbrowser

        if not webbrowser.open(page.resolve().as_uri()):
            out.print("No browser could be opened; open the file yourself.")
