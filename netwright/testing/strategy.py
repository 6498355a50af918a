"""What every strategy must do. ``check_all(make)`` runs the lot; ``make(space, goal, seed)`` builds a fresh strategy.

The spaces, the landscapes and the loop in short are in :mod:`netwright.testing.playing`.
"""

from __future__ import annotations

import statistics
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from netwright.core.objectives import Goal
from netwright.core.picks import replayed, sample
from netwright.core.seeds import stream
from netwright.core.size import size
from netwright.core.space import Choice, Space, op
from netwright.core.trial import History, Proposal, State, Trial
from netwright.errors import NoFeasible, SpaceError, UserError
from netwright.testing.playing import (
    FULL,
    SPACES,
    Fail,
    Make,
    Measure,
    additive,
    agreement,
    goals,
    made,
    played,
    published,
    published_space,
    renewed,
    toy,
)

__all__ = [
    "FULL",
    "SPACES",
    "check_all",
    "check_anywhere",
    "check_beats_random",
    "check_continues",
    "check_failures",
    "check_infeasible",
    "check_inside_and_repeatable",
    "check_refused",
    "check_refuses_another_space",
    "check_slots",
    "check_tiny",
    "goals",
    "made",
    "played",
    "published",
    "published_space",
    "toy",
]

_CONV = op("conv", kernel=3)


def check_all(
    make: Make,
    goals: Mapping[str, Goal] | None = None,
    trials: int = 40,
    may_refuse: bool = False,
    spaces: Collection[str] = tuple(SPACES),
) -> None:
    """Everything below but :func:`check_beats_random`, on every space of this kit (or ``spaces``), for each of ``goals`` (one
    objective, two, one with a limit). ``may_refuse``: whether a space may be too large for it. Raises AssertionError."""
    goals = _goals() if goals is None else goals
    for name, space in SPACES.items():
        if name not in spaces:
            continue
        if may_refuse and check_refused(make, space, goals["one"]):
            continue
        for goal in goals.values():
            check_inside_and_repeatable(make, space, goal, trials)
            check_continues(make, space, goal, trials)
            check_failures(make, space, goal, trials)
        if name != "chain":  # whose twelve members are soon known
            check_slots(make, space, goals["one"])
    check_infeasible(make)
    check_refuses_another_space(make)
    check_tiny(make)


_goals = goals
_MIXED: dict[int, State] = {n: ("failed", "infeasible", "failed")[n % 3] for n in range(0, 400, 4)}


def _traces(history: History) -> list[Any]:
    """What was proposed, in order: decisions, fidelity, and what it continues."""
    return [
        (trial.architecture.trace, trial.proposal.fidelity, trial.proposal.continues)
        for trial in sorted(history, key=lambda t: t.number)
    ]


def _inside(space: Space, history: History) -> None:
    for trial in history:
        again = replayed(space, trial.architecture.decisions)
        assert again.trace == trial.architecture.trace, "a proposal lies outside the space"


def check_inside_and_repeatable(make: Make, space: Space, goal: Goal, trials: int = 40) -> None:
    """Proposals lie in the space; the same seed gives the same sequence, another seed another."""
    history = played(make(space, goal, 1), goal, trials)
    _inside(space, history)
    assert _traces(played(make(space, goal, 1), goal, trials)) == _traces(history), "the same seed gave other proposals"
    if len(set(_traces(history))) > 12:
        assert _traces(played(make(space, goal, 2), goal, trials)) != _traces(history), "the seed changes nothing"


def check_continues(make: Make, space: Space, goal: Goal, trials: int = 45, measure: Measure = toy) -> None:
    """A new object, given the stored trials alone, goes on identically: with some still under way, some failed, and with
    everything that was remembered dropped before each question."""

    def run(anew: bool, fail: Fail, slots: int) -> list[Any]:
        def strategy() -> Any:
            return make(space, goal, 3)

        return _traces(played(strategy if anew else strategy(), goal, trials, fail=fail, slots=slots, measure=measure))

    for fail, slots in ((lambda n: None, 1), (_MIXED.get, 3)):
        assert run(True, fail, slots) == run(False, fail, slots), "a restart changes what it proposes"


def check_failures(make: Make, space: Space, goal: Goal, trials: int = 40) -> None:
    """Failed and infeasible trials neither end it nor are forgotten; nor is it ended where nothing ever succeeds."""
    history = played(make(space, goal, 4), goal, trials, fail=_MIXED.get)
    assert len(history) == trials or len(set(_traces(history))) < trials
    _inside(space, history)
    for state in ("failed", "infeasible"):
        fail: Fail = dict.fromkeys(range(30), state).get
        history = played(make(space, goal, 4), goal, min(12, trials), fail=fail)
        enough = min(12, trials, size(space).count)
        assert len(history) >= enough, f"it ended after {len(history)} {state} trials"


def check_slots(make: Make, space: Space, goal: Goal) -> None:
    """Never more proposals than slots, asked at once or one by one, and while something new is left none that is known."""
    history = played(make(space, goal, 6), goal, 12)
    for slots in (1, 2, 5):
        strategy, now = make(space, goal, 6), renewed(history)
        asked: Sequence[Proposal] = strategy.ask(now, slots)
        assert len(asked) <= slots, f"{len(asked)} proposals for {slots} slots"
        assert asked, "it proposes nothing"
        _new(now, asked)
    strategy, now = make(space, goal, 6), renewed(history)
    for _ in range(5):  # all of them under way
        asked = strategy.ask(now, 1)
        assert len(asked) <= 1, f"{len(asked)} proposals for one slot"
        _new(now, asked)
        for proposal in asked:
            now.propose(Trial(now.next_number, proposal))


def _new(history: History, asked: Sequence[Proposal]) -> None:
    known = {trial.architecture.trace for trial in history}
    for proposal in asked:
        if proposal.continues is None:
            assert proposal.architecture.trace not in known, "it proposes what is known, or twice the same"
            known.add(proposal.architecture.trace)


def check_infeasible(make: Make) -> None:
    """Limits that no architecture can meet end with :class:`NoFeasible`, never in a loop."""
    space = SPACES["macro"].screened(lambda architecture: {"never": 1.0})
    try:
        make(space, goals()["one"], 7).ask(History(), 1)
    except NoFeasible:
        return
    raise AssertionError("it proposed something where nothing is feasible")


def check_refuses_another_space(make: Make) -> None:
    """A history that was made in another space is refused in one line."""
    goal = goals()["one"]
    history = renewed(played(make(SPACES["macro"], goal, 8), goal, 5))
    told: UserError | None = None
    try:
        make(SPACES["cell"], goal, 8).ask(history, 1)
    except UserError as error:
        told = error
    assert isinstance(told, SpaceError), "it took a history of another space"
    _in_a_line(told)


def _in_a_line(error: UserError) -> None:
    assert error.todo, "it does not say what to do"
    assert "\n" not in str(error), "it takes more than a line to say what is wrong"


def check_tiny(make: Make) -> None:
    """Spaces of one and of two architectures neither stumble nor hang it: it proposes them, and then again or no more."""
    goal = goals()["one"]
    for space in (Space(_CONV), Space(Choice(_CONV, op("conv", kernel=1))), Space(Choice(_CONV, op("identity")))):
        history = played(make(space, goal, 9), goal, 12)
        assert history.ended, "it proposed nothing"
        _inside(space, history)


def check_anywhere(make: Make, space: Space, goal: Goal, trials: int = 16, may_refuse: bool = False) -> bool:
    """On a space of whatever kind, with failures and several trials under way: proposals lie in it, and a restart before
    each question changes nothing. ``may_refuse``: whether the space may be too large for it. Returns whether it took it."""
    if may_refuse and check_refused(make, space, goal):
        return False
    check_continues(make, space, goal, trials, additive)
    _inside(space, played(make(space, goal, 3), goal, trials, fail=_MIXED.get, slots=3, measure=additive))
    return True


def check_refused(make: Make, space: Space, goal: Goal) -> bool:
    """Whether it refuses the space; if so, in one line that says what to do."""
    try:
        make(space, goal, 0)
    except UserError as error:
        _in_a_line(error)
        return True
    return False


def check_beats_random(make: Make, space: Space, trials: int = 60, seeds: int = 20) -> float:
    """Mean best value minus that of random sampling for the same number of epochs, over seeds; raises unless it is larger by
    a one-sided sign test at 5 %.

    The landscape has a known optimum: the share of decisions that agree with those of a hidden architecture.
    """
    goal = goals()["one"]
    ours, theirs = [], []
    for seed in range(seeds):
        measure = agreement(space, seed)
        history = played(make(space, goal, seed), goal, 20 * trials, measure=measure, epochs=trials * FULL.epochs)
        ours.append(max(measure(trial.architecture)["accuracy"] for trial in history.finished))
        theirs.append(max(measure(sample(space, stream(seed, n, "baseline")))["accuracy"] for n in range(trials)))
    wins = sum(a > b for a, b in zip(ours, theirs, strict=True))
    losses = sum(a < b for a, b in zip(ours, theirs, strict=True))
    needed = statistics.NormalDist().inv_cdf(0.95)
    spread = max(1e-9, (wins + losses) ** 0.5)
    assert (wins - losses) / spread >= needed, f"{wins} wins and {losses} losses against random"
    return statistics.mean(ours) - statistics.mean(theirs)
