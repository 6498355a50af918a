"""Hyperband: rounds of successive halving that begin on different rungs (Li et al. 2018, arXiv:1603.06560).

With ``bayes`` inside it is BOHB (Falkner et al. 2018, arXiv:1807.01774).
"""

from __future__ import annotations

import math

from netwright.core.brackets import Bracket
from netwright.core.contracts import Prospect, Strategy
from netwright.core.objectives import Goal
from netwright.core.space import Space
from netwright.strategies._stepped import Rounds

__all__ = ["Hyperband"]


class Hyperband(Rounds):
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
        super().__init__(space, goal, inner, prospect, eta, rungs, enough)
        top = len(self.ladder) - 1
        starts = [(first, math.ceil((top + 1) / (top - first + 1) * eta ** (top - first))) for first in range(top + 1)]
        self.begin([Bracket(first, tuple(max(1, n // eta**k) for k in range(top - first + 1))) for first, n in starts])
