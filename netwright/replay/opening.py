"""From a recipe to an open session over a table: its rows as a space, its metrics as a goal, a simulated clock."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from netwright import compose, opening
from netwright.core.architecture import Architecture, Signature
from netwright.core.contracts import Device, Event, Infeasible, Site, Store
from netwright.core.metrics import METRICS, Constraint
from netwright.core.objectives import Goal
from netwright.core.picks import sample
from netwright.core.seeds import stream
from netwright.core.space import Space
from netwright.core.trial import History, Measurement
from netwright.errors import DataError, NetwrightError, RecipeError
from netwright.loop import Ledger
from netwright.recipe import Budget, Recipe
from netwright.session import Session
from netwright.tables.table import Table
from netwright.tables.task import TableTask

__all__ = [
    "DEFAULT_BUDGET",
    "OPEN",
    "Checked",
    "Clock",
    "NoDevice",
    "Open",
    "Screener",
    "checked",
    "opened",
    "resolved",
    "space_of",
    "worker",
]

DEFAULT_BUDGET = Budget(trials=500)

TOGETHER = 1000
"""Events that are written to the log at once. What a crash can cost is done again, and comes out the same, within a second."""


def resolved(recipe: Recipe, table: Table) -> Recipe:
    """Fill in what the person left open, from the table."""
    if recipe.space not in ("", table.space) or recipe.of("space") not in ({}, table.settings):
        raise RecipeError(f"table {table.name} has its own space, {table.space}", todo="Leave out --space and its settings.")
    if recipe.start_with or recipe.target or recipe.test or recipe.split_by:
        raise RecipeError("a table has rows of its own", todo="Leave out --target, --test, --split-by and --start-with.")
    estimator = "table" if recipe.estimator == "train" else recipe.estimator
    objectives = recipe.objectives or (table.asked(table.default).text,)
    filled = replace(recipe, space=table.space, estimator=estimator, objectives=objectives, workers=recipe.workers or 1)
    filled = filled.with_options({"space": table.settings})
    goal = compose.build_goal(filled, table.metric)
    texts = tuple(str(objective) for objective in goal.objectives)
    limits = tuple(f"{limit.key}{'>=' if limit.at_least else '<='}{limit.bound!r}" for limit in goal.limits)
    budget = filled.budget if filled.budget != Budget() else DEFAULT_BUDGET
    return replace(filled, objectives=texts, limits=limits, budget=budget)


class Screener:
    """The limits on what is counted, as what the space accepts: what the table says of them costs nothing."""

    def __init__(self, table: Table, limits: Sequence[Constraint]) -> None:
        self.table, self.turned_away = table, 0
        self.limits = [(limit, table.asked(limit.key)) for limit in limits]

    def __call__(self, architecture: Architecture) -> Mapping[str, float]:
        try:
            row = self.table.find(architecture)
        except DataError:
            return {}  # it fails as a trial, with its reason
        values = {limit: self.table.value(row, asked, self.table.epochs) for limit, asked in self.limits}
        broken = {f"{limit.key} {v:,.6g}, over {limit}": limit.excess(v) for limit, v in values.items() if limit.excess(v) > 0}
        self.turned_away += bool(broken)
        return broken


def _counted(table: Table, limit: Constraint) -> bool:
    metric = table.asked(limit.key).columns[0].metric
    return metric in METRICS and METRICS[metric].source == "counted"


def space_of(recipe: Recipe, task: TableTask, goal: Goal) -> tuple[Space, Screener | None]:
    """The table's rows as a space: the whole, or only what was measured."""
    space, _ = compose.build_space(recipe, task.signature)
    space = replace(space, apart=True) if task.table.described.whole else space.only(task.table.traces)
    counted = [limit for limit in goal.limits if _counted(task.table, limit)]
    screener = Screener(task.table, counted) if counted else None
    return space.screened(screener), screener


Checked = tuple[Goal, Space, Screener | None]


def checked(recipe: Recipe, task: TableTask) -> Checked:
    goal = compose.build_goal(recipe, task.known)
    problems = compose.check(recipe, task)
    if problems:
        raise RecipeError("; ".join(problems))
    space, screener = space_of(recipe, task, goal)
    opening.strategy(recipe, space, goal)  # raises for a setting that cannot be
    sample(space, stream(recipe.seed, 0, "feasible"))  # raises NoFeasible before any folder is made
    return goal, space, screener


class NoDevice(Device):
    """A table's figures were measured elsewhere."""

    def refuses(self, architecture: Architecture, signature: Signature) -> Sequence[str]:
        return ()

    def profile(self, architecture: Architecture, signature: Signature) -> Measurement:
        raise NetwrightError("a table has no device to measure on")


@dataclass
class Clock:
    """Where the simulated clock of a log stands, and when its trials began."""

    now: float = 0.0
    began: dict[str, float] | None = None

    @classmethod
    def of(cls, events: Sequence[Event]) -> Clock:
        clock = cls(0.0, {})
        for event in events:
            clock.now = max(clock.now, float(event.body.get("clock", 0.0)))
            if event.kind == "started":
                assert clock.began is not None
                clock.began.setdefault(f"{event.body['number']}", clock.now)
        return clock


@dataclass
class Open:
    """What the simulated worker works with: it is in this very process, so what was proposed need not be unfolded again."""

    session: Session
    history: History


OPEN: dict[str, Open] = {}
"""By the run's folder."""


@contextlib.contextmanager
def opened(
    recipe: Recipe,
    folder: Path,
    task: TableTask,
    parts: Checked,
    store: Store,
    tell: Callable[[Event], None],
    log: Sequence[Event] = (),
) -> Iterator[Session]:
    goal, space, screener = parts
    clock = Clock.of(log)
    made = importlib.import_module("netwright.runners.simulated").SimulatedRunner
    runner = made(f"{__name__}:worker", {"run": str(folder)}, recipe.workers, start=clock.now, began=clock.began)
    strategy, estimator = opening.strategy(recipe, space, goal), compose.build_estimator(recipe)
    session = Session(recipe, folder, task, space, goal, strategy, estimator, store, runner, Ledger(), None, tell, log=list(log))
    session.screened = (lambda: screener.turned_away) if screener else (lambda: 0)
    OPEN[str(folder)] = Open(session, History())
    store.together(TOGETHER)
    try:
        yield session
    finally:
        del OPEN[str(folder)]
        runner.close()


def worker(argument: Mapping[str, Any]) -> Callable[[str, Mapping[str, Any]], Iterator[dict[str, Any]]]:
    """What the simulated runner calls once: returns what looks a trial up."""
    work_on = OPEN[argument["run"]]
    session, device, seed = work_on.session, NoDevice(), work_on.session.recipe.seed

    def work(kind: str, body: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        proposal = work_on.history.pending[int(body["number"])].proposal
        if "continues" in body:
            proposal = replace(proposal, notes={**proposal.notes, "continues": body["continues"]})
        site = Site(session.task, device, session.store, session.goal, seed, int(body.get("root", body["number"])))
        try:
            for measurement in session.estimator.estimate(proposal, site):
                yield {"kind": "measured", "body": measurement.to_json()}
        except Infeasible as broken:
            yield {"kind": "infeasible", "reason": str(broken), "body": broken.measurement.to_json()}
        except NetwrightError as error:
            yield {"kind": "failed", "reason": str(error), "body": {}}
        else:
            yield {"kind": "finished", "body": {}}

    return work
