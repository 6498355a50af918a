"""Successive halving: many begin, the best share of each rung trains on (Jamieson & Talwalkar 2016, arXiv:1502.07943)."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from netwright.core.brackets import Bracket, Brackets
from netwright.core.contracts import Prospect, Strategy, Verdict
from netwright.core.objectives import Goal
from netwright.core.picks import belongs
from netwright.core.rungs import Ladder, hopeless, view
from netwright.core.space import Space
from netwright.core.trial import History, Proposal, Trial
from netwright.errors import RecipeError

__all__ = ["Halving"]


class Halving(Strategy):
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
        self.space, self.goal, self.inner, self.enough = space, goal, inner, enough
        self.ladder = Ladder(prospect or Prospect(), eta, rungs, "halving")
        self.needs, self.offers = inner.needs, inner.offers
        most = start or eta ** (len(self.ladder) - 1)
        counts = [max(1, most // eta**k) for k in range(len(self.ladder))]
        self.brackets = Brackets(self.ladder, goal, [Bracket(0, tuple(counts))])

    def remarks(self) -> Sequence[str]:
        return [*filter(None, [self.ladder.remark]), *self.inner.remarks()]

    def ask(self, history: History, slots: int) -> Sequence[Proposal]:
        belongs(self.space, history)
        return asked(self.brackets, self.inner, history, slots, self.enough)

    def watch(self, trial: Trial, history: History) -> Verdict:
        return Verdict.STOP if hopeless(trial, history, self.goal) else Verdict.GO

    def resumable(self, history: History) -> Collection[int]:
        return self.brackets.resumable(history)


def asked(brackets: Brackets, inner: Strategy, history: History, slots: int, enough: int) -> list[Proposal]:
    """The steps that are due, then new architectures of the inner strategy."""
    steps, new = brackets.due(history, slots)
    if not new:
        return steps
    seen = view(history, brackets.ladder, enough, history.next_number + len(steps))
    found = inner.ask(seen, len(new))
    if not found and not steps and not history.pending:  # it has nothing more: what was begun is brought to its end
        steps, _ = brackets.due(history, slots, last=True)
    begun = zip(found, new, strict=False)
    return steps + [brackets.ladder.start(proposal, rung, bracket=bracket) for proposal, (rung, bracket) in begun]
