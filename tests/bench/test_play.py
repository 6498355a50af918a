"""One search: what counts as a query, what it costs, and that it is the search that anybody gets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

import netwright
from netwright.bench.plan import Budget
from netwright.bench.play import REPEATS, Played, play
from netwright.bench.problem import Problem
from netwright.core.contracts import Strategy
from netwright.core.picks import replayed, sample
from netwright.core.seeds import stream
from netwright.core.trial import Fidelity, History, Proposal
from netwright.testing.tables import EPOCHS, rows

Pose = Callable[..., Problem]


class Scripted(Strategy):
    """Proposes rows in the order of a list, each at a fidelity or in full."""

    def __init__(self, problem: Problem, script: Sequence[int | tuple[int, int] | tuple[int, int, int]]) -> None:
        self.problem, self.script = problem, script

    def ask(self, history: History, slots: int) -> Sequence[Proposal]:
        if history.next_number >= len(self.script):
            return []
        step = self.script[history.next_number]
        place, epochs, continues = (*((step,) if isinstance(step, int) else step), None, None)[:3]
        found = replayed(self.problem.space, self.problem.table.traces[place])
        fidelity = Fidelity(epochs, of=EPOCHS) if epochs else None
        return [Proposal(found, fidelity, continues)]


def scripted(problem: Problem, script: Sequence[Any]) -> Played:
    problem.strategy = lambda text, seed: Scripted(problem, script)  # type: ignore[method-assign]
    return play(problem, "scripted", 0)


def test_a_query_is_a_row_that_is_new(pose: Pose) -> None:
    played = scripted(pose(budget=4, objectives=("val_acc@9",)), [5, 5, 7, 5, 7, 9, 1, 2])
    assert played.row == [5, 7, 9, 1]
    assert played.query == [1, 2, 3, 4]
    assert played.trials == 7, "what was known already costs no query"
    assert played.ended == "budget"
    row = rows()[7]
    assert played.values[1] == [pytest.approx((row["val.0"][-1] + row["val.1"][-1]) / 2)]


def test_distinct_architectures_are_counted_and_seen_as_one(pose: Pose) -> None:
    same = [place for place, row in enumerate(rows()) if row["class"] == "2"][:3]
    other = next(place for place, row in enumerate(rows()) if row["class"] == "3")
    problem = pose(budget=2, distinct="class", objectives=("val_acc@9",))
    played = scripted(problem, [*same, other])
    assert played.row == [same[0], other]
    assert played.values[0] == [pytest.approx(-problem.costs[problem.classes[same[0]], 0])], "the mean of its class"


def test_a_strategy_that_only_repeats_is_ended(pose: Pose) -> None:
    played = scripted(pose(budget=5, objectives=("val_acc@9",)), [3] * 1000)
    assert (played.ended, played.trials, played.row) == ("repeats", REPEATS * 5, [3])


def test_a_strategy_that_has_no_more_is_ended(pose: Pose) -> None:
    played = scripted(pose(budget=5, objectives=("val_acc@9",)), [3, 4])
    assert (played.ended, played.row) == ("done", [3, 4])


def test_what_breaks_a_limit_is_a_query_without_a_value(pose: Pose) -> None:
    phone = [row["phone"] for row in rows()]
    slow, quick = phone.index(max(phone)), phone.index(min(phone))
    played = scripted(pose(budget=2, objectives=("val_acc@9",), limits=("latency_ms@phone<=3",)), [slow, quick])
    assert played.row == [slow, quick]
    assert played.values[0] is None
    assert played.values[1] is not None


def test_what_the_table_has_not_is_a_query_that_fails(pose: Pose) -> None:
    problem = pose(budget=2, objectives=("val_acc@9",))
    held = {frozenset(trace.items()) for trace in problem.table.traces}
    whole = problem.table.whole_space()
    foreign = next(a for k in range(99) if frozenset((a := sample(whole, stream(0, k, "test"))).trace) not in held)
    scripts = Scripted(problem, [0, 3])
    ask = scripts.ask
    scripts.ask = lambda history, slots: [Proposal(foreign)] if len(history) == 0 else ask(history, slots)  # type: ignore[method-assign]
    problem.strategy = lambda text, seed: scripts  # type: ignore[method-assign]
    played = play(problem, "scripted", 0)
    assert (played.row, played.query) == ([-1, 3], [1, 2])
    assert played.values[0] is None


def test_epochs_are_counted_and_going_on_costs_the_rest(pose: Pose) -> None:
    played = scripted(pose(budget=Budget(30, "epochs")), [(4, 1), (6, 3), (4, 3, 0), (4, 9, 2), (4, 9), (8, 9)])
    steps = [(4, 1), (6, 3), (4, 3), (4, 9), (8, 1), (8, 3), (8, 9)]
    assert [*zip(played.row, played.epochs, strict=True)] == steps, "a full training is seen on its way"
    assert played.cost == [1, 4, 6, 12, 22, 24, 30], "1, 3, 3 - 1, 9 - 3, all 9 once more, which was known already, and 9"
    assert [values is not None for values in played.values] == [epochs == 9 for _, epochs in steps], "only full trainings count"


def test_seconds_are_the_tables(pose: Pose) -> None:
    played = scripted(pose(budget=Budget(1e4, "seconds"), objectives=("val_acc@9",)), [0, 80])
    heavy = [int(row["class"]) for row in rows()]
    assert played.cost == pytest.approx([9 * (10 + heavy[0]), 9 * (20 + heavy[0] + heavy[80])])


@pytest.mark.parametrize("strategy", ["random", "evolution", "asha(random)"])
def test_a_seed_gives_the_same_search_again(pose: Pose, strategy: str) -> None:
    problem = pose(budget=30)
    one, again, other = (play(problem, strategy, seed) for seed in (3, 3, 4))
    assert (one.row, one.values, one.cost) == (again.row, again.values, again.cost)
    assert one.row != other.row
    assert one.query[-1] == 30


def test_it_is_the_search_that_anybody_gets(pose: Pose, table: Path, tmp_path: Path) -> None:
    played = play(pose(budget=25, objectives=("val_acc@9",)), "evolution[population=8]", 5)
    run = netwright.search(
        table=table, objectives=["maximize val_acc@9"], strategy="evolution", options={"strategy": {"population": 8}},
        seed=5, budget="25 trials", out=tmp_path / "run",
    )  # fmt: skip
    tried = [int(event.body["id"]) for event in run.events() if event.kind == "proposed"]
    assert played.row == list(dict.fromkeys(tried))[:25]


def test_the_strategys_time_is_its_own(pose: Pose) -> None:
    played = play(pose(budget=20), "random", 0)
    assert all(ms >= 0 for ms in played.ask_ms)
    assert 0 < sum(played.ask_ms) / 1000 < played.seconds
