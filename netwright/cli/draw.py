"""``draw``: a network, a space, or the difference of two networks as an SVG picture."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from netwright.cli.flags import names, option
from netwright.cli.help import Command
from netwright.errors import RecipeError

__all__ = ["register"]

_WHAT, _HOW, _SHOWN = "What to draw", "For which data", "What is shown"

EXAMPLES = """
netwright draw runs/digits-1  # the network that was found
netwright draw runs/digits-1 --trial 3 --against 5  # what trial 5 has otherwise
netwright draw nasbench201  # a space, with its holes
netwright draw chain --input 1x8x8 --seed 3  # a random member of it
netwright draw chain --input 1x8x8 --seed 3 --against 4
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(cls=Command, epilog=EXAMPLES)(draw)


def draw(
    what: Annotated[
        str,
        typer.Argument(
            metavar="WHAT",
            help="Folder of a run, or a space: a name (netwright list spaces), or my_file.py:my_space.",
            show_default=False,
            autocompletion=names("spaces"),
        ),
    ],
    trial: Annotated[
        int | None, typer.Option(min=0, metavar="N", help="Another trial than the winner.", rich_help_panel=_WHAT)
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, metavar="N", help="Of a space: a random member.", rich_help_panel=_WHAT)
    ] = None,
    trace: Annotated[Path | None, option(_WHAT, "FILE", "Of a space: the member of a trace, or of an architecture.json.")] = None,
    against: Annotated[
        str | None,
        option(_WHAT, "OTHER", "Draw the difference to this: a trial, a seed, a FILE with a trace, or another run."),
    ] = None,
    input_: Annotated[
        list[str] | None,
        option(_HOW, "SHAPE", "Of a space: shape of the input, 3x32x32; image=3x32x32 where there are several.", "--input"),
    ] = None,
    outputs: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Of a space: classes, or columns.", rich_help_panel=_HOW)
    ] = None,
    set_: Annotated[list[str] | None, option(_HOW, "space.NAME=VALUE", "A setting of the space; repeatable.", "--set")] = None,
    out: Annotated[Path | None, option(_SHOWN, "FILE", "Where to write it [default: named after what it is, here].")] = None,
    json: Annotated[
        bool,
        typer.Option("--json", help="Print the file, counts and differences as JSON on standard output.", rich_help_panel=_SHOWN),
    ] = False,
) -> None:
    """Draw a network, a space with its holes, or the difference of two networks, as an SVG file."""
    from netwright.cli.style import console, print_json
    from netwright.drawing import picture
    from netwright.recipe import parse_set

    if seed is not None and trace is not None:
        raise RecipeError("both --seed and --trace are given", todo="Name the other one with --against.")
    drawn = picture(
        what,
        trial=trial,
        seed=seed,
        trace=str(trace or ""),
        against=against or "",
        inputs=input_ or [],
        outputs=outputs,
        settings=parse_set(set_ or []).get("space", {}),
    )
    path = out or Path(re.sub(r"[^\w.-]+", "-", drawn.name).strip("-") + ".svg")
    try:
        path.write_text(drawn.svg, encoding="utf-8")
    except OSError as error:
        raise RecipeError(f"cannot be written ({error.strerror})", where=str(path), todo="Choose another --out FILE.") from None
    if json:
        print_json({"file": str(path), **drawn.facts})
    else:
        console().print(str(path), soft_wrap=True)
