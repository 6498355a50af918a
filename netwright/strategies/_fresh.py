"""What the classic strategies share: nothing is proposed that computes what is known, and what was found out is kept."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from random import Random
from typing import Any, Generic, TypeVar

from netwright.core.architecture import Architecture
from netwright.core.picks import cross, mutate, sample
from netwright.core.space import Space
from netwright.core.trial import History, Proposal, Trial
from netwright.errors import NoFeasible, SpaceError
from netwright.layers.canonical import canonical

__all__ = ["Fold", "Fresh", "bred", "naming"]

TRIES = 20
"""Drafts that are known already before one is proposed again: a small space may hold nothing new."""

State = TypeVar("State")


def _row(architecture: Architecture) -> Any:
    return architecture.trace


def naming(space: Space, each: bool = False) -> Callable[[Architecture], Any]:
    """What names an architecture: all that compute the same are one, but for the rows of a table, and where ``each`` counts."""
    return _row if each or space.apart else canonical


class Fresh:
    """The proposals of one question, none of which computes what another trial did, while drafts of that kind are found."""

    def __init__(self, space: Space, history: History) -> None:
        self.name = naming(space)
        self.known, self.traces = history.names(self.name), history.traces
        self.names, self.new = set[Any](), set[Any]()

    def is_new(self, architecture: Architecture) -> bool:
        if architecture.trace in self.traces or architecture.trace in self.new:
            return False
        name = self.name(architecture)
        return name not in self.known and name not in self.names

    def take(self, draft: Callable[[int], Proposal]) -> Proposal:
        """The first draft that is new; else one of another trace, else the last. A draft is told how many there were before."""
        other: Proposal | None = None
        for attempt in range(TRIES):
            proposal = draft(attempt)
            if self.is_new(proposal.architecture):
                break
            trace = proposal.architecture.trace
            if other is None and trace not in self.traces and trace not in self.new:
                other = proposal
        else:
            proposal = other or proposal
        return self.taken(proposal)

    def taken(self, proposal: Proposal) -> Proposal:
        self.new.add(proposal.architecture.trace)
        self.names.add(self.name(proposal.architecture))
        return proposal


def bred(space: Space, parents: Sequence[Trial], mutations: int, rng: Random, **notes: Any) -> Proposal:
    """A mutant of one parent, or a crossing of two that is mutated ``mutations`` times. Where the limits, or the space itself,
    leave nothing near: another draw."""
    notes = {"parent": parents[0].number, **({"other": parents[1].number} if len(parents) > 1 else {}), **notes}
    try:
        child = parents[0].architecture
        if len(parents) > 1:
            child = cross(space, child, parents[1].architecture, rng)
        for _ in range(mutations):
            child = mutate(space, child, rng)
    except (SpaceError, NoFeasible):  # a space of one architecture, or a lonely one within the limits
        return Proposal(sample(space, rng))
    return Proposal(child, notes=notes)


class Fold(Generic[State]):
    """A state that ``step`` makes of the state before and the next ``block`` of trials. It is kept, and made from the first
    trial again for a history that begins otherwise."""

    def __init__(self, begin: Callable[[], State], step: Callable[[State, Sequence[Trial]], State], block: int = 1) -> None:
        self.begin, self.step, self.block = begin, step, block
        self._done: list[Trial] = []
        self._state = begin()

    def of(self, trials: Sequence[Trial]) -> State:
        done = len(self._done)
        if done > len(trials) or not all(map(operator.is_, self._done, trials)):
            self._done, self._state, done = [], self.begin(), 0
        while done + self.block <= len(trials):
            block = trials[done : done + self.block]
            self._state = self.step(self._state, block)
            self._done += block
            done += self.block
        return self._state
