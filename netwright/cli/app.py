"""The commands and their flags. What each does is imported when it is called."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from netwright.cli import bench as benching
from netwright.cli import draw as drawing
from netwright.cli import lint as linting
from netwright.cli.flags import Json, kinds, metrics, names, option
from netwright.cli.help import Command, Group
from netwright.cli.space import app as space_app
from netwright.cli.table import app as table_app

if TYPE_CHECKING:
    from netwright.cli.search import Shown

__all__ = ["app"]

app = typer.Typer(
    cls=Group,
    help="Finds small neural networks for your data and your limits, and says honestly what the search gained.",
    epilog="""
netwright search digits --limit "params<=5k" --budget 90s  # data that comes with the install
netwright search photos/ --limit "latency_ms<=2" --budget 10m  # one subfolder of images per class
netwright search table.csv --target price --budget 5m  # classification or regression, inferred
netwright show runs/digits-1  # the front, the best, why trials failed
""",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["--help", "-h"]},
)

app.add_typer(space_app, name="space")
app.add_typer(table_app, name="table")

_WHAT, _GOAL, _HOW, _SHOWN = "What to search", "What for", "How", "What is shown"


RunArgument = Annotated[
    Path, typer.Argument(metavar="RUN", help="Folder of the run, for instance runs/digits-1.", show_default=False)
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print the last line only.")]


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import PackageNotFoundError, version

        try:
            typer.echo(f"netwright {version('netwright')}")
        except PackageNotFoundError:
            typer.echo("netwright, not installed")
        raise typer.Exit


def _shown(quiet: bool, json: bool) -> Shown:
    return "json" if json else "quiet" if quiet else "all"


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    pass


@app.command(
    cls=Command,
    epilog="""
netwright search digits --minimize latency_ms --limit "params<=20k" --budget 90s
netwright search photos/ --limit "latency_ms<=2" --budget 10m
netwright search table.csv --target price --budget 5m --budget "200 trials"
netwright search sales.parquet --target sold --split-by date --test december.parquet
netwright search digits --strategy random --set estimator.epochs=5 --seed 1
netwright search recipe.toml --budget 1h  # flags override the recipe
netwright search digits --dry-run  # the forecast only
netwright search --table nasbench201 --maximize cifar10.val_acc@200 --budget 20h  # of simulated time
""",
)
def search(
    ctx: typer.Context,
    data: Annotated[
        str,
        typer.Argument(
            metavar="DATA",
            help="A bundled name (netwright list data), a folder with one subfolder of images per class, a CSV, TSV, Parquet "
            "or .npz file; or a recipe (.toml). None with --table.",
            show_default=False,
        ),
    ] = "",
    table: Annotated[
        str | None, option(_WHAT, "NAME", "Instead of data: a table of measured architectures, or its file.")
    ] = None,
    target: Annotated[str | None, option(_WHAT, "COLUMN", "Column to predict.")] = None,
    test: Annotated[str | None, option(_WHAT, "DATA", "A test set of your own.")] = None,
    split_by: Annotated[str | None, option(_WHAT, "COLUMN", "Column of groups or times that the splits keep apart.")] = None,
    maximize: Annotated[
        list[str] | None,
        option(
            _GOAL,
            "METRIC",
            "Score to maximise instead of the task's own: balanced_accuracy, f1, auc, r2 … (repeatable).",
            complete=metrics(True),
        ),
    ] = None,
    minimize: Annotated[
        list[str] | None,
        option(
            _GOAL,
            "METRIC",
            "A further objective: latency_ms, params, flops, peak_kib … (repeatable).",
            complete=metrics(False),
        ),
    ] = None,
    limit: Annotated[
        list[str] | None, option(_GOAL, "LIMIT", 'What must hold: "params<=20k", "latency_ms<=2" (repeatable).')
    ] = None,
    budget: Annotated[
        list[str] | None,
        option(_GOAL, "BUDGET", '"90s", "10m", "200 trials" or both; all until the last line is in it [default: 5m].'),
    ] = None,
    strategy: Annotated[
        str | None, option(_HOW, "NAME", "What to try next [default: auto].", complete=names("strategies"))
    ] = None,
    space: Annotated[
        str | None,
        option(
            _HOW, "NAME", "What can be built, or my_file.py:my_space [default: chosen by the data].", complete=names("spaces")
        ),
    ] = None,
    estimator: Annotated[
        str | None, option(_HOW, "NAME", "How a candidate is judged [default: train].", complete=names("estimators"))
    ] = None,
    device: Annotated[
        str | None, option(_HOW, "NAME", "Where latency is measured [default: cpu].", complete=names("devices"))
    ] = None,
    seed: Annotated[int | None, option(_HOW, "N", "Names every random draw [default: 0].")] = None,
    workers: Annotated[int | None, option(_HOW, "N", "Processes that train [default: one for each core].")] = None,
    set_: Annotated[
        list[str] | None,
        option(_HOW, "PART.NAME=VALUE", "A setting of a part: strategy.population=50 (repeatable).", "--set"),
    ] = None,
    start_with: Annotated[Path | None, option(_HOW, "FILE", "An architecture.json to try first.")] = None,
    out: Annotated[Path | None, option(_SHOWN, "FOLDER", "Folder of the run, empty or new [default: runs/NAME-1, -2 …].")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the forecast and end.", rich_help_panel=_SHOWN)] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print the last line only.", rich_help_panel=_SHOWN)] = False,
    json: Annotated[
        bool,
        typer.Option(
            "--json",
            help="Print what `show --json` prints, and nothing else, on standard output; errors go to standard error.",
            rich_help_panel=_SHOWN,
        ),
    ] = False,
) -> None:
    """Search for a network for your data, train it, test it, export it and write a report."""
    from netwright.cli import search as work

    flags: dict[str, object] = {
        "table": table,
        "target": target, "test": test, "split_by": split_by, "space": space, "strategy": strategy, "estimator": estimator,
        "device": device, "seed": seed, "workers": workers, "start_with": start_with and str(start_with),
    }  # fmt: skip
    recipe = work.recipe_from(data, flags, maximize or [], minimize or [], limit or [], budget or [], set_ or [])
    shown = _shown(quiet, json)
    if dry_run:
        work.dry_run(recipe, shown)
    else:
        work.search(recipe, out, shown, ctx.obj)


@app.command(
    cls=Command,
    epilog="""
netwright resume runs/digits-1  # after Ctrl-C, a crash or a power cut
netwright resume runs/digits-1 --budget +10m  # more of a finished run
""",
)
def resume(
    ctx: typer.Context,
    run: RunArgument,
    budget: Annotated[str, typer.Option(help='More of it: "+10m", "+100 trials".', metavar="BUDGET", show_default=False)] = "",
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Go on with a run that was interrupted, or extend a finished one."""
    from netwright.cli import search as work

    work.resume(run, budget, _shown(quiet, json), ctx.obj)


@app.command(
    cls=Command,
    epilog="""
netwright show  # all runs
netwright show runs/digits-1
netwright show runs/digits-1 --json
""",
)
def show(
    run: Annotated[
        Path | None, typer.Argument(metavar="[RUN]", help="Folder of a run; without it, all are listed.", show_default=False)
    ] = None,
    json: Json = False,
) -> None:
    """Show a run: the front, the best, what was spent, what the search gained, why trials failed."""
    from netwright.cli import show as work

    work.show(run, json)


@app.command(
    cls=Command,
    epilog="""
netwright export runs/digits-1
netwright export runs/digits-1 --int8  # a quantised network beside it
netwright export runs/digits-1 --trial 17  # another trial, trained first
""",
)
def export(
    run: RunArgument,
    trial: Annotated[int | None, typer.Option(help="Another trial than the winner.", metavar="N", show_default=False)] = None,
    int8: Annotated[bool, typer.Option("--int8", help="Quantise to 8 bits too.")] = False,
    quiet: Quiet = False,
) -> None:
    """Write the model folder: PyTorch, ONNX, weights and card, proved to agree."""
    from netwright.cli import after as work

    work.export(run, trial, int8, quiet)


@app.command(
    cls=Command,
    epilog="""
netwright report runs/digits-1
netwright report runs/digits-1 --open  # and show it in a browser
""",
)
def report(
    run: RunArgument,
    open_: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
) -> None:
    """Write the report of a run, one HTML file that works offline."""
    from netwright.cli import after as work

    work.report(run, open_)


@app.command(
    cls=Command,
    epilog="""
netwright predict runs/digits-1 seven.png
netwright predict runs/photos-1 new_photos/ --json
netwright predict runs/table-1 new_rows.csv
""",
)
def predict(
    run: RunArgument,
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE…", help="Images or folders of them, or tables (CSV, TSV, Parquet).", show_default=False),
    ],
    json: Json = False,
) -> None:
    """Use the network that was found: one line for each image, or each row of a table."""
    from netwright.cli import predict as work

    work.predict(run, files, json)


@app.command(
    "list",
    cls=Command,
    epilog="""
netwright list
netwright list strategies
""",
)
def list_(
    kind: Annotated[
        str | None,
        typer.Argument(
            metavar="[KIND]",
            help="strategies, spaces, estimators, devices, layers, metrics or data.",
            autocompletion=kinds,
            show_default=False,
        ),
    ] = None,
    json: Json = False,
) -> None:
    """List what there is to choose from."""
    from netwright.cli import listing as work

    work.show(kind, json)


@app.command(
    cls=Command,
    epilog="""
netwright doctor
netwright doctor --json
""",
)
def doctor(json: Json = False) -> None:
    """Check this machine and this installation, and say what to do about what is wrong."""
    from netwright.cli import doctor as work

    work.doctor(json)


benching.register(app)
linting.register(app)
drawing.register(app)
