"""The course of a run over a table: forecast, search, winner, then once the table's test column, and a report.

Nothing is trained, so there is no final training and no control arm: the winner by validation is looked up in the table's test
column, beside the table's best and what random search would have come to at the same cost.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from netwright.core.architecture import Architecture
from netwright.core.objectives import Goal
from netwright.core.trial import Fidelity, History, longest
from netwright.errors import DataError, NoFeasible
from netwright.loop import Loop, read_history
from netwright.recipe import Recipe
from netwright.replay.opening import OPEN
from netwright.session import Session
from netwright.tables.regret import beside
from netwright.tables.table import Table

__all__ = ["epochs", "forecast", "metrics", "sees_test", "work"]

_STOPPED = {
    "deadline": "the simulated time was up",
    "trials": "all trials of the budget were made",
    "done": "the strategy had nothing more to try",
}


def metrics(table: Table, goal: Goal) -> dict[str, Any]:
    """What the log must know to compare trials: the goal's metrics."""
    keys = [*(o.key for o in goal.objectives), *(limit.key for limit in goal.limits)]
    found = {key: table.metric(key) for key in keys}
    return {key: {"direction": metric.direction, "unit": metric.unit} for key, metric in found.items()}


def sees_test(table: Table, goal: Goal) -> list[str]:
    """Objectives and limits on test columns, asked for by name: the search sees them, and the run says so."""
    keys = dict.fromkeys([*(o.key for o in goal.objectives), *(limit.key for limit in goal.limits)])
    return [key for key in keys if table.asked(key).columns[0].split == "test"]


def forecast(recipe: Recipe, table: Table, goal: Goal) -> dict[str, Any]:
    trial_s = _random_s(recipe, table, goal)
    budget, workers = recipe.budget, recipe.workers
    trials = budget.trials
    if budget.seconds is not None:
        trials = min(trials or 10**9, int(budget.seconds * workers / trial_s))
    return {
        "trials": trials,
        "trial_s": round(trial_s, 3),
        "search_s": round((trials or 0) * trial_s / workers, 1),
        "epochs": epochs(table, goal),
        "simulated": True,
        "cost_known": bool(table.costs),
    }


def epochs(table: Table, goal: Goal) -> int:
    """Epochs of a full trial: those that the objectives name, or the table's longest training."""
    named = [table.asked(objective.key).budget for objective in goal.objectives]
    return table.epochs if any(budget is None for budget in named) else max(budget or 0 for budget in named)


def _random_s(recipe: Recipe, table: Table, goal: Goal) -> float:
    """Mean seconds of a full trial of an architecture drawn at random."""
    asked = table.asked(goal.primary.key)
    unknown = float(recipe.of("estimator").get("cost_s", 1.0))
    rows = table.rows[:: max(1, len(table) // 500)]
    spent = [table.seconds(row, epochs(table, goal), asked.columns[0].dataset, asked.seed, unknown) for row in rows]
    return sum(spent) / len(spent)


def work(session: Session, table: Table, began: float) -> None:
    """Search, fix the winner, look up its test column, report. ``began``: as if the run had been worked on without a break."""
    try:
        history = _search(session, table)
        _conclude(session, table, history)
        _finish(session, len(history.ended), began)
    except KeyboardInterrupt:
        session.write("stopped", reason="interrupted", text="stopped by hand")
        raise


def _search(session: Session, table: Table) -> History:
    if not session.of("forecast"):
        session.write("forecast", **forecast(session.recipe, table, session.goal))
    history = OPEN[str(session.folder)].history = read_history(session.log, session.space)
    if session.of("winner"):
        return history
    runner: Any = session.runner
    loop = Loop(
        session.space, session.goal, session.strategy, session.runner, session.store, history,
        Fidelity(epochs(table, session.goal)), session.recipe.budget.trials, session.recipe.budget.seconds,
        screened=session.screened, ledger=session.ledger, tell=session.noted,
        clock=lambda: float(runner.now), patience_s=float("inf"), name=lambda architecture: _named(table, architecture),
    )  # fmt: skip
    reason = loop.run()
    session.write("stopped", reason=reason, text=_STOPPED[reason], clock=round(runner.now, 3))
    return history


def _named(table: Table, architecture: Architecture) -> str:
    """The number of its row: shorter to find than the digest of a graph that nobody lays."""
    try:
        return f"{table.find(architecture)}"
    except DataError:
        return architecture.id


def _conclude(session: Session, table: Table, history: History) -> None:
    """The winner by validation among what was trained longest, then, once, the table's test column."""
    goal = session.goal
    met = [trial for trial in history.finished if goal.met(trial)]
    met = longest(met)
    if not met:
        limits = ", ".join(str(limit) for limit in goal.limits) or "the objectives"
        raise NoFeasible(f"no trial of {len(history)} met {limits}", where=str(session.folder), todo="Loosen the limit.")
    best = goal.front(met)[0]
    architecture = best.architecture
    if not session.of("winner"):
        why = f"the best {goal.primary.key} of {len(met)} trials" + (f" after {best.epochs} epochs" if best.epochs else "")
        trace = {path: list(a) if isinstance(a, tuple) else a for path, a in architecture.trace}
        session.write("winner", number=best.number, id=_named(table, architecture), trace=trace, values=best.values, why=why)
    if session.of("result"):
        return
    spent = sum(trial.seconds for trial in history.ended)
    drawn = min(len(table), max(1, int(spent / _random_s(session.recipe, table, goal) + 1e-9)))
    found = beside(table, goal, table.find(architecture), drawn, epochs(table, goal))
    if "test" in found:
        session.write("unsealed", split="test", table=table.name, column=found["test"]["column"], rows=None)
    told = found.get("test", found["validation"])
    verdict = _verdict(found, table, sees_test(table, goal))
    session.write("result", metric=told["column"], score=told["score"], gain=told["gain"], verdict=verdict, table=found)


def _verdict(found: Mapping[str, Any], table: Table, seen: Sequence[str]) -> str:
    told = found.get("test", found["validation"])
    gain, regret = told["gain"], told["regret"]
    best = f"{regret:.4g} short of the best of {found['keeping']:,}, {told['best']:.5g}" if regret > 0 else "the best there is"
    if regret < 0:
        best = f"{-regret:.4g} better than the best by validation"
    beyond = f"{abs(gain):.4g} {'better' if gain > 0 else 'worse'} than"
    random = "as good as" if gain == 0 else beyond
    text = (
        f"{told['column']} {told['score']:.5g}: {best}; {random} {found['random_trials']:,} random trials, which cost the same "
        f"and are expected to reach {told['random']:.5g}"
    )
    if seen:
        text += f". The search saw {', '.join(seen)}, which is measured on test data"
    return text


def _finish(session: Session, trials: int, began: float) -> None:
    from netwright.report import page

    session.ledger.turn("report")
    spent = session.ledger.totals()
    session.write(
        "finished",
        wall_s=round(time.time() - began, 2),
        search_s=round(spent.get("busy", 0.0) + spent.get("idle", 0.0), 2),
        overhead_s=0.0,
        trials=trials,
        spent=spent,
        simulated_s=round(float(getattr(session.runner, "now", 0.0)), 3),
    )
    page.write(session.log, session.folder, running=False)
