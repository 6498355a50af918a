"""The words a space is written in: holes, and the terms that hold them (layers, sequences, branches, cells, rules).

The words follow the field: cells and edges (Zoph et al. 2018, arXiv:1707.07012; Dong & Yang 2020, arXiv:2001.00326),
chains of blocks (Cai et al. 2019, arXiv:1812.00332), grammars (Schrodi et al. 2023, arXiv:2211.01842).
"""

from __future__ import annotations

import math
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
    "Hole",
    "Op",
    "Range",
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


def Range(low: int, high: int, step: int = 1, *, name: str = "") -> Choice:
    """The whole numbers from ``low`` to ``high``, both included, as a :class:`Choice`."""
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


Hole = Choice | Subset


# ---- terms: what an author writes -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Op:
    """One layer. Attributes may be holes."""

    name: str
    attrs: Attrs = ()


def op(name: str, **attrs: Any) -> Op:
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

    ``output`` is ``last``, or how all the inner nodes are joined: ``sum`` or ``concat``.
    """

    nodes: tuple[tuple[Edge, ...], ...]
    inputs: int = 1
    join: str = "sum"
    output: str = "last"


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


Term = Op | Seq | Repeat | Branches | Cell | Tie | Ref | Choice | Subset
