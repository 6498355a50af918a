"""Ladders of fidelities, what the inner strategy sees, who may go on, and what is compared with what."""

from __future__ import annotations

from typing import Any

import pytest

from netwright.core.contracts import Prospect
from netwright.core.metrics import parse_objective
from netwright.core.objectives import Goal
from netwright.core.picks import sample
from netwright.core.rungs import Ladder, Ranking, hopeless, view
from netwright.core.seeds import stream
from netwright.core.trial import Fidelity, History, Measurement, Proposal, Trial, longest
from netwright.errors import RecipeError
from netwright.testing.strategy import SPACES

GOAL = Goal((parse_objective("accuracy"),))
ARCHITECTURES = [sample(SPACES["cell"], stream(0, k, "test")) for k in range(9)]


def ladder(full: int = 9, rungs: tuple[int, ...] = (), eta: int = 3, most: int = 4) -> Ladder:
    return Ladder(Prospect(Fidelity(full), rungs), eta, most, "test")


@pytest.mark.parametrize(
    ("full", "rungs", "eta", "epochs"),
    [
        (200, (), 3, (7, 22, 66, 200)),
        (12, (), 3, (1, 4, 12)),
        (1, (), 3, (1,)),
        (108, (4, 12, 36, 108), 3, (4, 12, 36, 108)),
        (108, (4, 12, 36, 108), 4, (12, 108)),
        (200, (12, 200), 3, (12, 200)),
        (200, (90, 100, 200), 2, (100, 200)),
        (36, (4, 12, 36, 108), 3, (4, 12, 36)),
    ],
)
def test_rungs_are_at_least_eta_apart(full: int, rungs: tuple[int, ...], eta: int, epochs: tuple[int, ...]) -> None:
    assert ladder(full, rungs, eta).epochs == epochs


def test_one_rung_is_said() -> None:
    assert "one rung" in ladder(108, (108,)).remark
    assert not ladder().remark


@pytest.mark.parametrize("given", [{"eta": 1}, {"most": 0}])
def test_settings_that_cannot_be(given: dict[str, int]) -> None:
    with pytest.raises(RecipeError, match="do not fit"):
        ladder(**given)


def test_a_fidelity_knows_its_whole() -> None:
    assert Fidelity(4, of=12).to_json() == {"epochs": 4, "of": 12}
    assert Fidelity.from_json({"epochs": 4, "of": 12}) == Fidelity(4, of=12)
    assert Fidelity(12, of=12) == Fidelity(12)
    assert Fidelity(4, of=12).planned == Fidelity(12).planned == 12
    assert Fidelity(4, of=12).reach < Fidelity(6, of=12).reach < Fidelity(2).reach


def ended(history: History, proposal: Proposal, accuracy: float | None, **given: Any) -> Trial:
    """Propose it, and let it end with a value, or fail."""
    trial = Trial(history.next_number, proposal)
    history.propose(trial)
    if accuracy is not None:
        trial = trial.measured(Measurement({"accuracy": accuracy}, proposal.fidelity, **given))
    trial = trial.ended("failed" if accuracy is None else "finished")
    history.update(trial)
    return trial


def climbed() -> tuple[Ladder, History]:
    """Six on the first rung, of which two went on to the second and one is under way there; one failed."""
    steps, history = ladder(9, (1, 3, 9)), History()
    first = [ended(history, steps.start(Proposal(a), 0), 0.1 * k) for k, a in enumerate(ARCHITECTURES[:6])]
    ended(history, steps.step(first[5], 1), 0.7)
    ended(history, steps.step(first[4], 1), 0.8)
    history.propose(Trial(8, steps.step(first[3], 1)))
    ended(history, steps.start(Proposal(ARCHITECTURES[6]), 0), None)
    return steps, history


def test_history_knows_rungs_roots_and_what_went_on() -> None:
    _, history = climbed()
    assert {epochs: [t.number for t in trials] for epochs, trials in history.rungs.items()} == {1: [0, 1, 2, 3, 4, 5], 3: [6, 7]}
    assert history.continued == {3, 4, 5}
    assert [history.root(n) for n in (0, 5, 6, 7, 8)] == [0, 5, 5, 4, 3]
    again = History(history.ended, [*history.pending.values()])
    assert again.rungs == history.rungs
    assert again.continued == history.continued
    assert [again.root(n) for n in (6, 7, 8)] == [5, 4, 3]


def test_the_inner_strategy_sees_the_highest_rung_with_enough() -> None:
    steps, history = climbed()
    high = view(history, steps, 2, 20)
    assert {t.number: t.values["accuracy"] for t in high.finished} == {5: 0.7, 4: 0.8}, "under their first numbers"
    assert [t.number for t in high.ended if t.state == "failed"] == [9]
    assert list(high.pending) == [3]
    assert high.next_number == 20
    low = view(history, steps, 3, 20)
    assert [t.number for t in low.finished] == [0, 1, 2, 3, 4, 5]
    for seen in (high, low):
        assert seen.traces == history.traces, "what was proposed stays known"
        assert {a.trace for a in seen.architectures} == history.traces
        assert len({t.number for t in seen}) == len(list(seen)), "one trial for each architecture"


def test_a_ranking_takes_in_what_comes_and_starts_anew_for_other_trials() -> None:
    _, history = climbed()
    there, ranking = history.rungs[1], Ranking(GOAL)
    assert [t.number for t in ranking.of(there[:3])] == [2, 1, 0]
    assert [t.number for t in ranking.of(there)] == [5, 4, 3, 2, 1, 0]
    assert [t.number for t in ranking.of(history.rungs[3])] == [7, 6]


def test_beginnings_are_not_compared_with_the_whole() -> None:
    steps, history = climbed()
    assert [t.number for t in longest(history.finished)] == [6, 7]
    ended(history, steps.step(history[6], 2), 0.6)
    assert [t.number for t in longest(history.finished)] == [10]
    assert longest([]) == []


def test_hopeless_is_what_a_forecast_says_cannot_win() -> None:
    steps, history = climbed()
    ended(history, steps.step(history[6], 2), 0.9)

    def told(low: float, high: float, goal: Goal = GOAL) -> bool:
        note = {"forecast": {"metric": "accuracy", "low": low, "high": high, "at": 9}}
        return hopeless(Trial(11, Proposal(ARCHITECTURES[7])).measured(Measurement({}, Fidelity(1), notes=note)), history, goal)

    assert told(0.5, 0.89)
    assert not told(0.5, 0.91)
    assert not told(0.5, 0.89, Goal((*GOAL.objectives, parse_objective("latency_ms")))), "it may win otherwise"
    assert not hopeless(history[5], history, GOAL), "nothing was foretold"
