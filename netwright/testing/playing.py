"""Small spaces, landscapes with a known best, and the search loop in short: what strategies are tried out on."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

from netwright import compose
from netwright.core.architecture import Architecture
from netwright.core.contracts import Prospect, Strategy, Verdict
from netwright.core.metrics import parse_limit, parse_objective
from netwright.core.objectives import Goal
from netwright.core.picks import at_random, sample
from netwright.core.seeds import stream
from netwright.core.space import Branches, Cell, Choice, Edge, Ref, Repeat, Seq, Space, op, unfold
from netwright.core.trial import Fidelity, History, Measurement, State, Trial
from netwright.example import look
from netwright.registry import listed

__all__ = [
    "FULL",
    "RUNGS",
    "SPACES",
    "Fail",
    "Make",
    "Measure",
    "additive",
    "agreement",
    "goals",
    "made",
    "played",
    "published",
    "published_space",
    "renewed",
    "toy",
]

Make = Callable[[Space, Goal, int], Strategy]
"""Builds a fresh strategy."""

Measure = Callable[[Architecture], dict[str, float]]
Fail = Callable[[int], "State | None"]

RUNGS = (1, 3, 9)
FULL = Fidelity(RUNGS[-1])


def made(text: str, trials: int | None = 60, slots: int = 1) -> Make:
    """What builds the strategy of a name, wrappers and settings included: ``asha[eta=3](evolution)``."""
    prospect = Prospect(FULL, RUNGS, trials, slots)
    return lambda space, goal, seed: compose.strategy_of(text, space, goal, seed, prospect)


# ---- spaces -----------------------------------------------------------------------------------------------------------

_CONV1, _CONV3 = op("conv", kernel=1, ratio=1), op("conv", kernel=3, ratio=1)
_OPS = (op("zero"), op("identity"), _CONV1, _CONV3, op("avg_pool", kernel=3, stride=1, padding=1))
_CELL = Space(Repeat(Cell(tuple(tuple(Edge(j, Choice(*_OPS)) for j in range(i)) for i in (1, 2, 3))), 3, tied=True))


def _some(space: Space, count: int) -> Space:
    """A table's sample of a space."""
    rng = stream(0, 0, "listed")
    return space.only({arch.trace: arch.decisions for arch in (unfold(space, at_random(rng)) for _ in range(count))}.values())


SPACES: dict[str, Space] = {
    "macro": Space(Repeat(Choice(op("conv", kernel=3, width=Choice(8, 16, 32)), op("identity")), Choice(2, 3, 4))),
    "chain": Space(
        Seq(
            op("conv", kernel=3, width=Choice(8, 16, name="w")),
            Repeat(op("conv", kernel=1, width=Choice(8, 16, name="w")), Choice(1, 2)),
        )
    ),
    "cell": _CELL,
    "wired": Space(Cell(tuple(tuple(Edge(Choice(*range(i + 1)), Choice(*_OPS)) for _ in range(2)) for i in range(3)))),
    "grammar": Space(
        Ref("M"),
        rules={"M": Choice(Seq(Ref("M"), Ref("M")), Branches(Ref("M"), op("identity")), Choice(*_OPS))},
        max_depth=4,
    ),
    "listed": _some(_CELL, 150),
}
"""One small space of each kind, and a sample of one as tables hold it; what works on these works on the field's."""

_SMALL: dict[str, dict[str, Any]] = {
    "darts": {"layers": 3, "channels": 4},
    "fbnet": {"features": 16},
    "hierarchical": {"width": 4},
    "macro": {"width": 4, "features": 16},
    "multimodal": {"width": 8, "blocks": 2},
    "nasbench101": {"width": 8, "cells": 1},
    "nasbench201": {"width": 4, "cells": 2},
    "resnet": {"width": 4, "deepest": 2},
    "spikenas": {"width": 4, "steps": 2, "hidden": 16, "neurons": 2},
    "transformer": {"widths": (16, 32), "size": 8},
    "transnas_micro": {"width": 8},
}
"""Settings that make the networks of a space small."""

_MORE: dict[str, tuple[str, dict[str, Any], list[str]]] = {
    "mobilenet ofa": ("mobilenet", {"design": "ofa", "width": 0.25}, []),
    "mobilenet accel": ("mobilenet", {"design": "accel"}, []),
    "transformer gpt_s": ("transformer", {"design": "gpt_s"}, ["x=6:int64"]),
    "recurrent_cell enas": ("recurrent_cell", {"units": 6, "embedding": 5, "codes": 9, "style": "enas"}, ["x=7:int64"]),
}
"""Other designs of theirs, with their inputs."""


def published() -> list[str]:
    """What is tried of the folder's spaces: each at a small size, and other designs of theirs. See :func:`published_space`."""
    return [*listed("spaces"), *_MORE]


@cache
def published_space(text: str) -> Space:
    """One of :func:`published`, over the inputs that are usual for its kind."""
    name, given, inputs = _MORE.get(text, (text, _SMALL.get(text, {}), []))
    return look(name, inputs, settings=given)[0]


# ---- landscapes -------------------------------------------------------------------------------------------------------


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
    weight = sum(dict(n.attrs)["kernel"] if n.op == "conv" else int(n.op == "avg_pool") for n in architecture.nodes)
    small = int(architecture.id[:4], 16) / 65536
    return {"accuracy": 1 / (1 + abs(9 - weight) + 0.1 * small), "latency_ms": float(weight), "params": float(weight)}


def additive(architecture: Architecture) -> dict[str, float]:
    """Every answer of every hole is worth something of its own; what is found is the mean. Nothing is laid for it."""

    def mean(salt: str) -> float:
        worth = [zlib.crc32(f"{salt} {path} {answer}".encode()) / 2**32 for path, answer in architecture.trace]
        return sum(worth) / max(1, len(worth))

    return {"accuracy": mean("accuracy"), "latency_ms": 16 * mean("latency"), "params": 1000 * mean("params")}


def agreement(space: Space, seed: int) -> Measure:
    """The share of decisions that agree with those of a hidden member: the best there is has 1."""
    hidden = sample(space, stream(seed, 0, "hidden")).decisions

    def measure(architecture: Architecture) -> dict[str, float]:
        found = architecture.decisions
        return {"accuracy": sum(found.get(path) == answer for path, answer in hidden.items()) / len({**hidden, **found})}

    return measure


# ---- the loop in short ------------------------------------------------------------------------------------------------


def renewed(history: History) -> History:
    """The same trials in a history that nothing was remembered with."""
    return History(list(history.ended), list(history.pending.values()))


def played(
    strategy: Strategy | Callable[[], Strategy],
    goal: Goal,
    trials: int,
    history: History | None = None,
    fail: Fail = lambda n: None,
    measure: Measure = toy,
    slots: int = 1,
    epochs: float = float("inf"),
) -> History:
    """Ask, measure, go on until there are ``trials``, or ``epochs`` are spent, and all have ended. With several ``slots`` they
    end in another order than they began. A function in place of a strategy is called before each question, and the history
    is made anew too: as if the search had been killed and resumed there."""
    history = History() if history is None else history
    asked = strategy if isinstance(strategy, Strategy) else None
    while True:
        free = min(slots - len(history.pending), trials - len(history))
        if free > 0 and epochs > 0:
            if not isinstance(strategy, Strategy):
                asked, history = strategy(), renewed(history)
            assert asked is not None
            proposals = asked.ask(history, free)
            for proposal in proposals:
                history.propose(Trial(history.next_number, proposal))
            if proposals and len(history.pending) < slots:
                continue
        if not history.pending or asked is None:
            return history
        pending = sorted(history.pending)
        number = pending[(5 * pending[0] + len(history)) % len(pending)]
        epochs -= _run(history, history.pending[number], asked, goal, fail(number), measure)


def _run(history: History, trial: Trial, strategy: Strategy, goal: Goal, state: State | None, measure: Measure) -> int:
    """Measure a trial at each rung, ask what becomes of it, and end it. Returns the epochs that it took."""
    if state is not None:
        history.update(trial.ended(state, "made to"))
        return 0
    values = measure(trial.architecture)
    fidelity = trial.proposal.fidelity or FULL
    whole = fidelity.epochs
    start = 0 if trial.proposal.continues is None else history[trial.proposal.continues].epochs
    for epoch in sorted({rung for rung in (*RUNGS, whole) if start < rung <= whole}):
        share = epoch / (1 + epoch) * (1 + FULL.epochs) / FULL.epochs  # a curve that is done at the full evaluation
        reached = replace(fidelity, epochs=epoch, of=fidelity.planned)
        trial = trial.measured(Measurement({**values, "accuracy": values["accuracy"] * share}, reached))
        if broken := goal.broken(trial.values):
            history.update(trial.ended("infeasible", str(broken)))
            return epoch - start
        history.update(trial)
        if epoch < whole and strategy.watch(trial, history) is not Verdict.GO:
            history.update(trial.ended("stopped", "the strategy stopped it"))
            return epoch - start
    history.update(trial.ended("finished"))
    return whole - start
