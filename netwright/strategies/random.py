"""Random search: every decision drawn uniformly. The baseline to beat (Li & Talwalkar 2019, arXiv:1902.07638)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from netwright.core.contracts import Strategy
from netwright.core.objectives import Goal
from netwright.core.picks import belongs, sample
from netwright.core.seeds import stream
from netwright.core.space import Space
from netwright.core.trial import History, Proposal

__all__ = ["Random"]

UNSEEN = 20
"""Draws of known architectures before one is proposed again: a small space may hold nothing new."""


class Random(Strategy):
    """Uniform over decisions, without repeating an architecture while new ones are found."""

    def __init__(self, space: Space, goal: Goal, seed: int) -> None:
        self.space, self.goal, self.seed = space, goal, seed

    def ask(self, history: History, slots: int) -> Sequence[Proposal]:
        belongs(self.space, history)
        known, new = history.traces, set[Any]()
        proposals = []
        for number in range(history.next_number, history.next_number + slots):
            rng = stream(self.seed, number, "random")
            for _ in range(UNSEEN):
                drawn = sample(self.space, rng)
                if drawn.trace not in known and drawn.trace not in new:
                    break
            new.add(drawn.trace)
            proposals.append(Proposal(drawn))
        return proposals
