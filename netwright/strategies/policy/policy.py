"""Draws architectures by answering a space's questions one after the other, and remembers what is asked after which answers."""

from __future__ import annotations

import math
from random import Random

from netwright.core.architecture import Architecture
from netwright.core.space import Space, unfold
from netwright.core.walk import Walk
from netwright.strategies.policy.controller import Array, Controller, Step
from netwright.strategies.policy.questions import Question, answered

__all__ = ["Policy"]

MOST_NODES = 200_000
"""Nodes that are remembered before the tree is grown anew."""


class _Node:
    """What is asked after some answers, once it is known; at the end, the architecture."""

    __slots__ = ("asked", "below", "end", "row")

    def __init__(self) -> None:
        self.asked: Question | None = None
        self.row = 0
        self.below: dict[int, _Node] = {}
        self.end: Architecture | None = None


class Policy:
    """A controller at work on a space. Until it has learned anything it draws as ``core.picks.sample`` does."""

    def __init__(self, space: Space, controller: Controller) -> None:
        self.space, self.controller = space, controller
        self._grow()

    def _grow(self) -> None:
        self._root, self._nodes = _Node(), 1
        self.changed()

    def changed(self) -> None:
        """The controller has learned: what it thought before counts no more."""
        self._states: dict[int, Array] = {id(self._root): self.controller.state(None, 0)}
        self._logits: dict[int, list[float]] = {}

    def draw(self, rng: Random, boldness: float = 1.0) -> Architecture:
        """Answer every question at random: at ``boldness`` 1 as the policy would, at 0 as a uniform draw."""
        if self._nodes > MOST_NODES:
            self._grow()
        node, given = self._root, list[int]()
        while node.asked is not None:  # as far as it is known what is asked
            given.append(self._chosen(node, rng, boldness))
            node = self._after(node, given[-1])
        if node.end is not None:
            return node.end
        known = iter(given)

        def reply(question: Question) -> int:
            nonlocal node
            if (again := next(known, None)) is not None:
                return again
            node.asked, node.row = question, self.controller.place(question.name, len(question.weights))
            answer = self._chosen(node, rng, boldness)
            node = self._after(node, answer)
            return answer

        end = unfold(self.space, lambda path, hole: answered(path, hole, reply))
        node.end = end
        return end

    def _chosen(self, node: _Node, rng: Random, boldness: float) -> int:
        assert node.asked is not None
        weights = node.asked.weights
        if (logits := self._logits.get(id(node))) is None:
            logits = self._logits[id(node)] = self.controller.logits(self._states[id(node)], node.row, len(weights))
        top = max(logits)
        chances = [weight * math.exp(boldness * (logit - top)) for weight, logit in zip(weights, logits, strict=True)]
        left = rng.random() * sum(chances)
        for answer, chance in enumerate(chances):
            if (left := left - chance) < 0:
                return answer
        return max(range(len(chances)), key=chances.__getitem__)  # rounding

    def _after(self, node: _Node, answer: int) -> _Node:
        if answer not in node.below:
            node.below[answer] = _Node()
            self._nodes += 1
        below = node.below[answer]
        if id(below) not in self._states:
            self._states[id(below)] = self.controller.state(self._states[id(node)], node.row + answer)
        return below

    def steps(self, architecture: Architecture) -> list[Step]:
        """The questions that lead to an architecture, and how it answers them."""
        trace, found = architecture.decisions, list[Step]()

        def reply(question: Question) -> int:
            given = question.reply(trace)
            found.append((self.controller.place(question.name, len(question.weights)), question.weights, given))
            return given

        node: _Node | None = self._root
        while node is not None and node.asked is not None:  # drawn here, so its questions are known
            node = node.below.get(reply(node.asked))
        if node is None or node.end is None:
            found.clear()
            Walk(self.space, lambda path, hole: answered(path, hole, reply), only_asks=True).root()
        return found
