"""A space as a flat list of parameters, for tools that know no other kind: each hole a number of options, or its bits."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from netwright.core.architecture import Answer, Architecture
from netwright.core.listing import Listed
from netwright.core.picks import excess, mutate, replayed, sample
from netwright.core.size import holes
from netwright.core.space import Hole, Pick, Space, unfold
from netwright.core.terms import Choice, Limited, Subset
from netwright.errors import SpaceError

__all__ = ["Flat", "Parameter", "changed"]

MOST = 64
"""Answers that a subset may have to be one parameter; one with more has a bit for each member."""


@dataclass(frozen=True)
class Parameter:
    """One of ``count`` options, by number. ``ordered``: they are growing numbers, so that near ones are alike."""

    name: str
    count: int
    ordered: bool = False


Ask = Callable[[Parameter], int]


def _whole(hole: Hole) -> Choice | Subset:
    return hole.hole if isinstance(hole, Limited) else hole


def _bits(hole: Choice | Subset) -> bool:
    return isinstance(hole, Subset) and hole.count > MOST


def _is_ordered(path: str, options: Sequence[object]) -> bool:
    """Widths, kernels, repetitions; where an edge comes from is a number too, but a name."""
    numbers = [option for option in options if isinstance(option, (int, float)) and not isinstance(option, bool)]
    return len(numbers) == len(options) > 2 and sorted(set(numbers)) in (numbers, numbers[::-1]) and not path.endswith(".from")


class Flat:
    """The holes of a space as parameters, and back: what such a tool proposes as an architecture that the space accepts."""

    def __init__(self, space: Space) -> None:
        self.space = space
        self._whole_space = replace(space, listing=None) if space.listing else space
        self._known: dict[str, tuple[Parameter, ...]] = {}
        self._holes: dict[str, Choice | Subset] = {}
        self.named: dict[str, Parameter] = {}
        """Those that were met so far."""

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        """Those of every hole, whether one architecture asks them all or not; below a rule's second coming there are none."""
        return tuple(p for path, hole in holes(self.space).items() for p in self.of(path, hole) if p.count > 1)

    def of(self, path: str, hole: Hole) -> tuple[Parameter, ...]:
        """The parameters of a hole."""
        if path not in self._known:
            whole = self._holes[path] = _whole(hole)
            if _bits(whole):
                self._known[path] = tuple(Parameter(f"{path}#{i}", 2) for i in range(len(whole.options)))
            else:
                ordered = isinstance(whole, Choice) and _is_ordered(path, whole.options)
                self._known[path] = (Parameter(path, whole.count, ordered),)
            self.named.update((parameter.name, parameter) for parameter in self._known[path])
        return self._known[path]

    def drafted(self, ask: Ask, rng: random.Random) -> Architecture:
        """What the parameters come to, asked as the holes come up; ``rng`` adds or drops members where a subset has too few or
        too many. Where the space lists its members: the listed one that agrees with it in most parameters."""

        def pick(path: str, hole: Hole) -> Answer:
            values = [ask(parameter) if parameter.count > 1 else 0 for parameter in self.of(path, hole)]
            whole = _whole(hole)
            return self._kept(whole, values, rng) if _bits(whole) else whole.at(values[0])

        draft = unfold(self._whole_space, pick)
        if self.space.listing is None:
            return draft
        return replayed(self.space, _nearest(self.space.listing.root, draft.decisions, rng))

    def _kept(self, hole: Choice | Subset, values: Sequence[int], rng: random.Random) -> Answer:
        assert isinstance(hole, Subset)
        inside = [i for i, value in enumerate(values) if value]
        outside = [i for i, value in enumerate(values) if not value]
        inside += rng.sample(outside, max(0, hole.at_least - len(inside)))
        return tuple(sorted(rng.sample(inside, min(len(inside), hole.at_most))))

    def accepted(self, draft: Architecture, rng: random.Random) -> Architecture:
        """The draft, or, where it breaks a counted limit, a changed one that keeps them. Raises :class:`NoFeasible`."""
        return draft if excess(self.space, draft) == 0 else changed(self.space, draft, rng)

    def values(self, architecture: Architecture) -> dict[str, int]:
        """Parameter → number of the option, for every hole that the architecture answers."""
        return dict(self._valued(architecture))

    def _valued(self, architecture: Architecture) -> Iterator[tuple[str, int]]:
        if any(path not in self._known for path, _ in architecture.trace):
            unfold(self._whole_space, self._learning(architecture))
        for path, answer in architecture.trace:
            parameters = self._known.get(path, ())  # a hole below the depth limit was not asked
            if len(parameters) > 1:
                assert isinstance(answer, tuple)
                yield from ((parameter.name, int(i in answer)) for i, parameter in enumerate(parameters))
            elif parameters and parameters[0].count > 1:
                yield parameters[0].name, self._holes[path].index(answer)

    def _learning(self, architecture: Architecture) -> Pick:
        trace = architecture.decisions

        def pick(path: str, hole: Hole) -> Answer:
            self.of(path, hole)
            return trace[path]

        return pick


def changed(space: Space, architecture: Architecture, rng: random.Random) -> Architecture:
    """A mutant; where there is none, another draw."""
    try:
        return mutate(space, architecture, rng)
    except SpaceError:  # a space of one architecture
        return sample(space, rng)


def _nearest(root: Listed, wanted: Mapping[str, Answer], rng: random.Random) -> dict[str, Answer]:
    """The listed trace with the fewest answers, or members of a subset, that differ; one of several at random."""
    open_: list[tuple[int, float, Listed, tuple[tuple[str, Answer], ...]]] = [(0, 0.0, root, ())]
    while True:
        apart, _, at, way = heapq.heappop(open_)
        if not at.branches:
            return dict(way)
        asked = wanted.get(at.path)
        for answer, after in at.branches.items():
            far = apart + _apart(asked, answer)
            heapq.heappush(open_, (far, rng.random(), after, (*way, (at.path, answer))))


def _apart(asked: Answer, given: Answer) -> int:
    if isinstance(asked, tuple) and isinstance(given, tuple):
        return len({*asked} ^ {*given})
    return int(asked != given)
