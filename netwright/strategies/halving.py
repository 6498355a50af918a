"""Successive halving: many begin, the best share of each rung trains on (Jamieson & Talwalkar 2016, arXiv:1502.07943)."""

from __future__ import annotations

from netwright.core.brackets import Bracket
from netwright.core.contracts import Prospect, Strategy
from netwright.core.objectives import Goal
from netwright.core.space import Space
from netwright.errors import RecipeError
from netwright.strategies._stepped import Rounds

__all__ = ["Halving"]


class Halving(Rounds):
    """Decides how long; the inner strategy decides which: ``halving(bayes)``.

    ``eta``: of so many trials on a rung one goes on, and trains so many times as long. ``rungs``: how many there are at most.
    ``start``: architectures that a round begins with, 0 for as many as leave one on the last rung. ``enough``: trials that the
    highest rung must have whose values the inner strategy is shown.
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
        start: int = 0,
        enough: int = 12,
    ) -> None:
        if start < 0:
            raise RecipeError(f"start {start} cannot be", where="strategy halving", todo="Use a number from 1, or 0.")
        super().__init__(space, goal, inner, prospect, eta, rungs, enough)
        most = start or eta ** (len(self.ladder) - 1)
        counts = [max(1, most // eta**k) for k in range(len(self.ladder))]
        self.begin([Bracket(0, tuple(counts))])
