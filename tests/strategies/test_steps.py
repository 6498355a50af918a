"""Who goes on: asha, halving and hyperband on toy landscapes, with several objectives, failures, and trials under way."""

from __future__ import annotations

from collections import Counter

import pytest

from netwright.core.contracts import Prospect, Strategy
from netwright.core.objectives import Goal
from netwright.core.picks import sample
from netwright.core.seeds import stream
from netwright.core.space import Space
from netwright.core.trial import FINISHED, Fidelity, History, Proposal, Trial
from netwright.errors import RecipeError
from netwright.strategies.asha import Asha
from netwright.strategies.halving import Halving
from netwright.strategies.hyperband import Hyperband
from netwright.testing import strategy as kit
from netwright.testing.playing import made, played

SPACE = kit.SPACES["cell"]
ONE = kit.goals()["one"]


def run(text: str, trials: int, goal: Goal = ONE, slots: int = 1, seed: int = 0) -> History:
    return played(made(text, slots=slots)(SPACE, goal, seed), goal, trials, slots=slots, measure=kit.toy)


def epochs(history: History) -> dict[int, int]:
    return dict(Counter(t.proposal.fidelity.epochs for t in history if t.proposal.fidelity))


def check_steps(history: History) -> None:
    """Every step goes on with a finished trial of the same architecture, once, one rung higher."""
    above = {1: 3, 3: 9}
    steps = [t for t in history if t.proposal.continues is not None]
    assert len({t.proposal.continues for t in steps}) == len(steps), "two went on with the same"
    for step in steps:
        before = history[step.proposal.continues or 0]
        assert before.state in FINISHED
        assert before.architecture == step.architecture
        assert step.proposal.fidelity is not None
        assert step.proposal.fidelity.epochs == above[before.epochs]


@pytest.mark.parametrize("slots", [1, 4])
@pytest.mark.parametrize("text", ["asha(random)", "asha(evolution)", "halving(evolution)", "hyperband(random)"])
def test_steps_go_on_with_what_finished(text: str, slots: int) -> None:
    history = run(text, 90, slots=slots)
    check_steps(history)
    assert set(epochs(history)) == {1, 3, 9}


def test_asha_promotes_the_best_third_of_those_that_have_come_as_far() -> None:
    history = run("asha(random)", 61)
    due = set()
    for low in (3, 1):
        there = history.rungs[low]
        due |= {t.number for t in sorted(there, key=ONE.costs)[: len(there) // 3]} - history.continued
    asked = made("asha(random)")(SPACE, ONE, 0).ask(history, 30)
    assert {p.continues for p in asked} - {None} == due, "at once, and nobody else"
    assert len(history.continued) >= (len(history.rungs[1]) // 3 - 1) + (len(history.rungs[3]) // 3 - 1)


def test_halving_waits_for_its_rung_and_starts_again() -> None:
    assert epochs(run("halving(random)", 13)) == {1: 9, 3: 3, 9: 1}
    assert epochs(run("halving(random)", 26)) == {1: 18, 3: 6, 9: 2}
    first = run("halving(random)", 10)
    promoted = first.ended[-1]
    assert promoted.proposal.continues == min(first.rungs[1], key=ONE.costs).number
    assert epochs(run("halving[start=6](random)", 9)) == {1: 6, 3: 2, 9: 1}


def test_idle_slots_begin_the_next_round() -> None:
    strategy, history = made("halving(random)", slots=12)(SPACE, ONE, 0), History()
    for proposal in strategy.ask(history, 12):
        history.propose(Trial(history.next_number, proposal))
    assert Counter(t.proposal.notes["bracket"] for t in history) == {0: 9, 1: 3}


def test_hyperband_begins_on_every_rung() -> None:
    """With three rungs: 9 short ones, 5 of a third, 3 full ones."""
    history = run("hyperband(random)", 22)
    begun = Counter(t.proposal.fidelity.epochs for t in history if t.proposal.fidelity and t.proposal.continues is None)
    assert begun == {1: 9, 3: 5, 9: 3}


def test_with_several_objectives_the_front_goes_on() -> None:
    goal = kit.goals()["two"]
    history = run("halving(random)", 10, goal)
    promoted = history[history.ended[-1].proposal.continues or 0]
    assert promoted.number in {t.number for t in goal.front(history.rungs[1])} | {goal.ranked(history.rungs[1])[0].number}
    check_steps(run("asha(random)", 60, goal))


def test_failed_and_infeasible_trials_do_not_go_on() -> None:
    goal = kit.goals()["limited"]
    strategy = made("asha(random)")(SPACE, goal, 0)
    history = played(strategy, goal, 60, fail=lambda n: "failed" if n % 4 == 0 else None)
    check_steps(history)
    assert all(goal.met(history[number]) for number in history.continued)


def test_what_cannot_go_on_is_let_go() -> None:
    """Of a round of nine at most three are kept, of ended rungs none; asha keeps a dozen of each rung at least."""
    strategy, history = made("halving(random)")(SPACE, ONE, 0), run("halving(random)", 7)
    assert len(strategy.resumable(history)) == 3
    assert not set(strategy.resumable(run("halving(random)", 13)))
    rest = made("asha(random)")(SPACE, ONE, 0).resumable(run("asha(random)", 80))
    assert 0 < len(rest) <= 24
    assert not set(rest) & set(run("asha(random)", 80).continued)


class Five(Strategy):
    """Knows five architectures."""

    def __init__(self, space: Space, goal: Goal, seed: int) -> None:
        self.known = [sample(space, stream(seed, k, "five")) for k in range(5)]

    def ask(self, history: History, slots: int) -> list[Proposal]:
        return [Proposal(a) for a in self.known if a.trace not in history.traces][:slots]


@pytest.mark.parametrize("maker", [Asha, Halving, Hyperband])
def test_when_the_inner_strategy_is_done_what_was_begun_is_ended(maker: type) -> None:
    strategy = maker(SPACE, ONE, 0, Five(SPACE, ONE, 0), Prospect(Fidelity(9), (1, 3, 9)))
    history = played(strategy, ONE, 40)
    assert len({t.architecture.trace for t in history}) == 5
    assert len(history) > 5
    assert not history.pending


@pytest.mark.parametrize("text", ["asha[eta=1](random)", "halving[start=-1](random)", "hyperband[rungs=0](random)"])
def test_settings_that_cannot_be(text: str) -> None:
    with pytest.raises(RecipeError):
        made(text)(SPACE, ONE, 0)
