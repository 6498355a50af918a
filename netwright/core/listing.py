"""The traces of a table that holds a sample of its space: a tree of answers, in the order in which holes are asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from netwright.core.architecture import Answer
from netwright.core.terms import Choice, Limited, Subset
from netwright.errors import SpaceError

__all__ = ["Listed", "Listing"]

NEAR = 200
"""Neighbours of a trace that are looked for at least."""

KNOWN = 256
"""Traces whose neighbours are remembered."""


class Listed:
    """What is still possible after some answers: ``count`` traces, whose next answer at ``path`` leads on."""

    __slots__ = ("_limited", "branches", "count", "path")

    def __init__(self) -> None:
        self.count = 0
        self.path = ""
        self.branches: dict[Answer, Listed] = {}
        self._limited: Limited | None = None

    def limited(self, hole: Choice | Subset) -> Limited:
        """The hole with the answers that are left."""
        known = self._limited
        if known is None or known.hole is not hole:
            counts = tuple(branch.count for branch in self.branches.values())
            known = self._limited = Limited(hole, tuple(self.branches), counts)
        return known

    def after(self, path: str, answer: Answer, name: str) -> Listed | None:
        """What is left then; None where several options are kept, which is the whole space's affair."""
        if answer in self.branches:
            return self.branches[answer]
        if answer is None or (isinstance(answer, tuple) and self.branches and isinstance(next(iter(self.branches)), int)):
            return None
        raise SpaceError(f"no listed trace answers {answer!r} at {path} after these answers", where=name)


class Listing:
    """All traces; see :meth:`netwright.core.space.Space.only`."""

    def __init__(self) -> None:
        self.root = Listed()
        self.members: list[dict[str, Answer]] = []
        """The traces, each once."""
        self._codes: list[int] = []
        self._bits: dict[tuple[str, Answer], int] = {}
        self._known: dict[int, list[list[int]]] = {}

    @property
    def count(self) -> int:
        return self.root.count

    def add(self, asked: Sequence[tuple[str, Answer]]) -> None:
        """Put in a trace, its answers in the order in which they are asked."""
        at = self.root
        at.count += 1
        fresh = not asked and at.count == 1
        for path, answer in asked:
            at.path = path
            fresh = answer not in at.branches
            at._limited = None
            at = at.branches.setdefault(answer, Listed())
            at.count += 1
        if fresh:
            self.members.append(dict(asked))
            self._codes.append(self._code(self.members[-1]))

    def _code(self, trace: Mapping[str, Answer]) -> int:
        """A bit for each answer, for each member of a subset."""
        code = 0
        for path, answer in trace.items():
            for kept in answer if isinstance(answer, tuple) else (answer,):
                code |= 1 << self._bits.setdefault((path, kept), len(self._bits))
        return code

    def around(self, trace: Mapping[str, Answer]) -> list[list[int]]:
        """Places of the :attr:`members` that are nearest to a trace, itself apart, in groups of one distance, the nearest first:
        another answer counts two, a member of a subset one."""
        code = self._code(trace)
        if code not in self._known:
            groups: dict[int, list[int]] = {}
            for place, other in enumerate(self._codes):
                groups.setdefault((code ^ other).bit_count(), []).append(place)
            groups.pop(0, None)
            kept: list[list[int]] = []
            for distance in sorted(groups):
                kept.append(groups[distance])
                if sum(map(len, kept)) >= NEAR:
                    break
            if len(self._known) >= KNOWN:
                self._known.pop(next(iter(self._known)))
            self._known[code] = kept
        return self._known[code]
