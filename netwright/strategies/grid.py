"""Exhaustive search: every architecture of a small space, once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from netwright.core.architecture import Architecture
from netwright.core.contracts import Strategy
from netwright.core.objectives import Goal
from netwright.core.picks import belongs, enumerated, excess, replayed, sample
from netwright.core.seeds import stream
from netwright.core.size import size
from netwright.core.space import Space
from netwright.core.trial import History, Proposal
from netwright.errors import RecipeError

__all__ = ["Grid"]


class Grid(Strategy):
    """All that the space accepts, then nothing more.

    ``shuffled``: in an order that depends on the seed; else as the holes are asked, the last one turning fastest. ``most``:
    a space with more architectures is refused.
    """

    def __init__(self, space: Space, goal: Goal, seed: int, *, shuffled: bool = True, most: int = 50_000) -> None:
        count = size(space)
        if count.count > most:
            raise RecipeError(
                f"space {space.name} has {count} architectures, more than the {most:,} that are tried one by one",
                where="strategy grid",
                todo="Use another strategy, or raise most.",
            )
        self.space, self.seed, self.shuffled = space, seed, shuffled
        self._order: list[Architecture] = []
        self._history: History | None = None
        self._first = 0

    def ask(self, history: History, slots: int) -> Sequence[Proposal]:
        belongs(self.space, history)
        if not len(history):
            sample(self.space, stream(self.seed, 0, "grid"))  # raises NoFeasible, with the nearest
        found: list[Proposal] = []
        for architecture in self._left(history):
            found.append(Proposal(architecture))
            if len(found) == slots:
                break
        return found

    def _left(self, history: History) -> Iterator[Architecture]:
        """What was not proposed yet."""
        if not self._order:
            self._order = self._all()
        if history is not self._history:
            self._history, self._first = history, 0
        leading = True  # whatever comes before this place is done with
        for place in range(self._first, len(self._order)):
            architecture = self._order[place]
            left = architecture.trace not in history.traces and excess(self.space, architecture) == 0
            leading = leading and not left
            if leading:
                self._first = place + 1
            if left:
                yield architecture

    def _all(self) -> list[Architecture]:
        """Kept with the space: searches of it one after the other share it."""
        listing = self.space.listing
        known = self.space.__dict__
        if "_every" not in known:
            known["_every"] = [replayed(self.space, each) for each in listing.members] if listing else [*enumerated(self.space)]
        found = [*known["_every"]]
        if self.shuffled:
            stream(self.seed, 0, "grid order").shuffle(found)
        return found
