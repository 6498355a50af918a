"""``lint``: what is wrong with a space, and what of it keeps the limits, before any money is spent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from netwright.cli.flags import names, option
from netwright.cli.help import Command

if TYPE_CHECKING:
    from netwright.lint import Lint

__all__ = ["register"]

_WHAT, _HOW, _SHOWN = "What to look at", "How", "What is shown"

EXAMPLES = """
netwright lint nasbench201
netwright lint chain --input 1x8x8 --limit "params<=5k"
netwright lint mobilenet --input 3x64x64 --outputs 100 --limit "flops<=20M" --count 5000
netwright lint my_file.py:my_space --json
netwright lint chain --data digits --limit "params<=5k"  # with the inputs of your data
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(cls=Command, epilog=EXAMPLES)(lint)


def lint(
    space: Annotated[
        str,
        typer.Argument(
            metavar="SPACE",
            help="A name (netwright list spaces), or my_file.py:my_space.",
            show_default=False,
            autocompletion=names("spaces"),
        ),
    ],
    limit: Annotated[list[str] | None, option(_WHAT, "LIMIT", 'A limit, for instance "params<=5k"; repeatable.')] = None,
    input_: Annotated[
        list[str] | None,
        option(_WHAT, "SHAPE", "Shape of the input, 3x32x32; with a name where there are several, image=3x32x32.", "--input"),
    ] = None,
    outputs: Annotated[int | None, typer.Option(min=1, metavar="N", help="Classes, or columns.", rich_help_panel=_WHAT)] = None,
    data: Annotated[str | None, option(_WHAT, "DATA", "Take inputs and outputs from these data.")] = None,
    target: Annotated[str | None, option(_WHAT, "COLUMN", "Column to predict, with --data.")] = None,
    set_: Annotated[list[str] | None, option(_HOW, "space.NAME=VALUE", "A setting of the space; repeatable.", "--set")] = None,
    count: Annotated[
        int, typer.Option(min=1, metavar="N", help="Members drawn where there are too many to look at all.", rich_help_panel=_HOW)
    ] = 2000,
    seconds: Annotated[
        float, typer.Option(min=0, metavar="S", help="How long holes are tried and extremes looked for.", rich_help_panel=_HOW)
    ] = 60.0,
    seed: Annotated[int, typer.Option(min=0, metavar="N", help="What the draws begin with.", rich_help_panel=_HOW)] = 0,
    json: Annotated[
        bool, typer.Option("--json", help="Print JSON and nothing else on standard output.", rich_help_panel=_SHOWN)
    ] = False,
) -> None:
    """Say what a space holds before any money is spent: size, duplicates, dead options, what keeps the limits, a supernet.

    Small spaces (up to 20,000 members) are looked at whole, of larger ones members are drawn. Ends with 1 where
    something was found.
    """
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    from netwright import api
    from netwright.cli.style import console, print_json
    from netwright.recipe import parse_set

    settings = parse_set(set_ or []).get("space", {})
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn(), console=console(stderr=True), transient=True
    )
    with bar:
        task = bar.add_task("looking", total=1.0)
        found = api.lint(
            space,
            limits=limit or [],
            inputs=input_ or [],
            outputs=outputs,
            data=data or "",
            target=target or "",
            settings=settings,
            members=count,
            seconds=seconds,
            seed=seed,
            tell=lambda what, share: bar.update(task, description=what, completed=share),
        )
    if json:
        print_json(found.to_json())
    else:
        _show(found)
    if found.findings or found.broken:
        raise typer.Exit(1)


def _show(found: Lint) -> None:
    from netwright.cli.style import console, grid
    from netwright.report.words import told

    whole = found.whole
    of = "" if whole else f" of {found.looked_at:,} drawn"
    rows = [("space", found.name), ("size", str(found.size))]
    if whole:
        rows.append(("distinct", f"{found.distinct:,} compute something of their own; {found.duplicate_share:.1%} are doubles"))
    else:
        rows.append(("distinct", f"{found.distinct_seen:,}{of} compute something of their own"))
    if found.broken:
        rows.append(("broken", f"{found.broken:,}{of} have a layer that does not fit: {found.first_error}"))
    if found.kept is not None:
        low, high = found.interval(found.kept)
        share = f"{found.kept / max(1, found.looked_at):.2%}"
        rows.append(("in limits", share if whole else f"{share}{of} (95 % interval {low:.2%} to {high:.2%})"))
    for name, member in (("smallest", found.smallest), ("largest", found.largest)):
        if member:
            text = ", ".join(f"{metric.removesuffix('_kib')} {told(metric, value)}" for metric, value in member.values.items())
            rows.append((name, text + ("" if whole else " (of those found)")))
    rows.append(("supernet", f"none: {found.supernet}" if found.supernet else "yes"))
    tried = "" if found.holes_tried == found.holes else f"; {found.holes_tried} of {found.holes} holes tried: give more --seconds"
    rows.append(("findings", (f"{len(found.findings)}" if found.findings else "none") + tried))
    out = console()
    out.print(grid(rows))
    for finding in found.findings:
        out.print(f"  {finding.path} {finding.text}", soft_wrap=True, highlight=False, markup=False)
    for text in found.unchecked:
        out.print(f"  {text} is measured, not counted: a search checks it", soft_wrap=True, highlight=False, markup=False)
