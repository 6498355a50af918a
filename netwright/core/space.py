"""A search space is an architecture with holes. One recursion, :func:`unfold`, asks at each hole and lays the answer flat.

What an expression is written in stands in :mod:`netwright.core.terms`, and can be imported from here too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any, Final

from netwright.core.architecture import Answer, Architecture, Node, Signature
from netwright.core.terms import Branches, Cell, Chain, Choice, Edge, Hole, Op, Range, Ref, Repeat, Seq, Subset, Term, Tie, op
from netwright.errors import SpaceError

__all__ = [
    "ALL",
    "Branches",
    "Cell",
    "Chain",
    "Choice",
    "Edge",
    "Hole",
    "Op",
    "Pick",
    "Range",
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

ALL: Final = None
"""The answer that keeps every option: a supernet's way."""


Pick = Callable[[str, Hole], Answer]
"""What answers a hole, given its path: an index, a set of indices to keep, or :data:`ALL`."""

Screen = Callable[[Architecture], Mapping[str, float]]
"""What an architecture exceeds: limit → relative excess. Empty where it is accepted. Composed from the counted limits."""


@dataclass(frozen=True)
class Space:
    """An expression with holes, the rules it refers to, and what it accepts beyond being well formed."""

    body: Term
    name: str = "space"
    rules: Mapping[str, Term] = field(default_factory=dict)
    max_depth: int = 8
    signature: Signature | None = None
    screen: Screen | None = field(default=None, compare=False)

    def screened(self, screen: Screen | None) -> Space:
        """The same space that accepts only what ``screen`` finds no excess in."""
        return replace(self, screen=screen)

    @cached_property
    def digest(self) -> str:
        """Names the expression: a trace means the same in every space with this digest."""
        text = repr((self.body, sorted(self.rules.items()), self.max_depth))
        return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()

    def to_json(self) -> dict[str, Any]:
        """The expression as JSON, to be kept with a run and read by people."""
        return {
            "name": self.name,
            "digest": self.digest,
            "body": _plain(self.body),
            "rules": {name: _plain(term) for name, term in self.rules.items()},
            "max_depth": self.max_depth,
        }


def _plain(value: Any) -> Any:
    match value:
        case Op():
            return {"op": value.name, **{k: _plain(v) for k, v in value.attrs}}
        case tuple():
            return [_plain(v) for v in value]
        case _ if hasattr(type(value), "__dataclass_fields__"):
            return {type(value).__name__: {f.name: _plain(getattr(value, f.name)) for f in fields(value)}}
        case _:
            return value


# ---- the one recursion ------------------------------------------------------------------------------------------------


def unfold(space: Space, pick: Pick) -> Architecture:
    """Walk the expression, ask ``pick`` at each hole, lay the nodes flat.

    Raises :class:`SpaceError` where the expression cannot be laid (a rule without end, a kept attribute without order).
    """
    walk = _Walk(space, pick)
    last = walk.go(space.body, "net", "net", (-1,), 0)
    return Architecture(tuple(walk.nodes), (last,), tuple(walk.trace.items()))


class _Walk:
    """State of one unfolding: the nodes laid so far and the decisions taken."""

    def __init__(self, space: Space, pick: Pick) -> None:
        self.space, self.pick = space, pick
        self.nodes: list[Node] = []
        self.trace: dict[str, Answer] = {}

    def answer(self, path: str, hole: Hole, depth: int) -> Answer:
        key = hole.name or path
        if key not in self.trace:
            given: Answer = hole.at(hole.count - 1) if depth > self.space.max_depth else self.pick(key, hole)
            self.trace[key] = given
        return self.trace[key]

    def kept(self, path: str, hole: Choice, depth: int) -> tuple[int, ...]:
        """The indices of the options of a choice that stay: one, some, or all."""
        given = self.answer(path, hole, depth)
        if given is ALL:
            return tuple(range(len(hole.options)))
        return (given,) if isinstance(given, int) else given

    def value(self, value: Any, path: str, depth: int) -> Any:
        """An attribute. Where several values are kept, a layer is built at its largest and cut to the others."""
        if not isinstance(value, Choice):
            return value
        kept = [value.options[i] for i in self.kept(path, value, depth)]
        if len(kept) > 1 and not all(isinstance(v, (int, float)) for v in kept):
            raise SpaceError(f"the options {kept} cannot be kept together: they have no largest", where=path)
        return max(kept) if len(kept) > 1 else kept[0]

    def emit(self, node: Node) -> int:
        self.nodes.append(node)
        return len(self.nodes) - 1

    def join(self, how: str, inputs: Sequence[int]) -> int:
        return inputs[0] if len(inputs) == 1 else self.emit(Node(how, tuple(inputs)))

    def go(self, term: Term, dp: str, wp: str, x: tuple[int, ...], depth: int) -> int:
        """Lay ``term`` over the outputs ``x``; decisions live under ``dp``, weights under ``wp``. Returns its last node."""
        match term:
            case Op():
                attrs = tuple((k, self.value(v, f"{dp}.{k}", depth)) for k, v in term.attrs)
                return self.emit(Node(term.name, (x[-1],), attrs, wp))
            case Seq():
                for i, part in enumerate(term.parts):
                    x = (*x, self.go(part, f"{dp}.{i}", f"{wp}.{i}", x, depth))[-term.memory :]
                return x[-1]
            case Repeat():
                return self.repeat(term, dp, wp, x, depth)
            case Choice():
                return self.choice(term, dp, wp, x, depth)
            case Subset():
                given = self.answer(dp, term, depth)
                members = range(len(term.options)) if given is ALL else given
                assert not isinstance(members, int)
                base = term.name if term.shared and term.name else wp
                ends = [self.go(term.options[i], f"{term.name or dp}={i}", f"{base}={i}", x, depth) for i in members]
                if given is ALL:
                    return self.emit(Node("mix", tuple(ends), hole=term.name or dp))
                return self.join("sum", ends)
            case Branches():
                ends = [self.go(part, f"{dp}.{i}", f"{wp}.{i}", x, depth) for i, part in enumerate(term.parts)]
                if term.project:
                    fitted = (
                        self.emit(Node("project", (end, ends[0]), (), f"{wp}.{i}.fit")) for i, end in enumerate(ends[1:], 1)
                    )
                    ends = [ends[0], *fitted]
                return self.join(term.join, ends)
            case Cell():
                return self.cell(term, dp, wp, x, depth)
            case Tie():
                return self.go(term.body, term.name, term.name if term.shared else wp, x, depth)
            case Ref():
                if depth > self.space.max_depth + 1:
                    raise SpaceError(
                        f"rule {term.rule!r} unfolds without end",
                        where=dp,
                        todo="Make the last option of its choices one that does not refer to the rule again.",
                    )
                if term.rule not in self.space.rules:
                    raise SpaceError(f"no rule is named {term.rule!r}", where=dp)
                return self.go(self.space.rules[term.rule], f"{dp}.{term.rule}", f"{wp}.{term.rule}", x, depth + 1)
            case _:
                raise SpaceError(f"{term!r} is not a layer or an expression of layers", where=dp)

    def choice(self, term: Choice, dp: str, wp: str, x: tuple[int, ...], depth: int) -> int:
        kept = self.kept(dp, term, depth)
        base = term.name if term.shared and term.name else wp
        ends = [self.go(term.options[i], f"{term.name or dp}={i}", f"{base}={i}", x, depth) for i in kept]
        return ends[0] if len(ends) == 1 else self.emit(Node("mix", tuple(ends), hole=term.name or dp))

    def repeat(self, term: Repeat, dp: str, wp: str, x: tuple[int, ...], depth: int) -> int:
        times = term.times
        counts = (times,) if isinstance(times, int) else tuple(times.options[i] for i in self.kept(f"{dp}.times", times, depth))
        ends = {0: x[-1]}
        for i in range(max(counts)):
            inner = f"{dp}.body" if term.tied else f"{dp}.{i}"
            x = (*x, self.go(term.body, inner, f"{wp}.{i}", x, depth))[-term.memory :]
            ends[i + 1] = x[-1]
        if len(counts) == 1:
            return ends[counts[0]]
        assert isinstance(times, Choice)
        return self.emit(Node("mix", tuple(ends[c] for c in counts), hole=times.name or f"{dp}.times"))

    def cell(self, term: Cell, dp: str, wp: str, x: tuple[int, ...], depth: int) -> int:
        states = list((x[:1] * term.inputs + x)[-term.inputs :])
        for n, edges in enumerate(term.nodes):
            ends = []
            for k, edge in enumerate(edges):
                d, w = f"{dp}.{n}.{k}", f"{wp}.{n}.{k}"
                if isinstance(edge.source, int):
                    start = states[edge.source]
                else:
                    kept = self.kept(f"{d}.from", edge.source, depth)
                    starts = tuple(states[edge.source.options[i]] for i in kept)
                    mixed = len(starts) > 1
                    start = self.emit(Node("mix", starts, hole=edge.source.name or f"{d}.from")) if mixed else starts[0]
                ends.append(self.go(edge.term, f"{d}.op", f"{w}.op", (start,), depth))
            states.append(self.join(term.join, ends))
        inner = states[term.inputs :]
        return inner[-1] if term.output == "last" else self.join(term.output, inner)
