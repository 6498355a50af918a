"""Asynchronous successive halving: whoever is among the best of its rung goes on at once (Li et al. 2020, arXiv:1810.05934)."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from netwright.core.contracts import Prospect, Strategy
from netwright.core.objectives import Goal
from netwright.core.picks import belongs
from netwright.core.rungs import Ranking, best, view
from netwright.core.space import Space
from netwright.core.trial import History, Proposal, Trial
from netwright.strategies._stepped import Stepped

__all__ = ["Asha"]

KEPT = 12
"""Checkpoints of a rung that are kept at least."""


class Asha(Stepped):
    """Decides how long; the inner strategy decides which: ``asha(bayes)`` is BOHB without its waiting.

    ``eta``: of so many trials on a rung one goes on, and trains so many times as long. ``rungs``: how many there are at most.
    ``enough``: trials that the highest rung must have whose values the inner strategy is shown.
    Trials compare by front, then crowding, where there are several objectives.
    """

    def __init__(
        self,
        space: Space,
        goal: Goal,
        seed: int,
        inner: Strategy,
        prospect: Prospect | None = None,
        *,
        eta: int = 3,
        rungs: int = 3,
        enough: int = 12,
    ) -> None:
        super().__init__(space, goal, inner, prospect, eta, rungs, enough)
        self.rankings = [Ranking(goal) for _ in self.ladder.epochs]

    def ask(self, history: History, slots: int) -> Sequence[Proposal]:
        belongs(self.space, history)
        asked: list[Proposal] = []
        for rung in reversed(range(len(self.ladder) - 1)):
            promoted = self._promotable(history, rung)[: slots - len(asked)]
            asked += [self.ladder.step(trial, rung + 1) for trial in promoted]
        if left := slots - len(asked):
            seen = view(history, self.ladder, self.enough, history.next_number + len(asked))
            asked += [self.ladder.start(proposal, 0) for proposal in self.inner.ask(seen, left)]
        return asked

    def _promotable(self, history: History, rung: int, times: int = 1, least: int = 0) -> list[Trial]:
        """The best of a rung, one of ``eta``, without those that went on already. ``times`` as many, at least so many."""
        there = history.rungs.get(self.ladder.epochs[rung], ())
        most = max(least, times * (len(there) // self.ladder.eta))
        return best(self.rankings[rung].of(there), most, history.continued) if most else []

    def resumable(self, history: History) -> Collection[int]:
        """What may soon be among the best. A rung grows without end: what falls far behind is given up, and should it be
        promoted after all, it is trained from the start, to the same values."""
        rungs = range(len(self.ladder) - 1)
        return {trial.number for rung in rungs for trial in self._promotable(history, rung, 2, KEPT)}
