"""The traces of a table that holds a sample of its space: a tree of answers, in the order in which holes are asked."""

from __future__ import annotations

from collections.abc import Sequence

from netwright.core.architecture import Answer
from netwright.core.terms import Choice, Limited, Subset
from netwright.errors import SpaceError

__all__ = ["Listed", "Listing"]


class Listed:
    """What is still possible after some answers: ``count`` traces, whose next answer at ``path`` leads on."""

    __slots__ = ("branches", "count", "path")

    def __init__(self) -> None:
        self.count = 0
        self.path = ""
        self.branches: dict[Answer, Listed] = {}

    def limited(self, hole: Choice | Subset) -> Limited:
        """The hole with the answers that are left."""
        return Limited(hole, tuple(self.branches), tuple(branch.count for branch in self.branches.values()))

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

    @property
    def count(self) -> int:
        return self.root.count

    def add(self, asked: Sequence[tuple[str, Answer]]) -> None:
        """Put in a trace, its answers in the order in which they are asked."""
        at = self.root
        at.count += 1
        for path, answer in asked:
            at.path = path
            at = at.branches.setdefault(answer, Listed())
            at.count += 1
