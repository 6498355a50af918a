"""Local search: from the best so far to its neighbours, which differ in one decision (White et al. 2020, arXiv:2005.02960)."""

from __future__ import annotations

import math
from bisect import insort
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from operator import itemgetter
from random import Random
from typing import Any

from netwright.core.architecture import Architecture
from netwright.core.contracts import Strategy
from netwright.core.objectives import Goal, dominates
from netwright.core.picks import belongs, excess, neighbours, sample
from netwright.core.seeds import stream
from netwright.core.space import Space
from netwright.core.trial import History, Proposal, Trial
from netwright.errors import RecipeError
from netwright.strategies._fresh import Fold, Fresh

__all__ = ["Local"]

Standing = list[tuple[Any, Trial]]

AROUND = 24
"""Neighbours of an architecture where a table lists the space: so many that are nearest."""


class Local(Strategy):
    """Neighbours of the best, in random order; a better one takes its place.

    ``initial``: how many are drawn at random first. ``step``: ``first`` goes to the first neighbour that is better, ``best``
    looks at all of them and goes to the best. ``restart``: where no neighbour is better, search goes on around the ``next`` best
    that has neighbours left, of equal ones too, or from a ``random`` draw.
    With several objectives: around those that none dominates.
    """

    def __init__(
        self, space: Space, goal: Goal, seed: int, *, initial: int = 5, step: str = "first", restart: str = "next"
    ) -> None:
        if initial < 1 or step not in ("first", "best") or restart not in ("next", "random"):
            raise RecipeError(
                f"initial {initial}, step {step!r}, restart {restart!r} do not fit",
                where="strategy local",
                todo='Use initial >= 1, step "first" or "best", restart "next" or "random".',
            )
        self.space, self.goal, self.seed = space, goal, seed
        self.initial, self.step, self.restart, self.several = initial, step, restart, len(goal.objectives) > 1
        self._standing = Fold[Standing](list, self._placed)
        self._around: dict[Any, _Around] = {}

    @property
    def first_design(self) -> int:
        return self.initial

    def ask(self, history: History, slots: int) -> Sequence[Proposal]:
        belongs(self.space, history)
        fresh = Fresh(self.space, history)
        standing = self._standing.of([t for t in history.ended if t.state != "failed" and t.measurements])
        origins = {trial.number: trial.proposal.notes.get("parent") for trial in history}
        proposals = []
        for number in range(history.next_number, history.next_number + slots):
            rng = stream(self.seed, number, "local")
            near = None if number < self.initial else self._near(origins, standing, fresh, rng)
            proposals.append(fresh.taken(near) if near else fresh.take(self._draw(rng)))
            origins[number] = proposals[-1].notes.get("parent")
        return proposals

    def _draw(self, rng: Random) -> Callable[[int], Proposal]:
        return lambda attempt: Proposal(sample(self.space, rng))

    def _placed(self, standing: Standing, ended: Sequence[Trial]) -> Standing:
        """What ended, the best first, those that break the limits last; with several objectives without what is dominated."""
        (trial,) = ended
        met = self.goal.met(trial)
        costs = self.goal.costs(trial)
        if len(costs) > 1 and met:
            if any(not key[0] and dominates(key[1:], costs) for key, _ in standing):
                return standing
            standing = [(key, other) for key, other in standing if key[0] or not dominates(costs, key[1:])]
        insort(standing, ((0, *costs) if met else (1, self.goal.excess(trial.values) or math.inf), trial), key=itemgetter(0))
        return standing

    def _near(self, origins: Mapping[int, int | None], standing: Standing, fresh: Fresh, rng: Random) -> Proposal | None:
        """A new neighbour of the first that has one; None where there is none. ``origins``: whose neighbour each trial is."""
        centres = self._since_drawn(origins, standing) if self.restart == "random" else standing
        trials = [trial for _, trial in centres]
        if self.several:
            met = sum(key[0] == 0 for key, _ in centres)
            trials[:met] = rng.sample(trials[:met], met)
        if self.step == "best":  # whoever was looked around last, to the end
            latest = origins[max(origins)]
            trials = [*(trial for _, trial in standing if trial.number == latest), *trials]
        for trial in trials:
            architecture = self._neighbour(trial, fresh)
            if architecture:
                return Proposal(architecture, notes={"parent": trial.number})
        return None

    def _since_drawn(self, origins: Mapping[int, int | None], standing: Standing) -> Standing:
        """The best since the latest draw, and what is as good; the first draws count as one."""
        drawn = max(number for number, origin in origins.items() if origin is None)
        since = [place for place in standing if drawn < self.initial or place[1].number >= drawn]
        return [(key, trial) for key, trial in since if key == since[0][0] or (self.several and key[0] == since[0][0][0])]

    def _neighbour(self, centre: Trial, fresh: Fresh) -> Architecture | None:
        """The first that is new and keeps the limits, in an order that goes with the centre."""
        key = centre.number, centre.architecture.trace
        if key not in self._around:
            self._around[key] = _Around(self.space, centre, self.seed)
        return next((each for each in self._around[key] if fresh.is_new(each) and excess(self.space, each) == 0), None)


class _Around:
    """The neighbours of an architecture, in a random order, made as they are looked at."""

    def __init__(self, space: Space, centre: Trial, seed: int) -> None:
        rng = stream(seed, centre.number, "neighbours")
        self._more = neighbours(space, centre.architecture, rng)
        self._made: list[Architecture] = []
        if space.listing:
            self._made = list(islice(self._more, AROUND))
            self._more = iter(())
            rng.shuffle(self._made)

    def __iter__(self) -> Iterator[Architecture]:
        yield from self._made
        for each in self._more:
            self._made.append(each)
            yield each
