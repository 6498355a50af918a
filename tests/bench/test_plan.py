"""What a bench is asked: budgets as people write them, and a plan as JSON."""

from __future__ import annotations

import json

import pytest

from netwright.bench.plan import Budget, Plan, parse
from netwright.errors import RecipeError


@pytest.mark.parametrize(
    ("text", "budget"),
    [
        ("150", Budget(150)), ("150 trials", Budget(150)), ("1 query", Budget(1)), ("2,000 queries", Budget(2000)),
        ("5000 epochs", Budget(5000, "epochs")), ("5_000epochs", Budget(5000, "epochs")), ("20h", Budget(72000, "seconds")),
        ("1h30m", Budget(5400, "seconds")),
    ],
)  # fmt: skip
def test_a_budget_is_read(text: str, budget: Budget) -> None:
    assert parse(text) == budget


@pytest.mark.parametrize("text", ["", "0", "-5", "1.5", "x", "12 miles", "0 epochs", "10 trials,5m 3"])
def test_what_is_no_budget_is_said_in_a_line(text: str) -> None:
    with pytest.raises(RecipeError, match="budget") as raised:
        parse(text)
    assert '"5000 epochs"' in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_plan_comes_back_from_json() -> None:
    plan = Plan("t", ("a", "b[c=1]"), ("minimize x",), ("x<=3",), "same", Budget(9, "epochs"), 0.2, 7, 3)
    assert Plan.from_json(json.loads(json.dumps(plan.to_json()))) == plan


def test_strategies_and_seeds_are_no_part_of_the_problem() -> None:
    one, other = Plan("t", ("a",), seeds=3), Plan("t", ("a", "b"), seeds=9, first=4, within=0.1)
    assert one.problem() == other.problem()
    assert one.problem() != Plan("t", ("a",), budget=Budget(7)).problem()
