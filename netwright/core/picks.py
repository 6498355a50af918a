"""Every operator of every strategy is an answer to :func:`~netwright.core.space.unfold`: draw, replay, mutate, cross, list."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Mapping, Sequence

from netwright.core.architecture import Answer, Architecture
from netwright.core.space import ALL, Hole, Pick, Space, unfold
from netwright.core.trial import History
from netwright.errors import NoFeasible, SpaceError

__all__ = [
    "accepted",
    "at_random",
    "belongs",
    "cross",
    "enumerated",
    "everything",
    "excess",
    "mutate",
    "neighbours",
    "replay",
    "replayed",
    "sample",
]

REDRAWS = 200
"""Drafts that may break a counted limit before the nearest one is repaired."""

REPAIRS = 400
"""Neighbours looked at while repairing."""

REACH = 8
"""How far a mutant lies where traces are listed: it is one of about so many that are nearest."""


def at_random(rng: random.Random) -> Pick:
    """Answer every hole uniformly over its answers; where traces are listed, uniformly over these."""
    return lambda path, hole: hole.draw(rng)


def replay(trace: Mapping[str, Answer], otherwise: Pick) -> Pick:
    """Answer from ``trace`` where it has a fitting answer, else ask ``otherwise``."""

    def pick(path: str, hole: Hole) -> Answer:
        if path in trace and hole.fits(trace[path]):
            return trace[path]
        return otherwise(path, hole)

    return pick


def replayed(space: Space, trace: Mapping[str, Answer]) -> Architecture:
    """The architecture of a stored trace. Raises :class:`SpaceError` where the space asks what the trace does not answer."""

    def missing(path: str, hole: Hole) -> Answer:
        if path in trace and trace[path] is ALL:
            return ALL
        if path in trace and isinstance(trace[path], tuple):
            return trace[path]  # a set to keep
        raise SpaceError(
            f"the trace has no fitting answer at {path}",
            where=space.name,
            todo="It was made in another space, or for other data.",
        )

    return unfold(space, replay(trace, missing))


def belongs(space: Space, history: History) -> None:
    """Every strategy's first question. Raises :class:`SpaceError` where the history was made in another space, as its first
    trial tells; the answer is kept with the history."""
    if history.space is space:
        return
    for trial in history:
        asked = replayed(space, trial.architecture.decisions).decisions
        for path in trial.architecture.decisions:
            if path not in asked:
                todo = "It was made in another space, or for other data."
                raise SpaceError(f"a trial answers {path}, which is not asked here", where=space.name, todo=todo)
        history.space = space
        return


def everything(space: Space) -> Architecture:
    """The space unfolded whole: each choice of layers a ``mix`` of all its options. A supernet's graph."""
    return unfold(space, lambda path, hole: ALL)


# ---- drafts: what a space with limits accepts --------------------------------------------------------------------------


def excess(space: Space, architecture: Architecture) -> float:
    """How far, relatively and summed over limits, an architecture lies outside what the space accepts. 0 where it is inside."""
    return sum(space.screen(architecture).values()) if space.screen else 0.0


def accepted(space: Space, draw: Callable[[], Architecture | None], rng: random.Random) -> Architecture:
    """Redraw, then repair greedily toward the limits, then say what comes nearest."""
    nearest: tuple[float, Architecture] | None = None
    for _ in range(REDRAWS):
        draft = draw()
        if draft is None:
            continue
        over = excess(space, draft)
        if over == 0:
            return draft
        if nearest is None or over < nearest[0]:
            nearest = (over, draft)
    if nearest is None:
        raise SpaceError("every draw gives the same architecture", where=space.name)
    looked = 0
    while looked < REPAIRS:
        best = nearest
        for near in neighbours(space, nearest[1], rng):
            looked += 1
            over = excess(space, near)
            if over == 0:
                return near
            if over < best[0]:
                best = (over, near)
            if looked >= REPAIRS:
                break
        if best is nearest:
            break
        nearest = best
    assert space.screen is not None
    raise NoFeasible(
        f"no architecture was found that keeps the limits; the nearest has {'; '.join(space.screen(nearest[1]))}",
        where=f"space {space.name}",
        todo=f"{REDRAWS} were drawn and {looked} near the best of them looked at: loosen the limit, or choose another --space.",
    )


def sample(space: Space, rng: random.Random) -> Architecture:
    """Draw an architecture that the space accepts: every decision uniform, redrawn while a counted limit is broken."""
    return accepted(space, lambda: unfold(space, at_random(rng)), rng)


def mutate(space: Space, parent: Architecture, rng: random.Random) -> Architecture:
    """Forget one decision and all that hung on it, answer it differently, replay the rest (Real et al. 2019, arXiv:1802.01548).
    Of a subset one member changes. Where traces are listed: one of those that are nearest to the parent.

    A space of one architecture has no mutant: :class:`SpaceError`.
    """
    old = parent.decisions
    if space.listing:
        groups = space.listing.around(old)
        if not groups:
            raise SpaceError("it holds one architecture, which has no mutant", where=space.name)
        return accepted(space, lambda: _other(_listed(space, groups, rng), parent), rng)
    asked = _asked(space, parent)
    paths = sorted(path for path, hole in asked.items() if hole.count > 1)
    if not paths:
        raise SpaceError("it holds one architecture, which has no mutant", where=space.name)

    def draw() -> Architecture | None:
        gone = rng.choice(paths)
        fresh = replay(old, at_random(rng))

        def pick(path: str, hole: Hole) -> Answer:
            return hole.step(old[path], rng) if path == gone and hole.fits(old[path]) else fresh(path, hole)

        return _other(unfold(space, pick), parent)

    return accepted(space, draw, rng)


def _other(child: Architecture, parent: Architecture) -> Architecture | None:
    return None if child.laid_as(parent) else child


def _listed(space: Space, groups: Sequence[Sequence[int]], rng: random.Random) -> Architecture:
    """One of the nearest: each is somewhat less likely than the one before it."""
    assert space.listing is not None
    rank = int(math.log(1 - rng.random()) / math.log(1 - 1 / REACH)) % sum(map(len, groups))
    for group in groups:
        if rank < len(group):
            return replayed(space, space.listing.members[rng.choice(group)])
        rank -= len(group)
    raise AssertionError("the ranks add up")


def cross(space: Space, mother: Architecture, father: Architecture, rng: random.Random) -> Architecture:
    """Uniform crossover: each decision from one of the parents that took it; what neither took is drawn."""
    a, b = mother.decisions, father.decisions

    def draw() -> Architecture:
        mixed = {path: (a if path in a and (path not in b or rng.random() < 0.5) else b)[path] for path in sorted(a | b)}
        return unfold(space, replay(mixed, at_random(rng)))

    return accepted(space, draw, rng)


def _asked(space: Space, architecture: Architecture) -> dict[str, Hole]:
    """The holes that an architecture answers; one below the depth limit is not asked."""
    trace = architecture.decisions
    holes: dict[str, Hole] = {}

    def note(path: str, hole: Hole) -> Answer:
        holes[path] = hole
        return trace[path]

    unfold(space, note)
    return holes


def neighbours(space: Space, architecture: Architecture, rng: random.Random) -> Iterator[Architecture]:
    """Every architecture that differs in one decision, of a subset in one member, in random order; what comes to hang on it is
    drawn. Where traces are listed: those that are nearest, the nearest first. Limits are not asked."""
    trace = architecture.decisions
    if space.listing:
        for group in space.listing.around(trace):
            for place in rng.sample(group, len(group)):
                yield replayed(space, space.listing.members[place])
        return
    steps = [(path, answer) for path, hole in _asked(space, architecture).items() for answer in hole.near(trace[path])]
    for path, answer in rng.sample(steps, len(steps)):
        yield unfold(space, replay({**trace, path: answer}, at_random(rng)))


def enumerated(space: Space) -> Iterator[Architecture]:
    """Every architecture as laid, once per trace, in the order of the holes (the last one asked turns fastest)."""
    prefix: list[int] = []
    while True:
        counts: list[int] = []

        def pick(path: str, hole: Hole, counts: list[int] = counts, prefix: list[int] = prefix) -> Answer:
            index = prefix[len(counts)] if len(counts) < len(prefix) else 0
            counts.append(hole.count)
            return hole.at(index)

        yield unfold(space, pick)
        prefix = [*prefix, *[0] * (len(counts) - len(prefix))]
        while prefix and prefix[-1] + 1 >= counts[len(prefix) - 1]:
            prefix.pop()
        if not prefix:
            return
        prefix[-1] += 1
