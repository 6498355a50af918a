"""How many members a space has, exactly, from its expression alone; and which holes it has.

A member is a way of answering: a trace. Decisions that are shared (a name, a tied body) are counted once, wherever they are
asked, and only where they are asked.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from itertools import product
from typing import Any

from netwright.core.architecture import Answer
from netwright.core.space import Space
from netwright.core.terms import Branches, Cell, Choice, Edge, Graph, Hole, Let, Op, Recur, Ref, Repeat, Seq, Subset, Tie
from netwright.core.wellformed import holds_holes, parts

__all__ = ["Size", "holes", "size", "ways"]

_Ways = Mapping[frozenset[str], int]
"""Ways to answer what has no name, by the set of named decisions that are asked besides."""

_ONE: _Ways = {frozenset(): 1}

MOST = 10_000
"""Combinations of shared repeat counts that are looked at one by one."""


@dataclass(frozen=True)
class Size:
    """``count`` traces; ``exact``, or else an upper bound."""

    count: int
    exact: bool = True

    def __str__(self) -> str:
        text = f"{self.count:,}" if self.count < 10**15 else f"about 10^{int(math.log10(self.count))}"
        return text if self.exact else f"at most {text}"


def size(space: Space) -> Size:
    """How many traces a space has. A bound where a named decision is asked below the depth limit, or too many repeat counts
    are shared."""
    if space.listing:
        return Size(space.listing.count)
    roots: list[Any] = [space.body, *space.heads]
    counting = _Counting(space, _once(roots, space.rules.values()))
    names = {name: hole for term in (*roots, *space.rules.values()) for name, hole in _shared_counts(term)}
    combinations = 1
    for hole in names.values():
        combinations *= hole.count
    if combinations > MOST:
        counting.exact, names = False, {}
    total = 0
    for answers in product(*(range(hole.count) for hole in names.values())):
        counting.fix(dict(zip(names, answers, strict=True)))
        ways = _times(counting.ways(term, 0) for term in roots)
        total += sum(n * counting.named(asked) for asked, n in ways.items())
    return Size(total, counting.exact)


def _shared_counts(term: Any) -> list[tuple[str, Choice]]:
    """Named holes that say how often something is repeated: what they are answered decides what else is asked."""
    found: list[tuple[str, Choice]] = []
    if isinstance(term, Repeat) and isinstance(term.times, Choice) and term.times.name and holds_holes(term.body):
        found.append((term.times.name, term.times))
    for _, part in parts(term, ""):
        found += _shared_counts(part)
    return found


def _once(roots: Iterable[Any], rules: Iterable[Any]) -> set[str]:
    """Names that stand at one place only, where they are as good as none: what is not shared need not be kept apart."""
    places: dict[str, int] = {}
    seen: set[tuple[int, bool]] = set()

    def look(term: Any, many: bool) -> None:
        if (id(term), True) in seen:
            return
        many = many or (id(term), False) in seen
        seen.add((id(term), many))
        name = getattr(term, "name", "") if isinstance(term, (Choice, Subset, Tie)) else ""
        if name:
            places[name] = places.get(name, 0) + 1 + many
        inside = isinstance(term, Repeat) and not term.tied
        for _, part in parts(term, ""):
            look(part, many or (inside and part is term.body))

    for term in roots:
        look(term, False)
    for term in rules:
        look(term, True)
    return {name for name, count in places.items() if count == 1}


def _times(many: Iterable[_Ways]) -> _Ways:
    def two(a: _Ways, b: _Ways) -> _Ways:
        found: dict[frozenset[str], int] = {}
        for mine, n in a.items():
            for theirs, m in b.items():
                both = mine | theirs
                found[both] = found.get(both, 0) + n * m
        return found

    return reduce(two, many, _ONE)


def _plus(many: Iterable[_Ways]) -> _Ways:
    found: dict[frozenset[str], int] = {}
    for ways in many:
        for asked, n in ways.items():
            found[asked] = found.get(asked, 0) + n
    return found


class _Counting:
    """Counts with some repeat counts fixed."""

    def __init__(self, space: Space, once: set[str]) -> None:
        self.space, self.once, self.exact = space, once, True
        self.fixed: dict[str, int] = {}
        self.inside: dict[str, _Ways] = {}  # what a named decision asks besides, in all its answers
        self.known: dict[tuple[int, int], _Ways] = {}
        self.totals: dict[tuple[frozenset[str], frozenset[str]], int] = {}

    def fix(self, answers: dict[str, int]) -> None:
        self.fixed = answers
        self.inside, self.known, self.totals = {}, {}, {}

    def named(self, asked: frozenset[str], done: frozenset[str] = frozenset()) -> int:
        """Ways to answer these named decisions, and those that they lead to."""
        todo = asked - done
        if not todo:
            return int(all(name in done or answer == 0 for name, answer in self.fixed.items()))
        key = todo, done
        if key not in self.totals:
            name = min(todo)
            rest = todo - {name}
            self.totals[key] = sum(n * self.named(rest | more, done | {name}) for more, n in self.inside[name].items())
        return self.totals[key]

    def ways(self, term: Any, depth: int) -> _Ways:
        key = id(term), depth
        if key not in self.known:
            self.known[key] = self.counted(term, depth)
        return self.known[key]

    def name(self, name: str, inside: _Ways) -> _Ways:
        if name in self.once and name not in self.fixed:
            return inside
        self.inside[name] = inside
        return {frozenset({name}): 1}

    def counted(self, term: Any, depth: int) -> _Ways:
        match term:
            case Choice() | Subset():
                return self.hole(term, depth, layers=True)
            case Op():
                return _times(self.hole(v, depth) for _, v in term.attrs if isinstance(v, Choice))
            case Seq() | Branches():
                return _times(self.ways(part, depth) for part in term.parts)
            case Repeat():
                return self.repeated(term, depth)
            case Cell():
                return _times(self.edges(edges, depth) for edges in term.nodes)
            case Graph():
                return _times(self.ways(part, depth) for _, part, _ in term.nodes)
            case Recur():
                return self.ways(term.body, depth)
            case Let():
                return _times(self.hole(hole, depth) for _, hole in term.holes)
            case Tie():
                return self.name(term.name, self.ways(term.body, depth)) if holds_holes(term.body) else _ONE
            case Ref():
                return self.ways(self.space.rules[term.rule], depth + 1)
            case _:
                return _ONE

    def hole(self, hole: Choice | Subset, depth: int, layers: bool = False) -> _Ways:
        below = depth > self.space.max_depth
        self.exact = self.exact and not (below and hole.name)
        if hole.name in self.fixed and hole.name:
            return self.name(hole.name, _ONE)
        answers = [hole.at(hole.count - 1)] if below else None
        if not layers:
            ways: _Ways = {frozenset(): 1 if below else hole.count}
        elif isinstance(hole, Choice):
            ways = _plus(self.ways(hole.options[i], depth) for i in answers or range(hole.count))  # type: ignore[index]
        else:
            ways = self.subsets([self.ways(option, depth) for option in hole.options], hole, answers)
        return self.name(hole.name, ways) if hole.name else ways

    def subsets(self, options: list[_Ways], hole: Subset, answers: list[Any] | None) -> _Ways:
        """All subsets of a size that is allowed: by number of members, one option after the other."""
        if answers:
            return _times(options[i] for i in answers[0])
        by_number: list[_Ways] = [_ONE, *({} for _ in options)]
        for option in options:
            for k in range(len(options), 0, -1):
                by_number[k] = _plus((by_number[k], _times((by_number[k - 1], option))))
        return _plus(by_number[hole.at_least : hole.at_most + 1])

    def edges(self, edges: tuple[Edge, ...] | Subset, depth: int) -> _Ways:
        def edge(one: Edge) -> _Ways:
            source = self.hole(one.source, depth) if isinstance(one.source, Choice) else _ONE
            return _times((source, self.ways(one.term, depth)))

        if not isinstance(edges, Subset):
            return _times(edge(one) for one in edges)
        below = depth > self.space.max_depth
        ways = self.subsets([edge(one) for one in edges.options], edges, [edges.at(edges.count - 1)] if below else None)
        return self.name(edges.name, ways) if edges.name else ways

    def repeated(self, term: Repeat, depth: int) -> _Ways:
        times, body = term.times, self.ways(term.body, depth)

        def of(t: int) -> _Ways:
            return _times([body] * (min(t, 1) if term.tied else t))

        if isinstance(times, int):
            return of(times)
        asked = self.hole(times, depth)
        if times.name and not holds_holes(term.body):
            return asked
        if times.name in self.fixed and times.name:
            return _times((asked, of(times.options[self.fixed[times.name]])))
        if times.name:  # too many to look at one by one: the most there can be
            return _times((asked, of(max(times.options))))
        options = times.options[-1:] if depth > self.space.max_depth else times.options
        return _plus(of(t) for t in options)


def holes(space: Space) -> dict[str, Hole]:
    """Every hole of a space without rules by its path, whether one member asks them all or not; with rules, those that are
    reached before a rule comes a second time."""
    return {path: hole for path, (hole, _) in _reached(space).items()}


def ways(space: Space) -> dict[str, dict[str, Answer]]:
    """For each path of :func:`holes`, the answers before it that lead to it."""
    return {path: way for path, (_, way) in _reached(space).items()}


def _reached(space: Space) -> dict[str, tuple[Hole, dict[str, Answer]]]:
    found: dict[str, tuple[Hole, dict[str, Answer]]] = {}

    def holding(hole: Choice | Subset, i: int) -> Answer:
        """An answer that keeps option ``i``."""
        if isinstance(hole, Choice):
            return i
        others = [k for k in range(len(hole.options)) if k != i]
        return tuple(sorted([i, *others[: hole.at_least - 1]]))

    def look(term: Any, path: str, rules: frozenset[str], way: dict[str, Answer]) -> None:
        match term:
            case Ref():
                if term.rule not in rules:
                    look(space.rules[term.rule], f"{path}.{term.rule}", rules | {term.rule}, way)
            case Repeat():
                counts = [term.times] if isinstance(term.times, int) else list(term.times.options)
                if isinstance(term.times, Choice):
                    name = term.times.name or f"{path}.times"
                    found.setdefault(name, (term.times, way))
                    way = {**way, name: counts.index(max(counts))}
                for i in range(min(1, max(counts)) if term.tied else max(counts)):
                    look(term.body, f"{path}.{'body' if term.tied else i}", rules, way)
            case Choice() | Subset():
                path = term.name or path
                found.setdefault(path, (term, way))
                for i, option in enumerate(term.options):
                    look(option, f"{path}={i}", rules, {**way, path: holding(term, i)})
            case Cell():
                for n, given in enumerate(term.nodes):
                    place = f"{path}.{n}"
                    if isinstance(given, Subset):
                        place = given.name or place
                        found.setdefault(place, (given, way))
                    for k, one in enumerate(given.options if isinstance(given, Subset) else given):
                        led = {**way, place: holding(given, k)} if isinstance(given, Subset) else way
                        if isinstance(one.source, Choice):
                            found.setdefault(one.source.name or f"{place}.{k}.from", (one.source, led))
                        look(one.term, f"{place}.{k}.op", rules, led)
            case Op():
                for place, hole in parts(term, path):
                    found.setdefault(hole.name or place, (hole, way))
            case Let():
                for place, hole in parts(term, path):
                    found.setdefault(hole.name or place, (hole, way))
            case _:
                for place, part in parts(term, path):
                    look(part, place, rules, way)

    look(space.body, "net", frozenset(), {})
    for i, head in enumerate(space.heads):
        look(head, f"head.{i}", frozenset(), {})
    return found
