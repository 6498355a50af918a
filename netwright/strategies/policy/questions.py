"""A hole as a few questions with few answers each, so that a policy can weigh every answer of any hole."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from netwright.core.architecture import Answer
from netwright.core.terms import Choice, Hole, Limited, Subset

__all__ = ["Question", "answered"]


class Question(NamedTuple):
    """Which option of the hole at ``path``, or, of a subset, whether ``member`` is kept: 0 or 1.

    ``weights``: of each answer, how many ways a uniform draw has to give it, 0 where it cannot be given.
    """

    path: str
    member: int
    weights: tuple[float, ...]

    @property
    def name(self) -> str:
        return self.path if self.member < 0 else f"{self.path} {self.member}"

    def reply(self, trace: Mapping[str, Answer]) -> int:
        """What a trace answers."""
        given = trace[self.path]
        if isinstance(given, tuple):
            return int(self.member in given)
        assert given is not None
        return given


Reply = Callable[[Question], int]
_Listed = Sequence[tuple[Answer, int]]


def answered(path: str, hole: Hole, reply: Reply) -> Answer:
    """The hole's answer, after ``reply`` has answered its questions. What has one answer only is not asked.

    A choice is one question. A subset is one for each member: the policy need not weigh thousands of sets. Who replies at
    random, by the weights, draws as :meth:`~netwright.core.terms.Choice.draw` does.
    """
    listed = list(zip(hole.answers, hole.weights, strict=True)) if isinstance(hole, Limited) else None
    whole = hole.hole if isinstance(hole, Limited) else hole
    return _option(path, whole, listed, reply) if isinstance(whole, Choice) else _members(path, whole, listed, reply)


def _asked(question: Question, reply: Reply) -> int:
    possible = [answer for answer, weight in enumerate(question.weights) if weight > 0]
    return possible[0] if len(possible) == 1 else reply(question)


def _option(path: str, hole: Choice, listed: _Listed | None, reply: Reply) -> int:
    weights = [1.0] * len(hole.options)
    if listed is not None:
        given = dict(listed)
        weights = [float(given.get(option, 0)) for option in range(len(hole.options))]
    return _asked(Question(path, -1, tuple(weights)), reply)


def _members(path: str, hole: Subset, listed: _Listed | None, reply: Reply) -> Answer:
    if listed is not None:
        return _listed_members(path, len(hole.options), listed, reply)
    kept: list[int] = []
    for member in range(len(hole.options)):
        left = len(hole.options) - member - 1
        ways = _ways(hole, left, len(kept)), _ways(hole, left, len(kept) + 1)
        kept += [member] * _asked(Question(path, member, ways), reply)
    return tuple(kept)


def _listed_members(path: str, size: int, listed: _Listed, reply: Reply) -> Answer:
    total = sum(weight for _, weight in listed)
    for member in range(size):
        if len(listed) == 1:
            break
        having = [each for each in listed if member in each[0]]  # type: ignore[operator]
        count = sum(weight for _, weight in having)
        if _asked(Question(path, member, (float(total - count), float(count))), reply):
            listed, total = having, count
        else:
            listed, total = [each for each in listed if member not in each[0]], total - count  # type: ignore[operator]
    return listed[0][0]


def _ways(hole: Subset, left: int, kept: int) -> float:
    """How many subsets go on from here: ``left`` members are open."""
    return float(sum(math.comb(left, size - kept) for size in range(max(kept, hole.at_least), hole.at_most + 1)))
