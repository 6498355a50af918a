"""The estimator that looks up: rungs, costs, limits, repetitions, misses; and the kit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from netwright.core.architecture import Architecture
from netwright.core.contracts import Infeasible, Site
from netwright.core.metrics import parse_limit, parse_objective
from netwright.core.objectives import Goal
from netwright.core.picks import replayed, sample
from netwright.core.seeds import stream
from netwright.core.trial import Fidelity, Measurement, Proposal
from netwright.errors import DataError, RecipeError
from netwright.estimators.table import Table
from netwright.registry import module
from netwright.replay.opening import NoDevice
from netwright.stores.memory import MemoryStore
from netwright.tables.read import read
from netwright.tables.task import TableTask
from netwright.testing import estimator as kit
from netwright.testing.tables import described, rows, tiny, write

pytest.importorskip("pyarrow", reason="reading tables needs pyarrow: pip install 'netwright[data]'")

HEAVY = 80
"""The row of the largest cell."""


@pytest.fixture
def file(tmp_path: Path) -> str:
    return str(tiny(tmp_path))


def site(file: str, *objectives: str, limits: tuple[str, ...] = (), seed: int = 0) -> Site:
    table = read(file)
    goal = Goal(
        tuple(parse_objective(text, None, table.metric) for text in objectives),
        tuple(parse_limit(text, table.metric) for text in limits),
    )
    return Site(TableTask(table), NoDevice(), MemoryStore(), goal, seed, 3)


def architecture(file: str, place: int = HEAVY) -> Architecture:
    table = read(file)
    return replayed(module("spaces", table.space).space(table.signature, **table.settings), table.traces[place])


def measured(file: str, where: Site, epochs: int | None = None, of: int = 0, after: int = 0, **options: Any) -> list[Measurement]:
    fidelity = None if epochs is None else Fidelity(epochs, of=of)
    notes = {"continues": {"number": 0, "epochs": after, "checkpoint": "", "values": {}}} if after else {}
    return list(Table(table=file, **options).estimate(Proposal(architecture(file), fidelity, notes=notes), where))


@pytest.mark.parametrize("objectives", [("val_acc",), ("val_acc@5", "latency_ms@phone"), ("params",), ("val_acc#1",)])
def test_conformance(file: str, objectives: tuple[str, ...]) -> None:
    kit.check_all(Table(table=file), Proposal(architecture(file)), site(file, *objectives))


def test_a_curve_comes_at_a_ninth_a_third_and_the_whole_and_costs_what_it_took(file: str) -> None:
    row, found = rows()[HEAVY], measured(file, site(file, "val_acc"))
    assert [m.fidelity.epochs for m in found if m.fidelity] == [1, 3, 9]
    assert [m.values["val_acc"] for m in found] == [pytest.approx((row["val.0"][e] + row["val.1"][e]) / 2) for e in (0, 2, 8)]
    each = row["seconds.0"][0]
    assert [m.cost["train"] for m in found] == [pytest.approx(each * n) for n in (1, 2, 6)]


def test_the_fidelity_says_how_far_it_goes(file: str) -> None:
    assert [m.fidelity.epochs for m in measured(file, site(file, "val_acc"), 6) if m.fidelity] == [1, 2, 6]


def test_a_step_on_a_curve_is_measured_at_its_end_and_costs_the_rest(file: str) -> None:
    each = rows()[HEAVY]["seconds.0"][0]
    (first,) = measured(file, site(file, "val_acc"), 3, of=9)
    (second,) = [m for m in measured(file, site(file, "val_acc"), 9, after=3) if m.fidelity]
    assert [m.fidelity for m in (first, second)] == [Fidelity(3, of=9), Fidelity(9)]
    assert [m.cost["train"] for m in (first, second)] == [pytest.approx(3 * each), pytest.approx(6 * each)]
    assert Table(table=file).rungs(site(file, "val_acc").goal) == ()
    assert Table(table=file).rungs(site(file, "val_acc@4").goal) == (4,)


def test_a_named_budget_is_one_training_of_that_length(file: str) -> None:
    (only,) = measured(file, site(file, "val_acc@4"))
    assert only.fidelity == Fidelity(4)
    assert only.cost["train"] == pytest.approx(4 * rows()[HEAVY]["seconds.0"][0])


def test_budgets_without_a_curve_are_trainings_of_their_own(tmp_path: Path) -> None:
    some = [{"arch": row["arch"], "acc_4": row["val.0"][3], "acc_8": row["val.0"][7], "s": 80.0} for row in rows()]
    columns = [
        {"pattern": r"acc_(?P<n>\d)", "name": "val_acc", "metric": "accuracy", "budget": "{n}", "split": "validation"},
        {"field": "s", "role": "cost", "budget": 8},
    ]
    file = str(write(tmp_path / "own.parquet", some, described(columns=columns, name="own")))
    (only,) = measured(file, site(file, "val_acc"))
    assert (only.fidelity, only.cost["train"]) == (Fidelity(8), 80.0), "the shorter one would cost 40 more"
    (shorter,) = measured(file, site(file, "val_acc"), 5)
    assert (shorter.fidelity, shorter.cost["train"]) == (Fidelity(4, of=5), 40.0)
    assert Table(table=file).rungs(site(file, "val_acc").goal) == (4, 8)
    (further,) = measured(file, site(file, "val_acc"), after=4)
    assert further.cost["train"] == 80.0, "it cannot be gone on with"
    with pytest.raises(DataError, match=r"nothing was measured after 2 epochs.*The least is 4"):
        measured(file, site(file, "val_acc"), 2)


def test_what_needs_no_training_comes_first_and_costs_nothing(file: str) -> None:
    first, *_ = measured(file, site(file, "val_acc", "latency_ms@phone", limits=("params<=100k",)))
    assert set(first.values) == {"latency_ms@phone", "params"}
    assert not first.cost


def test_where_nothing_is_trained_a_trial_is_a_measurement(file: str) -> None:
    (only,) = measured(file, site(file, "latency_ms@phone"), cost_s=7.0)
    assert only.cost == {"measure": 7.0}


def test_a_broken_limit_ends_it_before_it_is_trained(file: str) -> None:
    kit.check_infeasible(Table(table=file), Proposal(architecture(file)), site(file, "val_acc", limits=("latency_ms@phone<=2",)))
    with pytest.raises(Infeasible, match=r"latency_ms@phone 5\.3 > 2"):
        measured(file, site(file, "val_acc", limits=("latency_ms@phone<=2",)))


def test_repetitions_are_averaged_or_drawn(file: str) -> None:
    row = rows()[HEAVY]
    drawn = {measured(file, site(file, "val_acc@9", seed=seed), seeds="draw")[0].values["val_acc@9"] for seed in range(12)}
    assert drawn == {row["val.0"][8], row["val.1"][8]}


def test_a_missing_value_is_an_error_that_names_the_key(tmp_path: Path) -> None:
    some = rows()
    some[HEAVY]["phone"] = None
    file = str(write(tmp_path / "hole.parquet", some, described(name="hole")))
    with pytest.raises(DataError, match=r"table hole: it has no latency_ms@phone for arch '\|nor_conv_3x3"):
        measured(file, site(file, "latency_ms@phone"))


def test_an_architecture_that_was_not_measured_is_an_error(file: str) -> None:
    table = read(file)
    space = module("spaces", table.space).space(table.signature)
    with pytest.raises(DataError, match="no row with arch"):
        list(Table(table=file).estimate(Proposal(sample(space, stream(0, 1, "test"))), site(file, "val_acc")))


@pytest.mark.parametrize("options", [{}, {"table": "x", "seeds": "all"}, {"table": "x", "cost_s": 0.0}])
def test_settings_that_cannot_be(options: dict[str, Any]) -> None:
    with pytest.raises(RecipeError):
        Table(**options)
