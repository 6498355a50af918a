"""The problem that all strategies are given: a table as a space, what counts in it, and all there is to find."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from netwright import compose
from netwright.bench.plan import Plan
from netwright.core.contracts import Prospect, Strategy
from netwright.core.metrics import Objective
from netwright.core.objectives import Goal
from netwright.core.picks import sample
from netwright.core.seeds import stream
from netwright.core.space import Space
from netwright.errors import DataError, RecipeError
from netwright.recipe import Recipe
from netwright.replay.course import epochs, sees_test
from netwright.replay.opening import Screener, resolved, space_of
from netwright.tables.changed import classes, declared, merged
from netwright.tables.read import read
from netwright.tables.regret import keeping, test_of
from netwright.tables.table import Table
from netwright.tables.task import TableTask
from netwright.tables.values import Asked

__all__ = ["EDGE", "Problem", "fitting", "posed"]

EDGE = 1.1
"""The reference point of the hypervolume, in each objective scaled to 0–1 over the true front."""


@dataclass
class Problem:
    """``classes``: of each row, the architecture that it is. ``costs``: of each architecture what the objectives come to at full
    fidelity, smaller is better, infinite where a value is missing or a limit broken; shape (architectures, objectives)."""

    plan: Plan
    table: Table
    task: TableTask
    goal: Goal
    space: Space
    screener: Screener | None
    classes: list[int]
    costs: Any = field(repr=False)

    @cached_property
    def places(self) -> dict[int, int]:
        """Of each row of the table its place."""
        return {row: place for place, row in enumerate(self.table.rows)}

    @cached_property
    def epochs(self) -> int:
        """Epochs of a full training."""
        return epochs(self.table, self.goal)

    @cached_property
    def asked(self) -> list[Asked]:
        return [self.table.asked(objective.key) for objective in self.goal.objectives]

    @cached_property
    def graded(self) -> bool:
        """Whether an objective can be seen before its training is over: one that is asked for without a budget."""
        return any(each.budget is None and (each.budgets or each.columns[0].curve) for each in self.asked)

    @cached_property
    def estimator(self) -> Any:
        """What looks trials up, in this problem's table."""
        made: Any = compose.build_estimator(Recipe(table=self.plan.table, estimator="table"))
        made.table = self.table
        return made

    @property
    def several(self) -> bool:
        return len(self.goal.objectives) > 1

    @property
    def sees_test(self) -> list[str]:
        return sees_test(self.table, self.goal)

    @cached_property
    def test(self) -> Asked | None:
        """The test column beside a single validation objective."""
        if self.several or self.asked[0].columns[0].split != "validation":
            return None
        return test_of(self.table, self.asked[0])

    @cached_property
    def tests(self) -> Any:
        """Of each architecture its cost by the test column."""
        assert self.test is not None
        return _costs(self, [(self.goal.primary, self.test)])[:, 0]

    @cached_property
    def tests_best(self) -> float:
        return float(self.tests.min())

    @cached_property
    def best(self) -> float:
        """The least cost of the first objective that there is."""
        return float(self.costs[:, 0].min())

    @cached_property
    def front(self) -> list[int]:
        """Architectures that no other beats in every objective."""
        import numpy as np

        left = np.flatnonzero(np.isfinite(self.costs).all(axis=1))
        left = left[np.lexsort(self.costs[left].T[::-1])]  # nothing dominates what stands before it
        found: list[int] = []
        while len(left):
            first, costs = self.costs[left[0]], self.costs[left]
            equal = (costs == first).all(axis=1)
            found += left[equal].tolist()
            left = left[(costs < first).any(axis=1)]
        return found

    def scaled(self, costs: Any) -> Any:
        """Costs with the true front between 0 and 1 in each objective."""
        import numpy as np

        edge = self.costs[self.front]
        low, width = edge.min(axis=0), edge.max(axis=0) - edge.min(axis=0)
        return (np.asarray(costs) - low) / np.where(width > 0, width, 1.0)

    def prospect(self) -> Prospect:
        """What strategies can plan with."""
        budget = self.plan.budget
        whole = {"queries": 1.0, "epochs": float(self.epochs), "seconds": math.inf}[budget.unit]
        trials = None if math.isinf(whole) else max(1, int(budget.amount / whole))
        found: Prospect = self.estimator.prospect(self.goal, trials=trials)
        return found

    def strategy(self, text: str, seed: int) -> Strategy:
        """A strategy by its name, wrappers and settings."""
        return compose.strategy_of(text, self.space, self.goal, seed, self.prospect())


def posed(plan: Plan) -> Problem:
    """The problem of a plan. Raises :class:`UserError` for whatever in it cannot be."""
    table = read(plan.table)
    pairs = [text.rpartition(" ") for text in plan.objectives]
    undirected = {name: verb for verb, _, name in pairs if _undirected(table, name)}
    for name in (name for name, verb in undirected.items() if not verb):
        what = f"column {name!r} of table {table.name} has no direction"
        raise RecipeError(what, todo=f"Say --maximize {name}, or --minimize {name}.")
    table = declared(table, undirected)
    numbers = classes(table, plan.distinct) if plan.distinct else list(range(len(table)))
    table = merged(table, plan.distinct) if plan.distinct else table
    recipe = resolved(_recipe(plan, "random"), table)
    task = TableTask(table)
    goal = compose.build_goal(recipe, task.known)
    space, screener = space_of(recipe, task, goal)
    sample(space, stream(0, 0, "feasible"))  # raises NoFeasible
    problem = Problem(replace(plan, objectives=recipe.objectives), table, task, goal, space, screener, numbers, None)
    problem.costs = _costs(problem, [*zip(goal.objectives, problem.asked, strict=True)])
    if math.isinf(problem.best):
        what, todo = "no row has a value", "Choose another objective."
        if goal.limits:
            what, todo = f"{what} and keeps the limits", "Loosen the limit."
        raise DataError(what, where=f"table {table.name}", todo=todo)
    return problem


def fitting(problem: Problem, text: str) -> Strategy:
    """A strategy that can serve the problem, or the sentence that says why it cannot."""
    recipe = resolved(_recipe(problem.plan, text), problem.table)
    if problems := compose.check(recipe, problem.task):
        raise RecipeError("; ".join(problems))
    return problem.strategy(text, 0)


def _recipe(plan: Plan, strategy: str) -> Recipe:
    return Recipe(table=plan.table, strategy=strategy, objectives=plan.objectives, limits=plan.limits)


def _undirected(table: Table, name: str) -> bool:
    columns = table.families.get(name)
    return columns is not None and columns[0].role != "objective"


def _costs(problem: Problem, wanted: Sequence[tuple[Objective, Asked]]) -> Any:
    """Of each architecture its costs at full fidelity, by its first row: where rows are one architecture they share values."""
    import numpy as np

    found = np.stack([o.cost(1.0) * problem.table.everywhere(asked, problem.epochs) for o, asked in wanted], axis=1)
    found[np.isnan(found).any(axis=1) | ~keeping(problem.table, problem.goal.limits, problem.epochs)] = np.inf
    _, first = np.unique(problem.classes, return_index=True)
    return found[first]
