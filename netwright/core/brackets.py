"""Rounds of successive halving that wait for each rung, as a function of the history: for ``halving`` and ``hyperband``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from netwright.core.objectives import Goal
from netwright.core.rungs import Ladder, Ranking, best
from netwright.core.trial import DONE, History, Proposal, Trial

__all__ = ["Bracket", "Brackets"]


@dataclass(frozen=True)
class Bracket:
    """Starts ``counts[0]`` architectures on the rung ``first``; of each rung the best ``counts[k + 1]`` go on."""

    first: int
    counts: tuple[int, ...]


@dataclass
class Brackets:
    """``kinds`` follow one another, again and again. Each trial's notes say which ``bracket`` it is in, counted from 0, and on
    which ``rung``. While a rung waits for its last trials, free slots begin the next bracket."""

    ladder: Ladder
    goal: Goal
    kinds: Sequence[Bracket]
    _rankings: dict[tuple[int, int], Ranking] = field(default_factory=dict)

    def due(self, history: History, slots: int, last: bool = False) -> tuple[list[Proposal], list[tuple[int, int]]]:
        """Steps to propose, and then, for each new architecture that is due, its rung and its bracket. ``last``: there are no
        new ones any more."""
        members = self._members(history)
        steps: list[Proposal] = []
        new: list[tuple[int, int]] = []
        number = 0
        brackets = 1 + max((bracket for bracket, _ in members), default=-1)
        while len(steps) + len(new) < slots and not (last and number >= brackets):
            bracket = self.kinds[number % len(self.kinds)]
            begun = len(members.get((number, bracket.first), ()))
            if not last:
                new += [(bracket.first, number)] * min(bracket.counts[0] - begun, slots - len(steps) - len(new))
            expected = begun if last else bracket.counts[0]
            for trial, rung in self._next(bracket, number, expected, members, history)[: slots - len(steps) - len(new)]:
                steps.append(self.ladder.step(trial, rung, bracket=number))
            number += 1
        return steps, new

    def _members(self, history: History) -> dict[tuple[int, int], list[Trial]]:
        """(bracket, rung) → its trials, those that ended first, in the order in which they did."""
        found: dict[tuple[int, int], list[Trial]] = {}
        for trial in history:
            notes = trial.proposal.notes
            if "bracket" in notes and "rung" in notes:
                found.setdefault((notes["bracket"], notes["rung"]), []).append(trial)
        return found

    def _next(
        self, bracket: Bracket, number: int, expected: int, members: dict[tuple[int, int], list[Trial]], history: History
    ) -> list[tuple[Trial, int]]:
        """The trials that are to go on, each with the rung to which: of the rungs that are complete."""
        found = []
        for k, most in enumerate(bracket.counts[1:]):
            rung = bracket.first + k
            there = members.get((number, rung), [])
            if len(there) < expected or any(trial.state not in DONE for trial in there):
                break
            ranked = self._ranking(number, rung, there)
            found += [(trial, rung + 1) for trial in best(ranked, most, history.continued)]
            expected = min(most, len(ranked))
        return found

    def _ranking(self, number: int, rung: int, there: list[Trial]) -> list[Trial]:
        return self._rankings.setdefault((number, rung), Ranking(self.goal)).of(there)

    def resumable(self, history: History) -> set[int]:
        """Who of those that ended may still be among the best of its rung."""
        found: set[int] = set()
        for (number, rung), there in self._members(history).items():
            bracket = self.kinds[number % len(self.kinds)]
            k = rung - bracket.first
            if k + 1 < len(bracket.counts):
                ranked = Ranking(self.goal).of([trial for trial in there if trial.state in DONE])
                found |= {trial.number for trial in best(ranked, bracket.counts[k + 1], history.continued)}
        return found
