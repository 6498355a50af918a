"""The problem: what there is to find, over which architectures, in which column."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from netwright.bench.plan import Budget, Plan
from netwright.bench.problem import Problem, fitting, posed
from netwright.core.objectives import fronts
from netwright.errors import DataError, LimitError, RecipeError, UserError
from netwright.testing.tables import EPOCHS, described, rows, write

Pose = Callable[..., Problem]


def means(column: str = "val") -> list[float]:
    return [(row[f"{column}.0"][-1] + row[f"{column}.1"][-1]) / 2 for row in rows()]


def test_the_best_is_the_tables(pose: Pose) -> None:
    problem = pose()
    assert [str(o) for o in problem.goal.objectives] == ["maximize val_acc"], "the table's own objective"
    assert -problem.best == pytest.approx(max(means()))
    assert len(problem.costs) == 81
    assert problem.test is not None
    assert problem.test.text == "test_acc"
    assert -problem.tests_best == pytest.approx(max(means("test")))
    assert not problem.sees_test


def test_a_limit_shuts_out_rows(pose: Pose) -> None:
    problem = pose(limits=("latency_ms@phone<=3.05",))
    kept = [mean for mean, row in zip(means(), rows(), strict=True) if row["phone"] <= 3.05]
    assert -problem.best == pytest.approx(max(kept))
    assert -problem.best < max(means())
    assert int(np.isfinite(problem.costs).sum()) == len(kept)


def test_distinct_rows_are_one_architecture_with_their_mean(pose: Pose) -> None:
    problem = pose(distinct="class")
    by_class = {row["class"]: [] for row in rows()}
    for row, mean in zip(rows(), means(), strict=True):
        by_class[row["class"]].append(mean)
    wanted = {name: np.mean(values) for name, values in by_class.items()}
    assert len(problem.costs) == 5
    assert sorted(-problem.costs[:, 0]) == pytest.approx(sorted(wanted.values()))
    for place, row in enumerate(rows()):
        assert -problem.costs[problem.classes[place], 0] == pytest.approx(wanted[row["class"]])
    assert -problem.tests_best == pytest.approx(max(wanted.values()) - 0.02, abs=1e-6), "the test column too"


def test_a_test_column_makes_an_oracle_problem(pose: Pose) -> None:
    problem = pose(objectives=("test_acc",))
    assert problem.sees_test == ["test_acc"]
    assert problem.test is None


def test_the_front_and_the_scale_of_several_objectives(pose: Pose) -> None:
    problem = pose(objectives=("val_acc", "latency_ms@phone"))
    assert problem.several
    costs = [tuple(row) for row in problem.costs.tolist()]
    assert sorted(problem.front) == sorted(fronts(costs)[0]), "equal ones are all in it"
    scaled = problem.scaled(problem.costs[problem.front])
    assert scaled.min(axis=0) == pytest.approx([0, 0])
    assert scaled.max(axis=0) == pytest.approx([1, 1])


def test_a_missing_value_is_no_best(tmp_path: Path) -> None:
    given = rows()
    best = max(range(81), key=means().__getitem__)
    given[best]["val.0"] = given[best]["val.1"] = [0.1]  # broke off
    problem = posed(Plan(str(write(tmp_path / "t.parquet", given, described())), ("random",)))
    assert -problem.best == pytest.approx(sorted(means())[-2])


def test_what_strategies_can_plan_with(pose: Pose) -> None:
    fixed = pose(objectives=("val_acc@9",), budget=40).prospect()
    assert (fixed.full.epochs, fixed.rungs, fixed.trials, fixed.slots) == (9, (9,), 40, 1)
    free = pose(budget=Budget(90, "epochs"))
    assert free.graded
    assert (free.prospect().full.epochs, free.prospect().trials) == (EPOCHS, 10)
    assert not pose(objectives=("val_acc@3",)).graded


def test_a_column_without_direction_needs_one(pose: Pose) -> None:
    assert pose(objectives=("minimize training_s",)).best > 0
    with pytest.raises(RecipeError, match=r"no direction\. Say --maximize training_s, or --minimize training_s"):
        pose(objectives=("training_s",))


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"objectives": ("val_ac",)}, "Did you mean 'val_acc'"),
        ({"objectives": ("minimize val_acc",)}, "made large"),
        ({"distinct": "clas"}, "Did you mean 'class'"),
        ({"limits": ("latency_ms@phone<=0.5",)}, "no row has a value and keeps the limits"),
        ({"limits": ("params<=1",)}, "keeps the limits"),
        ({"table": "nasbench2O1"}, "Did you mean 'nasbench201'"),
    ],
)
def test_what_cannot_be_is_said_in_a_line(pose: Pose, given: dict[str, str], told: str) -> None:
    with pytest.raises(UserError, match=told) as raised:
        pose(**given)
    assert "\n" not in str(raised.value)
    assert isinstance(raised.value, DataError | LimitError | UserError)


def test_a_strategy_that_does_not_fit_is_refused(pose: Pose) -> None:
    fitting(pose(), "evolution[population=30,tournament=10]")
    with pytest.raises(RecipeError, match="Did you mean 'evolution'"):
        fitting(pose(), "evolutoin")
    with pytest.raises(RecipeError, match="no setting 'popul'"):
        fitting(pose(), "evolution[popul=3]")
    with pytest.raises(RecipeError, match="unknown peer"):
        fitting(pose(), "peers/nothing")
