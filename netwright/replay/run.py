"""``search``, ``resume`` and ``foreseen``: a whole run over a table, in its folder."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from netwright import opening
from netwright.core.contracts import Event, Store
from netwright.errors import DataError, RunError
from netwright.recipe import Budget, Recipe
from netwright.replay.course import forecast, metrics, sees_test, work
from netwright.replay.opening import Clock, checked, opened, resolved
from netwright.rounds import spent_s, this_round, total
from netwright.tables.read import read
from netwright.tables.task import TableTask

__all__ = ["foreseen", "resume", "search"]

Tell = Callable[[Event], None]


def search(recipe: Recipe, *, out: Path | str | None, tell: Tell, started: float) -> Path:
    """Search a table; returns the run's folder."""
    table = read(recipe.table)
    task, recipe = TableTask(table), resolved(recipe, table)
    goal, space, _ = parts = checked(recipe, task)
    with opening.new_run(recipe, task, out) as (folder, store):
        opening.fill_folder(folder, recipe, task)
        with opened(recipe, folder, task, parts, store, tell) as session:
            body = opening.creation(recipe, task, space, session.strategy)
            body["task"] |= {"metrics": metrics(table, goal), "sees_test": sees_test(table, goal)}
            session.write("created", **body)
            session.write("session", pid=os.getpid(), resumed=False, started=started, budget=_plain(recipe.budget))
            work(session, table, started)
    return folder


def resume(folder: Path, store: Store, more: Budget, *, tell: Tell, started: float) -> None:
    """Go on with a run over a table, or extend a finished one. ``more`` counts simulated time."""
    events = list(store.events())
    created = events[0].body
    recipe = Recipe.from_json(created["recipe"])
    over = any(event.kind == "finished" for event in this_round(events))
    if over and more == Budget():
        raise RunError("the run is finished", where=str(folder), todo='Extend it with --budget "+100 trials".')
    if over:
        spent = Budget(Clock.of(events).now, sum(event.kind == "proposed" for event in events))
        seconds = None if more.seconds is None else (spent.seconds or 0.0) + more.seconds
        recipe = replace(recipe, budget=Budget(seconds, None if more.trials is None else (spent.trials or 0) + more.trials))
    else:
        recipe = replace(recipe, budget=total(events, recipe.budget).extended(more))
    table = read(recipe.table)
    task = TableTask(table)
    if task.fingerprint != created["task"]["fingerprint"]:
        raise DataError("the table has changed since the run began", where=recipe.table, todo="Put it back, or search anew.")
    with opened(recipe, folder, task, checked(recipe, task), store, tell, events) as session:
        told = {"resumed": True, "started": started, "budget": _plain(recipe.budget), "extended": over}
        session.write("session", pid=os.getpid(), **told)
        session.log[:] = this_round(session.log)
        work(session, table, started - spent_s(events))


def foreseen(recipe: Recipe) -> dict[str, Any]:
    """What a search will cost in simulated time, from the table's own costs; nothing is left behind."""
    table = read(recipe.table)
    recipe = resolved(recipe, table)
    goal, _, _ = checked(recipe, TableTask(table))
    return forecast(recipe, table, goal)


def _plain(budget: Budget) -> dict[str, Any]:
    return {"seconds": budget.seconds, "trials": budget.trials}
