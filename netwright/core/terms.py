"""The words a space is written in: holes, and the terms that hold them (layers, sequences, branches, cells, rules).

The words follow the field: cells and edges (Zoph et al. 2018, arXiv:1707.07012; Dong & Yang 2020, arXiv:2001.00326),
chains of blocks (Cai et al. 2019, arXiv:1812.00332), grammars (Schrodi et al. 2023, arXiv:2211.01842).
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from netwright.core.architecture import Answer, Attrs
from netwright.errors import SpaceError

__all__ = [
    "Branches",
    "Cell",
    "Chain",
    "Choice",
    "Edge",
    "Graph",
    "Hole",
    "Input",
    "Let",
    "Limited",
    "Op",
    "Range",
    "Recur",
    "Ref",
    "Repeat",
    "Seq",
    "Subset",
    "Term",
    "Tie",
    "op",
]


# ---- holes ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Choice:
    """One of several options: layers, expressions, or values of an attribute.

    Holes with the same ``name`` are one decision, asked once. Their weights stay apart unless ``shared``.
    """

    options: tuple[Any, ...]
    name: str = ""
    shared: bool = False

    def __init__(self, *options: Any, name: str = "", shared: bool = False) -> None:
        if not options:
            raise SpaceError("a Choice needs at least one option", where=name or "Choice")
        object.__setattr__(self, "options", options)
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "shared", shared)

    @property
    def count(self) -> int:
        """How many answers there are."""
        return len(self.options)

    def at(self, index: int) -> Answer:
        """The answer with that index, from 0 to ``count`` − 1."""
        return index

    def index(self, answer: Answer) -> int:
        """The inverse of :meth:`at`."""
        assert isinstance(answer, int)
        return answer

    def fits(self, answer: Answer) -> bool:
        """Whether a remembered answer is one that this hole can give."""
        return isinstance(answer, int) and 0 <= answer < len(self.options)

    def draw(self, rng: random.Random) -> Answer:
        """An answer, each as likely as any other."""
        return rng.randrange(len(self.options))

    def near(self, answer: Answer) -> list[Answer]:
        """The answers that are a step away: all others."""
        return [i for i in range(len(self.options)) if i != answer]

    def step(self, answer: Answer, rng: random.Random) -> Answer:
        """One of :meth:`near`."""
        other = rng.randrange(len(self.options) - 1)
        return other + (other >= self.index(answer))


def Range(low: int, high: int, step: int = 1, *, name: str = "") -> Choice:
    """The whole numbers from ``low`` to ``high``, both included, as a :class:`Choice`."""
    if any(type(n) is not int for n in (low, high, step)) or step < 1 or high < low:
        raise SpaceError(f"there is no whole number from {low!r} to {high!r} in steps of {step!r}", where=name or "Range")
    return Choice(*range(low, high + 1, step), name=name)


@dataclass(frozen=True)
class Subset:
    """Between ``at_least`` and ``at_most`` different options, which are summed. Weights are keyed by member."""

    options: tuple[Any, ...]
    at_least: int = 1
    at_most: int = 0
    name: str = ""
    shared: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "options", tuple(self.options))
        object.__setattr__(self, "at_most", self.at_most or len(self.options))
        if not 0 < self.at_least <= self.at_most <= len(self.options):
            raise SpaceError(f"a Subset of {len(self.options)} options cannot keep {self.at_least} to {self.at_most}")

    @property
    def count(self) -> int:
        return sum(math.comb(len(self.options), k) for k in range(self.at_least, self.at_most + 1))

    def at(self, index: int) -> Answer:
        """Answers in order of size, then lexicographically."""
        n = len(self.options)
        for k in range(self.at_least, self.at_most + 1):
            if index < math.comb(n, k):
                chosen: list[int] = []
                low = 0
                for left in range(k, 0, -1):
                    while index >= (block := math.comb(n - low - 1, left - 1)):
                        index -= block
                        low += 1
                    chosen.append(low)
                    low += 1
                return tuple(chosen)
            index -= math.comb(n, k)
        raise IndexError(index)

    def index(self, answer: Answer) -> int:
        assert isinstance(answer, tuple)
        n, k = len(self.options), len(answer)
        before = sum(math.comb(n, smaller) for smaller in range(self.at_least, k))
        low = 0
        for position, member in enumerate(answer):
            before += sum(math.comb(n - skipped - 1, k - position - 1) for skipped in range(low, member))
            low = member + 1
        return before

    def fits(self, answer: Answer) -> bool:
        if not isinstance(answer, tuple) or not self.at_least <= len(answer) <= self.at_most:
            return False
        return list(answer) == sorted(set(answer)) and answer[0] >= 0 and answer[-1] < len(self.options)

    def draw(self, rng: random.Random) -> Answer:
        return self.at(rng.randrange(self.count))

    def near(self, answer: Answer) -> list[Answer]:
        """The answers that are a step away: a member is left out, taken in, or exchanged for another."""
        return [near for way in self._steps(answer) for near in way]

    def step(self, answer: Answer, rng: random.Random) -> Answer:
        """One of :meth:`near`; leaving out, taking in and exchanging are as likely as each other."""
        return rng.choice(rng.choice([way for way in self._steps(answer) if way]))

    def _steps(self, answer: Answer) -> tuple[list[Answer], list[Answer], list[Answer]]:
        assert isinstance(answer, tuple)
        others = [i for i in range(len(self.options)) if i not in answer]
        fewer = [tuple(i for i in answer if i != gone) for gone in answer]
        more: list[Answer] = [tuple(sorted((*answer, new))) for new in others] if len(answer) < self.at_most else []
        exchanged: list[Answer] = [tuple(sorted((*rest, new))) for rest in fewer for new in others]
        return list(fewer) if len(answer) > self.at_least else [], more, exchanged


@dataclass(frozen=True)
class Limited:
    """A hole that offers some of its answers only: those that a listed trace still allows, ``weights`` traces each.

    A draw is uniform over these traces. See :meth:`netwright.core.space.Space.only`.
    """

    hole: Choice | Subset
    answers: tuple[Answer, ...]
    weights: tuple[int, ...]

    @property
    def name(self) -> str:
        return self.hole.name

    @property
    def options(self) -> tuple[Any, ...]:
        return self.hole.options

    @property
    def count(self) -> int:
        return len(self.answers)

    def at(self, index: int) -> Answer:
        return self.answers[index]

    def index(self, answer: Answer) -> int:
        return self.answers.index(answer)

    def fits(self, answer: Answer) -> bool:
        return answer in self.answers

    def draw(self, rng: random.Random) -> Answer:
        left = rng.randrange(sum(self.weights))
        for answer, weight in zip(self.answers, self.weights, strict=True):
            if (left := left - weight) < 0:
                return answer
        raise AssertionError("the weights add up")

    def near(self, answer: Answer) -> list[Answer]:
        return [other for other in self.answers if other != answer]

    def step(self, answer: Answer, rng: random.Random) -> Answer:
        return rng.choice(self.near(answer))


Hole = Choice | Subset | Limited


# ---- terms: what an author writes -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Op:
    """One layer. Attributes may be holes."""

    name: str
    attrs: Attrs = ()


def op(name: str, /, **attrs: Any) -> Op:
    """A layer by name with its attributes: ``op("conv", width=Choice(8, 16), kernel=3)``."""
    return Op(name, tuple(sorted(attrs.items())))


@dataclass(frozen=True)
class Seq:
    """One part after the other; each sees the last ``memory`` outputs (only a Cell can use more than one)."""

    parts: tuple[Term, ...]
    memory: int = 1

    def __init__(self, *parts: Term, memory: int = 1) -> None:
        object.__setattr__(self, "parts", parts)
        object.__setattr__(self, "memory", memory)


def Chain(*parts: Term, memory: int = 2) -> Seq:
    """A Seq that passes on the last ``memory`` outputs, as the cells of DARTS and NASNet want them."""
    return Seq(*parts, memory=memory)


@dataclass(frozen=True)
class Repeat:
    """``body`` several times. ``tied``: every copy takes the same decisions (its weights stay its own)."""

    body: Term
    times: int | Choice
    tied: bool = False
    memory: int = 1


@dataclass(frozen=True)
class Branches:
    """Several parts over the same input, joined by ``sum`` or ``concat``.

    Branches that meet in a sum need one width; ``project=True`` fits the others to the first (a 1×1 convolution where
    shapes differ, nothing where they agree).
    """

    parts: tuple[Term, ...]
    join: str = "sum"
    project: bool = False

    def __init__(self, *parts: Term, join: str = "sum", project: bool = False) -> None:
        object.__setattr__(self, "parts", parts)
        object.__setattr__(self, "join", join)
        object.__setattr__(self, "project", project)


@dataclass(frozen=True)
class Edge:
    """An edge of a cell: from which earlier node (a number, or a hole over numbers), through what."""

    source: int | Choice
    term: Term


@dataclass(frozen=True)
class Cell:
    """A graph of nodes that join (``join``) their incoming edges. Nodes 0 … ``inputs`` − 1 are the inputs, the oldest first.

    A node is a tuple of edges, or a :class:`Subset` of edges (two *different* inputs of a DARTS node). ``output`` is
    ``last``, or how all the inner nodes are joined: ``sum`` or ``concat``.
    """

    nodes: tuple[tuple[Edge, ...] | Subset, ...]
    inputs: int = 1
    join: str = "sum"
    output: str = "last"


@dataclass(frozen=True)
class Graph:
    """A graph of named parts: (name, term, names of its inputs). ``x`` is the newest input, ``x1`` the one before it.

    A layer gets all its inputs in order; any other term sees them as its inputs, the last one newest.
    """

    nodes: tuple[tuple[str, Term, tuple[str, ...]], ...]
    output: str

    def __init__(self, nodes: Sequence[tuple[str, Term, Sequence[str]]], output: str = "") -> None:
        if any(not isinstance(node, tuple) or len(node) != 3 for node in nodes):
            raise SpaceError("a part of a Graph is (name, term, names of its inputs)", where="Graph")
        plain = tuple((name, term, tuple(inputs)) for name, term, inputs in nodes)
        object.__setattr__(self, "nodes", plain)
        object.__setattr__(self, "output", output or (plain[-1][0] if plain else ""))


@dataclass(frozen=True)
class Input:
    """The task's input of that name, wherever it stands: how a second input comes in."""

    name: str


@dataclass(frozen=True)
class Recur:
    """``body`` once for each time step: (time, features) → (time, units). Its nodes share a scope.

    Inside, everything is a vector; layer ``state`` gives what layer ``carry`` kept at the step before, zeros at first.
    """

    body: Term


@dataclass(frozen=True)
class Let:
    """Ask ``holes`` in order, then lay ``make(**chosen)``: for rules that no other word can say.

    ``make`` is a pure function of a module, given each hole's option (or, of a :class:`Subset`, the tuple of its kept
    options), and returns a term without holes. Several options cannot be kept: it has no supernet.
    """

    make: Callable[..., Term]
    holes: tuple[tuple[str, Choice | Subset], ...]

    def __init__(self, make: Callable[..., Term], /, **holes: Choice | Subset) -> None:
        object.__setattr__(self, "make", make)
        object.__setattr__(self, "holes", tuple(holes.items()))

    @property
    def rule(self) -> str:
        """The function's name, which stands for it wherever a space is written down."""
        named = getattr(self.make, "__qualname__", "")
        return f"{self.make.__module__}.{named}" if named else repr(self.make)

    def __repr__(self) -> str:
        return f"Let({self.rule}, {', '.join(f'{key}={hole!r}' for key, hole in self.holes)})"


@dataclass(frozen=True)
class Tie:
    """Each use of the same ``name`` takes the same decisions in ``body``; ``shared``: and has the same weights."""

    name: str
    body: Term
    shared: bool = False


@dataclass(frozen=True)
class Ref:
    """A rule of the space's grammar. Below ``max_depth`` every hole answers with its last option, which must not recur."""

    rule: str


Term = Op | Seq | Repeat | Branches | Cell | Graph | Input | Recur | Let | Tie | Ref | Choice | Subset
