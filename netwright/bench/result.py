"""A whole bench: searches, what they came to, and how the strategies compare; as JSON, a Parquet file and a page."""

from __future__ import annotations

import importlib
import math
import os
import platform
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from netwright.bench.compare import comparisons
from netwright.bench.files import written
from netwright.bench.log import Log, written_to
from netwright.bench.measure import Course, course, enough, summary
from netwright.bench.plan import Plan
from netwright.bench.problem import Problem, fitting, posed
from netwright.bench.work import State, searched
from netwright.core.contracts import short
from netwright.errors import RecipeError
from netwright.recipe import environment

__all__ = ["Bench", "Opened", "cores", "kept", "opened", "run"]


@dataclass
class Opened:
    """A bench that can begin. ``warnings``: to be said before; ``remarks``: what each strategy says of how it will search."""

    problem: Problem
    warnings: list[str]
    remarks: dict[str, list[str]]


@dataclass
class Bench:
    """``told``: everything that was found, as JSON."""

    problem: Problem
    folder: Path
    courses: dict[str, list[Course]]
    told: dict[str, Any]


def opened(plan: Plan, workers: int = 0) -> Opened:
    """The problem of a plan, and whether each strategy can serve it. Raises :class:`UserError` for what cannot be."""
    if plan.seeds < 1 or not 0 <= plan.first < 2**62:
        raise RecipeError(f"{plan.seeds} seeds from {plan.first} on cannot be", todo="Use --seeds 1 or more, --seed 0 or more.")
    if workers < 0:
        raise RecipeError(f"{workers} workers cannot be", todo="Use --workers 1 or more; 0 chooses.")
    if not 0 <= plan.within < math.inf:
        raise RecipeError(f"within {plan.within} cannot be", todo="Use a distance from 0 in the objective's unit.")
    twice = [text for text in plan.strategies if plan.strategies.count(text) > 1]
    if twice or not all(plan.strategies):
        what = "one of them has no name" if not all(plan.strategies) else f"{twice[0]!r} is named twice"
        raise RecipeError(f"strategies {', '.join(plan.strategies)!r}: {what}", todo='Write --strategies "random,evolution".')
    found = Opened(posed(plan), [], {})
    most = len(found.problem.costs)
    if plan.budget.unit == "queries" and plan.budget.amount > most:
        found.warnings.append(f"the table has {most:,} architectures: a search ends when all of them were asked for")
    if plan.within and found.problem.several:
        raise RecipeError("within is for one objective", where="bench", todo="Leave --within out.")
    for text in plan.strategies:
        strategy = fitting(found.problem, text)
        if told := short(strategy, found.problem.prospect().trials):
            found.warnings.append(f"{text}: {told}")
        found.remarks[text] = [*strategy.remarks()]
    return found


def kept(begun: Opened, out: Path | None) -> Log:
    """Where searches are kept: in the folder that is asked for, or in a new one beside the runs."""
    plan = begun.problem.plan
    if out is None:
        made: Any = importlib.import_module("netwright.stores.folders")
        out = made.new_run_folder(Path(environment("NETWRIGHT_RUNS")), f"bench-{Path(plan.table).stem}")
    log = Log(out, plan, begun.problem.task.fingerprint)
    if log.unread:
        many = "one line of it" if log.unread == 1 else f"{log.unread} lines of it"
        begun.warnings.append(f"{log.path.name}: {many} cannot be read; what stood there is searched again")
    return log


def run(begun: Opened, log: Log, workers: int, tell: Callable[[State], None]) -> Bench:
    """Search what was not searched yet, and say what came of it."""
    problem, place = begun.problem, log.path.parent
    played = searched(problem.plan, log, workers, tell)
    courses: dict[str, list[Course]] = {text: [] for text in problem.plan.strategies}
    for each in played:
        courses[each.strategy].append(course(problem, each))
    told: dict[str, Any] = {
        "problem": described(problem),
        "warnings": begun.warnings,
        "strategies": [{**summary(problem, some), "remarks": begun.remarks.get(text, [])} for text, some in courses.items()],
        "comparisons": comparisons(courses, problem.plan.budget.amount, enough(problem)),
    }
    with written_to(place):
        written(place, problem, played, courses, told)
    return Bench(problem, place, courses, told)


def described(problem: Problem) -> dict[str, Any]:
    """The problem, as JSON: never a figure without its table, its metric and the number of its architectures."""
    import numpy as np

    plan, table = problem.plan, problem.table
    known = np.isfinite(problem.costs).all(axis=1)
    told: dict[str, Any] = {
        "table": plan.table,
        "title": table.described.title,
        "fingerprint": problem.task.fingerprint,
        "objectives": [str(objective) for objective in problem.goal.objectives],
        "limits": [str(limit) for limit in problem.goal.limits],
        "distinct": plan.distinct or None,
        "within": plan.within,
        "rows": len(table),
        "architectures": len(known),
        "with_a_value": int(known.sum()),
        "oracle": problem.sees_test,
        "budget": {"amount": plan.budget.amount, "unit": plan.budget.unit},
        "seeds": plan.seeds,
        "first_seed": plan.first,
    }
    if problem.several:
        told["front"] = len(problem.front)
    else:
        sign = -1.0 if problem.goal.primary.maximize else 1.0
        told["best"] = sign * problem.best
        told["best_rows"] = int(sum(problem.costs[place, 0] == problem.best for place in problem.classes))
        told["test"] = problem.test.text if problem.test else None
    return told | {"versions": versions(plan)}


def versions(plan: Plan) -> dict[str, str]:
    """Of everything that a figure may hang on."""
    names = ["netwright", "numpy", "scipy", "scikit-learn", "torch"]
    if any("peers/" in text or "optuna" in text for text in plan.strategies):
        names += ["optuna", "smac", "pymoo", "syne-tune", "neural-pipeline-search", "ConfigSpace"]
    found = {"python": platform.python_version()}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def cores() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
