"""``bench``: strategies beside one another on a table of measured architectures."""

from __future__ import annotations

import signal
import time
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Annotated, Any, Self

import typer

from netwright.cli.flags import Json, option
from netwright.cli.help import Command

if TYPE_CHECKING:
    from netwright.bench.plan import Plan
    from netwright.bench.result import Bench, Opened
    from netwright.bench.work import State

__all__ = ["register"]

_WHAT, _HOW, _SHOWN = "What is compared", "How", "What is shown"


def register(app: typer.Typer) -> None:
    """Put the command into the application."""
    app.command(
        cls=Command,
        epilog="""
netwright bench --table minibench --strategies random,evolution --budget 100
netwright bench --table nasbench201 --objective cifar10.val_acc@200 --strategies random,evolution,bayes --seeds 200
netwright bench --table nasbench201 --objective cifar10.test_acc@200 --distinct unique_graph --strategies evolution,bayes
netwright bench --table spikenas --objective val_acc --strategies "bayes,asha(bayes)" --budget "5000 epochs" --within 0.2
""",
    )(bench)


def bench(
    table: Annotated[str, option(_WHAT, "NAME", "A table of measured architectures (netwright table list), or its file.")],
    strategies: Annotated[
        str, option(_WHAT, "NAMES", 'With settings, wrappers, other tools: "random,evolution[population=30],peers/smac".')
    ],
    objective: Annotated[
        list[str] | None,
        option(_WHAT, "COLUMN", "What is to be found, as `table describe` prints it (repeatable) [default: the table's]."),
    ] = None,
    maximize: Annotated[list[str] | None, option(_WHAT, "COLUMN", "An objective to be made large (repeatable).")] = None,
    minimize: Annotated[list[str] | None, option(_WHAT, "COLUMN", "An objective to be made small (repeatable).")] = None,
    limit: Annotated[list[str] | None, option(_WHAT, "LIMIT", 'What must hold: "params<=1M" (repeatable).')] = None,
    distinct: Annotated[
        str, option(_WHAT, "COLUMN", "Rows with equal values in it are one architecture, whose value is their mean.")
    ] = "",
    within: Annotated[float, option(_WHAT, "X", "What comes as near to the best counts as found [default: 0].")] = 0.0,
    budget: Annotated[str, option(_HOW, "BUDGET", 'Of each search: "150" queries, "5000 epochs", "20h" [default: 150].')] = "150",
    seeds: Annotated[int, option(_HOW, "N", "Searches of each strategy [default: 20].")] = 20,
    seed: Annotated[int, option(_HOW, "FIRST", "The first of the seeds [default: 0].")] = 0,
    workers: Annotated[int, option(_HOW, "N", "Processes that search [default: one for each core].")] = 0,
    out: Annotated[
        Path | None,
        option(_SHOWN, "FOLDER", "New, empty, or that of a bench to go on with [default: runs/bench-NAME-1, -2 …]."),
    ] = None,
    json: Json = False,
) -> None:
    """Compare strategies on a table: queries to the best, regret on the way, their own time, with paired tests."""
    from netwright.bench import plan as plans
    from netwright.registry import named

    wanted = [
        *(objective or []),
        *(f"maximize {name}" for name in maximize or []),
        *(f"minimize {name}" for name in minimize or []),
    ]
    parts = tuple(named(strategies))
    plan = plans.Plan(table, parts, tuple(wanted), tuple(limit or ()), distinct, plans.parse(budget), within, seed, seeds)
    _run(plan, out, workers, json)


def _run(plan: Plan, out: Path | None, workers: int, json: bool) -> None:
    """Search, show how far it is, and say what came of it; on Ctrl-C, how to go on."""
    from netwright.cli.search import interruptible
    from netwright.cli.style import console, print_json

    screen, folder = Screen(console(stderr=True), quiet=json), out
    with interruptible() as stop:
        try:
            with screen:
                from netwright.bench import result

                begun = result.opened(plan, workers)
                with closing(result.kept(begun, out)) as log:
                    folder = log.path.parent
                    screen.begin(begun, folder)
                    found = result.run(begun, log, workers or result.cores(), screen.tell)
        except BaseException as error:  # an interruption may surface as another error, of an import it broke off
            if stop.number is None and not isinstance(error, KeyboardInterrupt):
                raise
            from netwright.bench.words import command

            further = f"Stopped. Go on with: {command(plan, str(folder))}" if screen.begun else "Stopped before it began."
            typer.echo(further, err=True)
            raise typer.Exit(128 + (stop.number or signal.SIGINT)) from None
    if json:
        print_json(found.told)
    else:
        _show(found)


class Screen:
    """What is compared, then a bar and the time left: drawn in place in a terminal, a line now and then elsewhere."""

    def __init__(self, console: Any, quiet: bool) -> None:
        self.console, self.begun = console, False
        self.state: State | None = None
        self.quiet = quiet and not console.is_terminal
        self.live: Any = None
        self.said = time.monotonic()

    def __enter__(self) -> Self:
        if self.console.is_terminal:
            from rich.live import Live
            from rich.spinner import Spinner

            self.spinner = Spinner("dots", style="cyan")
            self.live = Live(get_renderable=self._drawn, console=self.console, transient=True, refresh_per_second=4)
            self.live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self.live is not None:
            self.live.stop()

    def begin(self, begun: Opened, folder: Path) -> None:
        from netwright.bench.words import about
        from netwright.cli.style import grid

        self.begun = True
        if not self.quiet:
            self.console.print(grid([*about(begun.problem, begun.warnings), ("folder", str(folder))]))

    def tell(self, state: State) -> None:
        new = self.state is None or state.done > self.state.done
        self.state = state
        if self.live is None and not self.quiet and time.monotonic() - self.said > (10 if new else 60):
            self.said = time.monotonic()
            self.console.print(self._line(state), soft_wrap=True)

    def _line(self, state: State) -> str:
        from netwright.report.words import duration

        left = f", about {duration(round(state.left_s))} left" if state.left_s is not None else ""
        return f"{state.done:,} of {state.total:,} searches{left}"

    def _drawn(self) -> Any:
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        turning: Any = self.spinner.render(self.console.get_time())
        if self.state is None:
            return Text.assemble(turning, " ", "starting the processes" if self.begun else "reading the table")
        line = self._line(self.state)
        row = Table.grid(padding=(0, 2))
        width = max(10, min(50, self.console.width - len(line) - 6))
        bar = ProgressBar(total=max(1, self.state.total), completed=self.state.done, width=width)
        row.add_row(turning, bar, Text(line, style="dim"))
        return row


def _show(found: Bench) -> None:
    """The strategies and how they compare, in a few lines."""
    from netwright.bench.words import compared, early, headline, lines
    from netwright.cli.style import console, grid, table

    out = console()
    columns, rows = lines(found.problem, found.told["strategies"], out.width)
    out.print()
    out.print(table(headline(found.problem, found.told["strategies"]), columns, rows))
    texts = compared(found.told["comparisons"])
    over = early(found.told["strategies"])
    out.print(
        grid(
            [
                *(("tests" if k == 0 else "", text) for k, text in enumerate(texts)),
                *(("ended early" if k == 0 else "", text) for k, text in enumerate(over)),
            ]
        )
    )
    out.print(f"{found.folder / 'bench.html'}, bench.json, queries.parquet", soft_wrap=True)
