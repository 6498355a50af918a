"""``search`` and ``resume``: from flags to a recipe, and a run that is watched, interrupted or finished."""

from __future__ import annotations

import json
import os
import shlex
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import typer

from netwright.cli.style import console, print_json
from netwright.cli.watch import Lines, Screen, Silent, Watcher, expected
from netwright.core.contracts import Event
from netwright.core.metrics import parse_objective
from netwright.errors import RecipeError
from netwright.recipe import Budget, Recipe, environment, parse_budget, parse_set
from netwright.registry import listed, module

if TYPE_CHECKING:
    from netwright.api import Run

__all__ = ["Shown", "dry_run", "interruptible", "recipe_from", "resume", "search"]

Shown = Literal["all", "quiet", "json"]

PATIENCE_S = 10.0


def recipe_from(
    data: str,
    flags: Mapping[str, Any],
    maximize: Sequence[str],
    minimize: Sequence[str],
    limits: Sequence[str],
    budget: Sequence[str],
    settings: Sequence[str],
) -> Recipe:
    """The recipe that a command line says. Where ``data`` is a recipe file, what is given besides overrides it."""
    if not data and not flags.get("table"):
        raise RecipeError("neither data nor a table is named", todo="Write `netwright search DATA`, or --table NAME.")
    recipe = Recipe.from_toml(Path(data)) if data.endswith(".toml") else Recipe(data=data)
    recipe = replace(recipe, **{name: value for name, value in flags.items() if value is not None})
    if recipe.table and (maximize or minimize):  # its columns are its own; their direction is checked when it is open
        texts = [f"maximize {name}" for name in maximize] + [f"minimize {name}" for name in minimize]
        recipe = replace(recipe, objectives=tuple(dict.fromkeys(texts)))
    elif maximize or minimize:
        objectives = [parse_objective(name, True) for name in maximize] + [parse_objective(name, False) for name in minimize]
        recipe = replace(recipe, objectives=tuple(dict.fromkeys(str(objective) for objective in objectives)))
    if limits:
        recipe = replace(recipe, limits=tuple(limits))
    if budget:
        recipe = replace(recipe, budget=parse_budget(*budget))
    parts = {"strategies": recipe.strategy, "spaces": recipe.space, "estimators": recipe.estimator, "devices": recipe.device}
    for kind, name in parts.items():
        if name and name.isidentifier() and name not in listed(kind):
            module(kind, name)  # says what was meant, before anything heavy is imported
    return recipe.with_options(parse_set(settings)).checked()


def search(recipe: Recipe, out: Path | None, shown: Shown, began: float | None) -> None:
    """Run the recipe and say how it ended."""
    watcher = _watcher(shown, f"reading {recipe.data or recipe.table}")

    def work() -> Run:
        from netwright import api

        bounded = recipe if recipe.table else _bounded(recipe, api.DEFAULT_BUDGET)
        return api.run_recipe(bounded, out=out, tell=tell, started=began)

    def tell(event: Event) -> None:
        if event.kind == "created":
            watcher.progress.folder = str(out or _ours() or "")
        watcher.tell(event)

    _end(_watched(watcher, work), shown)


def resume(folder: Path, budget: str, shown: Shown, began: float | None) -> None:
    """Go on with a run and say how it ended."""
    if budget:
        parse_budget(budget)
    watcher = _watcher(shown, f"reading {folder}")
    watcher.progress.folder = str(folder)

    def work() -> Run:
        from netwright import api

        for event in api.Run(folder).events():  # so that counts and best are the whole run's
            watcher.progress.take(event)
        return api.resume(folder, budget=budget, tell=watcher.tell, started=began)

    _end(_watched(watcher, work), shown)


def dry_run(recipe: Recipe, shown: Shown) -> None:
    """The forecast only."""

    def work() -> Any:
        from netwright import api

        return api.dry_run(recipe if recipe.table else _bounded(recipe, api.DEFAULT_BUDGET))

    watcher = _watcher(shown, f"reading {recipe.table}" if recipe.table else f"timing a few candidates for {recipe.data}")
    told = dict(_watched(watcher, work))
    if shown == "json":
        print_json(told)
        return
    watcher.progress.forecast = told
    console().print(f"forecast: {expected(watcher.progress)}", soft_wrap=True)


def _bounded(recipe: Recipe, budget: Budget) -> Recipe:
    return recipe if recipe.budget != Budget() else replace(recipe, budget=budget)


# ---- watching and ending ----------------------------------------------------------------------------------------------


def _watcher(shown: Shown, what: str) -> Watcher:
    if shown == "quiet" or (shown == "json" and not sys.stderr.isatty()):
        return Silent()
    made = console(stderr=shown == "json")
    return Screen(made, what) if made.is_terminal else Lines(made)


def _watched(watcher: Watcher, work: Callable[[], Any]) -> Any:
    """Do the work; on Ctrl-C or a request to end, say how to go on."""
    with interruptible() as stop:
        try:
            with watcher:
                return work()
        except BaseException as error:  # an interruption may surface as another error, of an import it broke off
            if stop.number is None and not isinstance(error, KeyboardInterrupt):
                raise
        run = watcher.progress.folder
        further = f"Stopped. Go on with: netwright resume {shlex.quote(run)}"
        typer.echo(further if run else "Stopped before the run began.", err=True)
        raise typer.Exit(128 + (stop.number or signal.SIGINT))


@dataclass
class Stop:
    """Which signal asked to stop, if one did."""

    number: int | None = None


@contextmanager
def interruptible() -> Iterator[Stop]:
    """The first Ctrl-C or SIGTERM raises :class:`KeyboardInterrupt`. Further ones are not heard, so that the ending is not
    interrupted in its turn; should it hang, the process ends after :data:`PATIENCE_S`."""
    stop = Stop()
    heard = (signal.SIGINT, signal.SIGTERM)

    def once(number: int, frame: Any) -> None:
        stop.number = number
        for each in heard:
            signal.signal(each, signal.SIG_IGN)
        last = threading.Timer(PATIENCE_S, os._exit, (128 + number,))
        last.daemon = True
        last.start()
        raise KeyboardInterrupt

    before = {each: signal.signal(each, once) for each in heard}
    try:
        yield stop
    finally:
        if stop.number is None:
            for each, handler in before.items():
                signal.signal(each, handler)


def _ours() -> Path | None:
    """The run that this process works on: the one whose lock names it."""
    try:
        runs = sorted(Path(environment("NETWRIGHT_RUNS")).iterdir(), key=lambda run: run.stat().st_mtime, reverse=True)
    except OSError:
        return None
    for run in runs[:5]:
        try:
            if json.loads((run / "lock").read_text())["pid"] == os.getpid():
                return run
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return None


def _end(run: Run, shown: Shown) -> None:
    from netwright.cli.summary import last_line, summary

    facts = run.facts
    if shown == "json":
        print_json(facts.to_json())
    elif shown == "quiet":
        console().print(last_line(run.folder, facts), soft_wrap=True)
    else:
        summary(console(), run.folder, facts)
