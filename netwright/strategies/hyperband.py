"""Hyperband: rounds of successive halving that begin on different rungs (Li et al. 2018, arXiv:1603.06560).

With ``bayes`` inside it is BOHB (Falkner et al. 2018, arXiv:1807.01774).
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

from netwright.core.brackets import Bracket, Brackets
from netwright.core.contracts import Prospect, Strategy, Verdict
from netwright.core.objectives import Goal
from netwright.core.picks import belongs
from netwright.core.rungs import Ladder, hopeless
from netwright.core.space import Space
from netwright.core.trial import History, Proposal, Trial
from netwright.strategies.halving import asked

__all__ = ["Hyperband"]


class Hyperband(Strategy):
    """Decides how long; the inner strategy decides which: ``hyperband(bayes)``.

    Some rounds begin with many short trainings, some with few long ones, the last of them with full ones: no fidelity is trusted
    blindly. ``eta``: of so many trials on a rung one goes on, and trains so many times as long. ``rungs``: how many there are at
    most. ``enough``: trials that the highest rung must have whose values the inner strategy is shown.
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
        self.space, self.goal, self.inner, self.enough = space, goal, inner, enough
        self.ladder = Ladder(prospect or Prospect(), eta, rungs, "hyperband")
        self.needs, self.offers = inner.needs, inner.offers
        top = len(self.ladder) - 1
        starts = [(first, math.ceil((top + 1) / (top - first + 1) * eta ** (top - first))) for first in range(top + 1)]
        kinds = [Bracket(first, tuple(max(1, n // eta**k) for k in range(top - first + 1))) for first, n in starts]
        self.brackets = Brackets(self.ladder, goal, kinds)

    def remarks(self) -> Sequence[str]:
        return [*filter(None, [self.ladder.remark]), *self.inner.remarks()]

    def ask(self, history: History, slots: int) -> Sequence[Proposal]:
        belongs(self.space, history)
        return asked(self.brackets, self.inner, history, slots, self.enough)

    def watch(self, trial: Trial, history: History) -> Verdict:
        return Verdict.STOP if hopeless(trial, history, self.goal) else Verdict.GO

    def resumable(self, history: History) -> Collection[int]:
        return self.brackets.resumable(history)
