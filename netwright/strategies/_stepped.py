"""What strategies around another one share: they decide how long a trial trains, the one inside decides which."""

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

__all__ = ["Rounds", "Stepped"]


class Stepped(Strategy):
    """Has a ladder of rungs. ``enough``: trials that the highest rung must have whose values the inner strategy is shown."""

    def __init__(
        self, space: Space, goal: Goal, inner: Strategy, prospect: Prospect | None, eta: int, rungs: int, enough: int
    ) -> None:
        name = type(self).__name__.lower()
        if enough < 1:
            raise RecipeError(f"enough {enough} cannot be", where=f"strategy {name}", todo="Use enough >= 1.")
        self.space, self.goal, self.inner, self.enough = space, goal, inner, enough
        self.ladder = Ladder(prospect or Prospect(), eta, rungs, name)
        self.needs, self.offers = inner.needs, inner.offers

    def remarks(self) -> Sequence[str]:
        return [*filter(None, [self.ladder.remark]), *self.inner.remarks()]

    def watch(self, trial: Trial, history: History) -> Verdict:
        return Verdict.STOP if hopeless(trial, history, self.goal) else Verdict.GO


class Rounds(Stepped):
    """Goes in rounds, each of which waits for a rung before the best of it go on; ``kinds`` of them, one after the other."""

    def begin(self, kinds: Sequence[Bracket]) -> None:
        self.brackets = Brackets(self.ladder, self.goal, kinds)

    def ask(self, history: History, slots: int) -> Sequence[Proposal]:
        """The steps that are due, then new architectures of the inner strategy."""
        belongs(self.space, history)
        steps, new = self.brackets.due(history, slots)
        if not new:
            return steps
        found = self.inner.ask(view(history, self.ladder, self.enough, history.next_number + len(steps)), len(new))
        if not found and not steps and not history.pending:  # it has nothing more: what was begun is brought to its end
            steps, _ = self.brackets.due(history, slots, last=True)
        begun = zip(found, new, strict=False)
        return steps + [self.ladder.start(proposal, rung, bracket=bracket) for proposal, (rung, bracket) in begun]

    def resumable(self, history: History) -> Collection[int]:
        return self.brackets.resumable(history)
