"""Every operator of every strategy is an answer to :func:`~netwright.core.space.unfold`: draw, replay, mutate, cross, list."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping

from netwright.core.architecture import Answer, Architecture
from netwright.core.space import ALL, Hole, Pick, Space, unfold
from netwright.errors import NoFeasible, SpaceError

__all__ = [
    "at_random",
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


def everything(space: Space) -> Architecture:
    """The space unfolded whole: each choice of layers a ``mix`` of all its options. A supernet's graph."""
    return unfold(space, lambda path, hole: ALL)


# ---- drafts: what a space with limits accepts --------------------------------------------------------------------------


def excess(space: Space, architecture: Architecture) -> float:
    """How far, relatively and summed over limits, an architecture lies outside what the space accepts. 0 where it is inside."""
    return sum(space.screen(architecture).values()) if space.screen else 0.0


def _accepted(space: Space, draw: Callable[[], Architecture | None], rng: random.Random) -> Architecture:
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
    return _accepted(space, lambda: unfold(space, at_random(rng)), rng)


def mutate(space: Space, parent: Architecture, rng: random.Random) -> Architecture:
    """Forget one decision and all that hung on it, answer it differently, replay the rest (Real et al. 2019, arXiv:1802.01548).

    A space of one architecture has no mutant: :class:`SpaceError`.
    """
    old = parent.decisions
    sizes = _sizes(space, parent)
    paths = sorted(path for path in old if sizes[path] > 1)
    if not paths:
        raise SpaceError("it holds one architecture, which has no mutant", where=space.name)

    def draw() -> Architecture | None:
        gone = rng.choice(paths)
        fresh = replay(old, at_random(rng))

        def pick(path: str, hole: Hole) -> Answer:
            if path != gone or not hole.fits(old[path]):
                return fresh(path, hole)
            other = rng.randrange(hole.count - 1)
            return hole.at(other + (other >= hole.index(old[path])))

        child = unfold(space, pick)
        return None if child.laid_as(parent) else child

    return _accepted(space, draw, rng)


def cross(space: Space, mother: Architecture, father: Architecture, rng: random.Random) -> Architecture:
    """Uniform crossover: each decision from one of the parents that took it; what neither took is drawn."""
    a, b = mother.decisions, father.decisions

    def draw() -> Architecture:
        mixed = {path: (a if path in a and (path not in b or rng.random() < 0.5) else b)[path] for path in sorted(a | b)}
        return unfold(space, replay(mixed, at_random(rng)))

    return _accepted(space, draw, rng)


def _sizes(space: Space, architecture: Architecture) -> dict[str, int]:
    sizes: dict[str, int] = {}
    trace = architecture.decisions

    def pick(path: str, hole: Hole) -> Answer:
        sizes[path] = hole.count
        return trace[path]

    unfold(space, pick)
    return {path: sizes.get(path, 1) for path in trace}  # a hole below the depth limit was not asked


def neighbours(space: Space, architecture: Architecture, rng: random.Random) -> Iterator[Architecture]:
    """Every architecture that differs in one decision; what comes to hang on it is drawn. Limits are not asked."""
    trace = architecture.decisions
    holes: dict[str, Hole] = {}

    def note(path: str, hole: Hole) -> Answer:
        holes[path] = hole
        return trace[path]

    unfold(space, note)
    for path, hole in holes.items():
        for index in range(hole.count):
            if hole.at(index) != trace[path]:
                yield unfold(space, replay({**trace, path: hole.at(index)}, at_random(rng)))


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
