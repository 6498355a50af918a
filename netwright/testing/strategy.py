"""What every strategy must do. ``check_all(make)`` runs the lot; ``make(space, goal, seed)`` builds a fresh strategy."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from typing import Any

from netwright.core.architecture import Architecture
from netwright.core.contracts import Strategy
from netwright.core.metrics import parse_limit, parse_objective
from netwright.core.objectives import Goal
from netwright.core.picks import replayed, sample
from netwright.core.seeds import stream
from netwright.core.space import Branches, Cell, Choice, Edge, Ref, Repeat, Seq, Space, op
from netwright.core.trial import Fidelity, History, Measurement, Proposal, State, Trial
from netwright.errors import NoFeasible

__all__ = ["SPACES", "check_all", "goals", "played", "toy"]

Make = Callable[[Space, Goal, int], Strategy]

_OPS = tuple(op(name) for name in ("zero", "identity", "conv1", "conv3", "pool"))

SPACES: dict[str, Space] = {
    "macro": Space(Repeat(Choice(op("conv3", width=Choice(8, 16, 32)), op("identity")), Choice(2, 3, 4))),
    "chain": Space(
        Seq(op("conv3", width=Choice(8, 16, name="w")), Repeat(op("conv1", width=Choice(8, 16, name="w")), Choice(1, 2)))
    ),
    "cell": Space(Repeat(Cell(tuple(tuple(Edge(j, Choice(*_OPS)) for j in range(i)) for i in (1, 2, 3))), 3, tied=True)),
    "wired": Space(Cell(tuple(tuple(Edge(Choice(*range(i + 1)), Choice(*_OPS)) for _ in range(2)) for i in range(3)))),
    "grammar": Space(
        Ref("M"),
        rules={"M": Choice(Seq(Ref("M"), Ref("M")), Branches(Ref("M"), op("identity")), Choice(*_OPS))},
        max_depth=4,
    ),
}
"""One small space of each kind; a strategy that works on these five works on the field's."""


def goals() -> dict[str, Goal]:
    """One objective, two, and one with a limit that some trials turn out to break."""
    accuracy, latency = parse_objective("accuracy"), parse_objective("latency_ms")
    return {
        "one": Goal((accuracy,)),
        "two": Goal((accuracy, latency)),
        "limited": Goal((accuracy,), (parse_limit("latency_ms<=8"),)),
    }


def toy(architecture: Architecture) -> dict[str, float]:
    """A known landscape: the best architecture has a weight of 9; ties are broken by the graph's own name."""
    weight = sum({"conv3": 3, "conv1": 1, "pool": 1}.get(n.op, 0) for n in architecture.nodes)
    small = int(architecture.id[:4], 16) / 65536
    return {"accuracy": 1 / (1 + abs(9 - weight) + 0.1 * small), "latency_ms": float(weight), "params": float(weight)}


def played(
    strategy: Strategy,
    goal: Goal,
    trials: int,
    history: History | None = None,
    fail: Callable[[int], State | None] = lambda n: None,
    measure: Callable[[Architecture], dict[str, float]] = toy,
) -> History:
    """The loop in short: ask, measure, go on until there are ``trials``."""
    history = History() if history is None else history
    while len(history) < trials:
        proposals = strategy.ask(history, 1)
        if not proposals:
            break
        number = history.next_number
        trial = Trial(number, proposals[0])
        history.propose(trial)
        state = fail(number)
        if state is None:
            trial = trial.measured(Measurement(measure(trial.architecture), Fidelity(1)))
            broken = goal.broken(trial.values)
            history.update(trial.ended("infeasible" if broken else "finished", str(broken)))
        else:
            history.update(trial.ended(state, "made to"))
    return history


def check_all(make: Make) -> None:
    """Everything below, on every space and goal of this file. Raises AssertionError."""
    for space in SPACES.values():
        for goal in goals().values():
            check_inside_and_repeatable(make, space, goal)
            check_continues(make, space, goal)
            check_bears_failures(make, space, goal)
        check_pending(make, space, goals()["one"])
        check_slots(make, space, goals()["one"])
    check_infeasible(make)


def _ids(history: History) -> list[str]:
    return [trial.architecture.id for trial in sorted(history, key=lambda t: t.number)]


def check_inside_and_repeatable(make: Make, space: Space, goal: Goal) -> None:
    """Proposals lie in the space; the same seed gives the same sequence, another seed another."""
    history = played(make(space, goal, 1), goal, 40)
    for trial in history:
        assert replayed(space, trial.architecture.decisions) == trial.architecture, "a proposal lies outside the space"
    assert _ids(played(make(space, goal, 1), goal, 40)) == _ids(history), "the same seed gave other proposals"
    if len(set(_ids(history))) > 10:
        assert _ids(played(make(space, goal, 2), goal, 40)) != _ids(history), "the seed changes nothing"


def check_continues(make: Make, space: Space, goal: Goal) -> None:
    """A new object, given the stored trials alone, goes on identically: at any moment, and with caches dropped at each step."""
    whole = played(make(space, goal, 3), goal, 45)
    for cut in (1, 17, 31):
        part = History(whole.ended[:cut])
        assert _ids(played(make(space, goal, 3), goal, 45, part)) == _ids(whole), f"it went on differently after {cut} trials"
    forgetful = History()
    while len(forgetful) < min(45, len(whole)):
        played(make(space, goal, 3), goal, len(forgetful) + 1, forgetful)
    assert _ids(forgetful) == _ids(whole), "dropping its caches changed it"


def check_bears_failures(make: Make, space: Space, goal: Goal) -> None:
    """Failed and infeasible trials neither end it nor are forgotten."""
    states: dict[int, State] = {n: ("failed" if n % 2 else "infeasible") for n in range(0, 40, 3)}
    history = played(make(space, goal, 4), goal, 40, fail=states.get)
    assert len(history) == 40 or len(set(_ids(history))) < 40
    played(make(space, goal, 4), goal, 10, fail=lambda n: "failed")


def check_pending(make: Make, space: Space, goal: Goal) -> None:
    """It can be asked while trials are under way."""
    history = played(make(space, goal, 5), goal, 20)
    for _ in range(4):
        proposals = make(space, goal, 5).ask(history, 1)
        for proposal in proposals:
            history.propose(Trial(history.next_number, proposal))
    assert len(history.pending) <= 4


def check_slots(make: Make, space: Space, goal: Goal) -> None:
    """Never more proposals than slots."""
    history = played(make(space, goal, 6), goal, 12)
    for slots in (1, 2, 5):
        asked: Sequence[Proposal] = make(space, goal, 6).ask(history, slots)
        assert len(asked) <= slots, f"{len(asked)} proposals for {slots} slots"


def check_infeasible(make: Make) -> None:
    """Limits that no architecture can meet end with :class:`NoFeasible`, never in a loop."""
    space = SPACES["macro"].screened(lambda architecture: {"never": 1.0})
    try:
        make(space, goals()["one"], 7).ask(History(), 1)
    except NoFeasible:
        return
    raise AssertionError("it proposed something where nothing is feasible")


def check_beats_random(make: Make, space: Space, trials: int = 60, seeds: int = 20) -> float:
    """Mean best value minus that of random sampling, over seeds; raises unless it is larger by a one-sided sign test at 5 %.

    The landscape has a known optimum: the share of decisions that agree with those of a hidden architecture.
    """
    goal = goals()["one"]
    ours, theirs = [], []
    for seed in range(seeds):
        hidden = sample(space, stream(seed, 0, "hidden")).decisions

        def measure(architecture: Architecture, hidden: dict[str, Any] = hidden) -> dict[str, float]:
            found = architecture.decisions
            return {"accuracy": sum(found.get(path) == answer for path, answer in hidden.items()) / len({**hidden, **found})}

        ours.append(max(t.values["accuracy"] for t in played(make(space, goal, seed), goal, trials, measure=measure).finished))
        theirs.append(max(measure(sample(space, stream(seed, n, "baseline")))["accuracy"] for n in range(trials)))
    wins = sum(a > b for a, b in zip(ours, theirs, strict=True))
    losses = sum(a < b for a, b in zip(ours, theirs, strict=True))
    needed = statistics.NormalDist().inv_cdf(0.95)
    spread = max(1e-9, (wins + losses) ** 0.5)
    assert (wins - losses) / spread >= needed, f"{wins} wins and {losses} losses against random"
    return statistics.mean(ours) - statistics.mean(theirs)
