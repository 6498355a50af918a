"""How good a row is beside the table's best and beside what random search would have come to: exact, since all is known.

The expected best of n rows drawn without replacement follows from the ranks alone, as for the budgets of Dodge et al. 2019
(arXiv:1909.03004).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from netwright.core.metrics import Constraint
from netwright.core.objectives import Goal
from netwright.tables.table import Table
from netwright.tables.values import Asked

__all__ = ["beside", "chances", "keeping", "test_of"]


def test_of(table: Table, asked: Asked) -> Asked | None:
    """The test column that belongs to a validation column: same data, same metric, same budget where it has one."""
    first = asked.columns[0]
    for name, columns in table.families.items():
        column = columns[0]
        fits = (column.dataset, column.metric) == (first.dataset, first.metric)
        if fits and column.split == "test" and column.role == "objective":
            budgets = {each.budget for each in columns}
            if asked.budget is None or asked.budget in budgets or any(each.curve for each in columns):
                return Asked(name, columns, asked.budget, None)
            if None in budgets:
                return Asked(name, columns)
    return None


def chances(rows: int, drawn: int) -> list[float]:
    """How likely the k-th best of so many rows is the best of those drawn, k from 0."""
    drawn = max(1, min(drawn, rows))
    likely, found = drawn / rows, []
    for k in range(rows - drawn + 1):
        found.append(likely)
        likely *= (rows - drawn - k) / max(1, rows - 1 - k)
    return found


def beside(table: Table, goal: Goal, row: int, drawn: int, epochs: int) -> dict[str, Any]:
    """The winner beside the table's best and the expectation of ``drawn`` random trials, for the first objective and, where the
    table has it, its test column: JSON."""
    import numpy as np

    objective = goal.primary
    asked = table.asked(objective.key)
    values = table.everywhere(asked, epochs)
    kept = ~np.isnan(values) & keeping(table, goal.limits, epochs)
    place = table.rows.index(row)
    sign = -1.0 if objective.maximize else 1.0
    order = np.argsort(np.where(kept, sign * values, np.inf), kind="stable")
    likely = np.array(chances(int(kept.sum()), drawn))

    def told(which: Asked, numbers: Any) -> dict[str, Any]:
        best = numbers[kept][np.nanargmin(sign * numbers[kept])]
        ranked = numbers[order][: len(likely)]
        known = ~np.isnan(ranked)
        random = float((likely * np.where(known, ranked, 0.0)).sum() / likely[known].sum())
        score = float(numbers[place])
        return {
            "column": which.text,
            "score": score,
            "best": float(best),
            "regret": float(sign * (score - best)),
            "random": random,
            "gain": float(sign * (random - score)),
        }

    found = {"architectures": len(table), "keeping": int(kept.sum()), "random_trials": drawn, "validation": told(asked, values)}
    test = test_of(table, asked) if asked.columns[0].split == "validation" else None
    if test is not None:
        found["test"] = told(test, table.everywhere(test, epochs))
    return found


def keeping(table: Table, limits: Sequence[Constraint], epochs: int) -> Any:
    """Which architectures keep all limits."""
    import numpy as np

    kept = np.ones(len(table), dtype=bool)
    for limit in limits:
        values = table.everywhere(table.asked(limit.key), epochs)
        with np.errstate(invalid="ignore"):
            kept &= values >= limit.bound if limit.at_least else values <= limit.bound
    return kept
