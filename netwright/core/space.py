"""A search space is an architecture with holes. One recursion, :func:`unfold`, asks at each hole and lays the answer flat.

What an expression is written in stands in :mod:`netwright.core.terms`, and can be imported from here too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any

from netwright.core.architecture import Answer, Architecture, Signature
from netwright.core.listing import Listing
from netwright.core.terms import (
    Branches,
    Cell,
    Chain,
    Choice,
    Edge,
    Graph,
    Hole,
    Input,
    Let,
    Op,
    Range,
    Recur,
    Ref,
    Repeat,
    Seq,
    Subset,
    Term,
    Tie,
    op,
)
from netwright.core.walk import ALL, Laid, Pick, Walk
from netwright.core.wellformed import check, has_let
from netwright.errors import SpaceError

__all__ = [
    "ALL",
    "Branches",
    "Cell",
    "Chain",
    "Choice",
    "Edge",
    "Graph",
    "Hole",
    "Input",
    "Let",
    "Op",
    "Pick",
    "Range",
    "Recur",
    "Ref",
    "Repeat",
    "Screen",
    "Seq",
    "Space",
    "Subset",
    "Term",
    "Tie",
    "op",
    "unfold",
]

Screen = Callable[[Architecture], Mapping[str, float]]
"""What an architecture exceeds: limit → relative excess. Empty where it is accepted. Composed from the counted limits."""


@dataclass(frozen=True)
class Space:
    """An expression with holes, the rules it refers to, and what it accepts beyond being well formed.

    ``heads`` are laid over the body's output, one for each head of the signature; without them the body is the only output.
    ``apart``: networks that compute the same were measured apart, as the rows of a table are, so that each is one of its own.
    Raises :class:`SpaceError`, with the path in the expression, where it is not well formed.
    """

    body: Term
    name: str = "space"
    rules: Mapping[str, Term] = field(default_factory=dict)
    max_depth: int = 8
    signature: Signature | None = None
    screen: Screen | None = field(default=None, compare=False)
    heads: tuple[Term, ...] = ()
    listing: Listing | None = field(default=None, compare=False, repr=False)
    apart: bool = field(default=False, compare=False)

    def __post_init__(self) -> None:
        if not isinstance(self.heads, (tuple, list)):
            raise SpaceError("its heads are no tuple of terms", where=self.name, todo="Write heads=(term,).")
        object.__setattr__(self, "heads", tuple(self.heads))
        check({"net": self.body, **{f"head.{i}": head for i, head in enumerate(self.heads)}}, self.rules)

    def only(self, traces: Iterable[Mapping[str, Answer]]) -> Space:
        """The same space with these members only: holes offer what some listed trace still allows, and a random draw is
        uniform over the traces. Raises :class:`SpaceError` for a trace that does not fit."""
        listing = Listing()
        for number, trace in enumerate(traces):
            asked: list[tuple[str, Answer]] = []

            def pick(
                path: str,
                hole: Hole,
                trace: Mapping[str, Answer] = trace,
                number: int = number,
                asked: list[tuple[str, Answer]] = asked,
            ) -> Answer:
                if path not in trace or not hole.fits(trace[path]):
                    what = f"answers {trace[path]!r}" if path in trace else "has no answer"
                    raise SpaceError(
                        f"trace {number} {what} at {path}", where=self.name, todo=f"It takes one of {hole.count} answers there."
                    )
                asked.append((path, trace[path]))
                return trace[path]

            walk = Walk(replace(self, listing=None) if self.listing else self, pick, only_asks=True)
            walk.root()
            listing.add(asked)
        if not listing.count:
            raise SpaceError("no trace is listed", where=self.name)
        return replace(self, listing=listing, apart=True)

    @cached_property
    def _lets(self) -> bool:
        """Whether it asks first and lays later, as a Let is dear to lay."""
        return any(has_let(term) for term in (self.body, *self.heads, *self.rules.values()))

    @cached_property
    def _laid(self) -> Laid:
        """Blocks of the parts without holes: laid once for all architectures."""
        return Laid()

    @cached_property
    def _made(self) -> Laid:
        """Blocks of the parts that functions of Lets returned."""
        return Laid()

    @cached_property
    def _open(self) -> dict[int, bool]:
        """Whether a term, by its address, holds holes."""
        return {}

    def screened(self, screen: Screen | None) -> Space:
        """The same space that accepts only what ``screen`` finds no excess in."""
        return replace(self, screen=screen)

    @cached_property
    def digest(self) -> str:
        """Names the expression: a trace means the same in every space with this digest."""
        text = repr((self.body, sorted(self.rules.items()), self.max_depth, *self.heads))
        return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()

    def to_json(self) -> dict[str, Any]:
        """The expression as JSON, to be kept with a run and read by people."""
        return {
            "name": self.name,
            "digest": self.digest,
            "body": _plain(self.body),
            "rules": {name: _plain(term) for name, term in self.rules.items()},
            "max_depth": self.max_depth,
            **({"heads": _plain(self.heads)} if self.heads else {}),
        }


def _plain(value: Any) -> Any:
    match value:
        case Op():
            return {"op": value.name, **{k: _plain(v) for k, v in value.attrs}}
        case tuple():
            return [_plain(v) for v in value]
        case Let():
            return {"Let": {"make": value.rule, "holes": {key: _plain(hole) for key, hole in value.holes}}}
        case _ if hasattr(type(value), "__dataclass_fields__"):
            return {type(value).__name__: {f.name: _plain(getattr(value, f.name)) for f in fields(value)}}
        case _:
            return value


# ---- the one recursion ------------------------------------------------------------------------------------------------


def unfold(space: Space, pick: Pick) -> Architecture:
    """Walk the expression, ask ``pick`` at each hole, lay the parts.

    Raises :class:`SpaceError` where the expression cannot be laid (a rule without end, a kept attribute without order).
    """
    if not space._lets:
        walk = Walk(space, pick)
        block, outputs = walk.root()
        return Architecture.of(block, outputs, tuple(walk.trace.items()))
    walk = Walk(space, pick, only_asks=True)
    walk.root()
    trace = walk.trace
    return Architecture.later(lambda: Walk(space, lambda path, hole: trace[path]).root(), tuple(trace.items()))
