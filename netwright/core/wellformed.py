"""Whether an expression is well formed, said before anything is drawn from it: one line with the path in the expression."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from netwright.core.terms import (
    Branches,
    Cell,
    Choice,
    Edge,
    Graph,
    Input,
    Let,
    Op,
    Recur,
    Ref,
    Repeat,
    Seq,
    Subset,
    Term,
    Tie,
)
from netwright.errors import SpaceError

__all__ = ["check", "has_let", "holds_holes", "parts"]


def parts(term: Any, path: str) -> Iterator[tuple[str, Any]]:
    """What a term is made of, with the paths that unfolding gives it: terms, and holes of attributes, counts and sources."""
    match term:
        case Op():
            yield from ((f"{path}.{key}", value) for key, value in term.attrs if isinstance(value, (Choice, Subset)))
        case Seq() | Branches():
            yield from ((f"{path}.{i}", part) for i, part in enumerate(term.parts))
        case Repeat():
            if isinstance(term.times, Choice):
                yield f"{path}.times", term.times
            yield f"{path}.{'body' if term.tied else '0'}", term.body
        case Choice() | Subset():
            yield from ((f"{term.name or path}={i}", option) for i, option in enumerate(term.options))
        case Cell():
            for n, edges in enumerate(term.nodes):
                place = (edges.name if isinstance(edges, Subset) else "") or f"{path}.{n}"
                if isinstance(edges, Subset):
                    yield f"{path}.{n}", edges
                for k, edge in enumerate(edges.options if isinstance(edges, Subset) else edges):
                    if isinstance(edge, Edge):
                        if isinstance(edge.source, Choice):
                            yield f"{place}.{k}.from", edge.source
                        yield f"{place}.{k}.op", edge.term
        case Graph():
            yield from ((f"{path}.{name}", part) for name, part, _ in term.nodes)
        case Let():
            yield from ((f"{path}.{key}", hole) for key, hole in term.holes)
        case Recur():
            yield path, term.body
        case Tie():
            yield term.name, term.body


def holds_holes(term: Any) -> bool:
    """Whether anything in a term is left to decide, here or in a rule that it refers to."""
    if isinstance(term, (Choice, Subset, Let, Ref)):
        return True
    return any(holds_holes(part) for _, part in parts(term, ""))


def has_let(term: Any) -> bool:
    """Whether a :class:`Let` is in it; what a rule holds is the rule's."""
    return isinstance(term, Let) or any(has_let(part) for _, part in parts(term, ""))


MOST_TIMES = 10_000
"""How often a part may be repeated."""

_LAYERED = (Op, Seq, Repeat, Branches, Cell, Graph, Input, Recur, Let, Tie, Ref)


def check(roots: Mapping[str, Term], rules: Mapping[str, Term]) -> None:
    """Raises :class:`SpaceError` for what can be seen without unfolding."""
    if not isinstance(rules, Mapping):
        raise SpaceError("its rules are no mapping", where="rules", todo='Give them as {"name": term}.')
    seen = _Seen(rules)
    try:
        for path, term in (*roots.items(), *rules.items()):
            seen.term(term, path)
    except RecursionError:
        raise SpaceError(
            "it is nested too deeply", where=next(iter(roots)), todo="Use Repeat, or one Seq of many parts."
        ) from None
    seen.ends()


class _Seen:
    """What was met so far: names and what they stand for, terms already looked at."""

    def __init__(self, rules: Mapping[str, Term]) -> None:
        self.rules = rules
        self.names: dict[str, Any] = {}
        self.done: set[int] = set()

    def term(self, term: Any, path: str) -> None:
        if id(term) in self.done:
            return
        self.done.add(id(term))
        if isinstance(term, (Choice, Subset)):
            self.hole(term, path, layers=True)
            return
        if not isinstance(term, _LAYERED):
            raise SpaceError(f"{term!r} is not a layer or an expression of layers", where=path)
        self.own(term, path)
        for place, part in parts(term, path):
            values = (
                isinstance(term, (Op, Let))
                or (isinstance(term, Repeat) and part is term.times)
                or (isinstance(term, Cell) and place.endswith(".from") and isinstance(part, (Choice, Subset)))
                or (isinstance(term, Cell) and isinstance(part, Subset) and isinstance(part.options[0], Edge))
            )
            if values:
                self.hole(part, place, layers=False)
            else:
                self.term(part, place)

    def hole(self, hole: Any, path: str, layers: bool) -> None:
        if not isinstance(hole, (Choice, Subset)):
            raise SpaceError(f"{hole!r} is not a hole", where=path, todo="Give a Choice or a Subset.")
        for i, option in enumerate(hole.options):
            if any(type(option) is type(other) and option == other for other in hole.options[:i]):
                raise SpaceError(
                    f"two options are the same, {_short(option)}", where=f"{hole.name or path}={i}", todo="Leave one out."
                )
        self.name(hole.name, hole, path)
        if layers:
            for i, option in enumerate(hole.options):
                self.term(option, f"{hole.name or path}={i}")

    def name(self, name: str, what: Any, path: str) -> None:
        """One name, one decision."""
        if not isinstance(name, str) or name.startswith(("net.", "head.")) or name in ("net", *self.rules):
            raise SpaceError(f"a decision cannot be named {name!r}", where=path, todo="Paths of the space begin like that.")
        if name and name in self.names and (other := self.names[name]) is not what and _asked(other) != _asked(what):
            todo = "One name is one decision: use another name, or the same options."
            raise SpaceError(f"the name {name!r} stands for {_short(other)} and for {_short(what)}", where=path, todo=todo)
        if name:
            self.names[name] = what

    def own(self, term: Term, path: str) -> None:
        """What one term may not be."""
        match term:
            case Op():
                self.op(term, path)
            case Seq() | Branches() if not term.parts:
                raise SpaceError("there is nothing in it", where=path)
            case Repeat():
                times = term.times.options if isinstance(term.times, Choice) else (term.times,)
                if any(type(t) is not int or t < 0 for t in times) or not any(times):
                    raise SpaceError(
                        f"a part cannot be repeated {' or '.join(str(t) for t in times)} times",
                        where=path,
                        todo="Leave it out, or give a number above 0; a Choice may hold 0.",
                    )
                if max(times) > MOST_TIMES:
                    raise SpaceError(f"a part cannot be repeated {max(times)} times", where=path, todo=f"At most {MOST_TIMES:,}.")
            case Cell():
                self.cell(term, path)
            case Graph():
                self.graph(term, path)
            case Ref() if term.rule not in self.rules:
                known = f"Rules: {', '.join(self.rules)}." if self.rules else "The space has none: Space(…, rules={…})."
                raise SpaceError(f"no rule is named {term.rule!r}", where=path, todo=known)
            case Let() if not callable(term.make):
                raise SpaceError(f"{term.make!r} is not a function", where=path)
            case Tie():
                if not isinstance(term.name, str) or not term.name:
                    raise SpaceError("a Tie needs a name", where=path)
                if isinstance(term.body, (Choice, Subset)) and term.body.name == term.name:
                    raise SpaceError(f"a Tie and its hole are both named {term.name!r}", where=path, todo="Rename one of them.")
                self.name(term.name, term.body, path)

    def op(self, term: Op, path: str) -> None:
        for key, value in term.attrs:
            options = value.options if isinstance(value, (Choice, Subset)) else (value,)
            if isinstance(value, Subset):
                raise SpaceError("an attribute has one value", where=path, todo="Give it a Choice, not a Subset.")
            for option in options:
                if isinstance(option, (*_LAYERED, Choice, Subset)):
                    raise SpaceError(f"{_short(option)} is no value of an attribute", where=f"{path}.{key}")
                try:
                    hash(option)
                except TypeError:
                    raise SpaceError(
                        f"{_short(option)} can change, which no attribute may", where=f"{path}.{key}", todo="Give a tuple."
                    ) from None

    def cell(self, term: Cell, path: str) -> None:
        if not term.nodes:
            raise SpaceError("a cell has no node", where=path)
        for n, given in enumerate(term.nodes):
            if not isinstance(given, (tuple, Subset)):
                raise SpaceError(f"{_short(given)} is no node", where=f"{path}.{n}", todo="Give a tuple or a Subset of Edges.")
            edges = given.options if isinstance(given, Subset) else given
            if not edges:
                raise SpaceError("a node of a cell has no edge", where=f"{path}.{n}")
            for k, edge in enumerate(edges):
                if not isinstance(edge, Edge):
                    raise SpaceError(f"{_short(edge)} is not an Edge", where=f"{path}.{n}.{k}")
                for source in edge.source.options if isinstance(edge.source, Choice) else (edge.source,):
                    if type(source) is not int or not 0 <= source < term.inputs + n:
                        raise SpaceError(
                            f"an edge comes from node {source!r}, which is not before it",
                            where=f"{path}.{n}.{k}",
                            todo=f"Sources here: 0 to {term.inputs + n - 1}.",
                        )

    def graph(self, term: Graph, path: str) -> None:
        known = {"x"} | {f"x{i}" for i in range(1, 10)}
        for name, _, inputs in term.nodes:
            if not isinstance(name, str) or not name or set(name) & set(".=/"):
                raise SpaceError(f"a part cannot be named {name!r}", where=path, todo="Use a word without . = and /.")
            if name in known:
                raise SpaceError(f"two parts are named {name!r}", where=path)
            unknown = [read for read in inputs if read not in known]
            if unknown or not inputs:
                raise SpaceError(
                    f"it reads {unknown[0]!r}, which is not before it" if unknown else "it reads nothing",
                    where=f"{path}.{name}",
                    todo="Parts come in the order in which they run; x is the input.",
                )
            known.add(name)
        if term.output not in known:
            raise SpaceError(f"the output {term.output!r} is none of its parts", where=path)

    def ends(self) -> None:
        """Below the depth limit every hole answers with its last option: that must come to an end."""
        ending: set[str] = set()
        while True:
            more = {rule for rule, term in self.rules.items() if rule not in ending and _ends(term, ending)}
            if not more:
                break
            ending |= more
        for rule in self.rules:
            if rule not in ending:
                raise SpaceError(
                    f"rule {rule!r} never ends",
                    where=rule,
                    todo="Make the last option of its choices one that does not refer to the rule again.",
                )


def _asked(what: Any) -> list[Any]:
    """What a part asks, in order: decisions can be shared where the questions are the same, whatever is laid then."""
    asked: list[Any] = []
    if isinstance(what, (Choice, Subset)):
        layers = all(isinstance(option, (*_LAYERED, Choice, Subset, Edge)) for option in what.options)
        asked.append((type(what).__name__, what.name, len(what.options) if layers else what.options))
        if isinstance(what, Subset):
            asked.append((what.at_least, what.at_most))
    for path, part in parts(what, ""):
        if inner := _asked(part):
            asked += [path, *inner]
    return asked


def _ends(term: Any, ending: set[str], tied: bool = False) -> bool:
    """``tied``: its decisions may have been taken above, where they are not the last options."""
    if isinstance(term, Ref):
        return term.rule in ending
    tied = tied or isinstance(term, Tie)
    if isinstance(term, (Choice, Subset)) and not (tied or term.name):
        last = term.at(term.count - 1)
        kept = last if isinstance(last, tuple) else (last,)
        return all(_ends(term.options[i], ending) for i in kept if i is not None)
    return all(_ends(part, ending, tied or (isinstance(term, (Choice, Subset)))) for _, part in parts(term, ""))


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
