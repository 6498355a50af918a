"""Which parts of an expression come back, equal but for numbers and names: they are drawn once and referred to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from netwright.core.terms import Choice, Edge, Let, Op, Ref, Repeat, Subset, Tie

__all__ = ["Alike", "Several", "inner"]

_LEAST = 4
"""Layers that a part must have to be drawn apart."""


@dataclass(frozen=True)
class Several:
    """Values that differ from place to place: ``16|32|64``."""

    values: tuple[Any, ...]

    def __str__(self) -> str:
        return "|".join(map(str, self.values))


def inner(term: Any) -> Iterator[Any]:
    """The terms directly inside a term, holes over values among them."""
    if isinstance(term, tuple):
        for part in term:
            if is_dataclass(part):
                yield part
            else:
                yield from inner(part)
    elif isinstance(term, (Choice, Subset)):
        yield from (option for option in term.options if is_dataclass(option))
    elif is_dataclass(term) and not isinstance(term, Several):
        for field in fields(term):
            value = getattr(term, field.name)
            yield from inner(value if isinstance(value, tuple) else (value,))


class Alike:
    """The parts of some terms that stand in more than one place, or are tied.

    ``apart`` maps an outline to every form that it has. Parts of parts are counted once. ``once`` are the names of decisions
    that stand in one place alone.
    """

    def __init__(self, *terms: Any) -> None:
        self.known: dict[tuple[int, bool], tuple[Any, Any]] = {}  # by address, with the term that must live as long
        self.places: dict[Any, int] = {}
        self.forms: dict[Any, list[Any]] = {}
        self.apart: dict[Any, list[Any]] = {}
        self.beside: set[Any] = set()  # outlines that two options of one hole have: they differ in what outlines leave out
        self.once = {name for name, count in _names(terms, {}).items() if count == 1}
        order: list[Any] = []  # parts before what they are parts of
        for term in terms:
            self._visit(term, order)
        sizes: dict[Any, int] = {}
        for key in order:
            first = self.forms[key][0]
            inside = [self.outline(part) for part in inner(first)]
            sizes[key] = sum(1 if part in self.apart else sizes[part] for part in inside) + isinstance(first, (Op, Ref))
            often = self.places[key] > 1 and sizes[key] >= _LEAST and key not in self.beside
            if isinstance(first, Tie) or (often and not isinstance(first, (Op, Ref, Edge))):
                self.apart[key] = self.forms[key]

    def _visit(self, term: Any, order: list[Any]) -> None:
        key = self.outline(term)
        self.places[key] = self.places.get(key, 0) + 1
        if key in self.forms and not isinstance(term, Edge):  # an edge is never a part, what it goes through may be
            self._more(term)
            return
        if key in self.forms:
            self._visit(term.term, order)
            return
        self.forms[key] = [term]
        if isinstance(term, (Choice, Subset)):
            keys = [self.outline(option) for option in term.options if is_dataclass(option)]
            self.beside |= {option for option in keys if keys.count(option) > 1}
        for part in inner(term):
            self._visit(part, order)
        order.append(key)

    def _more(self, term: Any) -> None:
        """Note another form of a part that was met before, and those inside it."""
        found = self.forms[self.outline(term)]
        if any(term is other or term == other for other in found):
            return
        found.append(term)
        for part in inner(term):
            if self.outline(part) in self.forms:
                self._more(part)

    def outline(self, term: Any, free: bool = False) -> Any:
        """What is left of a term without its numbers and the names of its decisions. Equal outlines are drawn once.

        ``free``: a number here is a value, and not part of the form.
        """
        if not is_dataclass(term):
            return self._outline(term, free)
        found = self.known.get((id(term), free))
        if found is None:
            found = self.known[id(term), free] = self._outline(term, free), term
        return found[0]

    def _outline(self, term: Any, free: bool) -> Any:
        match term:
            case Several():
                return 0
            case Tie():
                return ("Tie", term.name)
            case Op():
                return ("Op", term.name, self.outline(term.attrs, True))
            case Choice():
                return ("Choice", bool(term.name), self.outline(term.options, True), term.shared)
            case Subset():
                return ("Subset", bool(term.name), self.outline(term.options, True), term.at_least, term.at_most, term.shared)
            case Repeat():
                return ("Repeat", self.outline(term.body), self.outline(term.times, True), term.tied, term.memory)
            case Let():
                return ("Let", term.rule, self.outline(term.holes))
            case tuple():
                return tuple(self.outline(part, free) for part in term)
            case int() | float() if free and not isinstance(term, bool):
                return 0
            case _ if is_dataclass(term):
                return (type(term).__name__, *(self.outline(getattr(term, field.name)) for field in fields(term)))
            case _:
                return term if isinstance(term, (str, int, float, bool)) or term is None else repr(term)

    def merged(self, forms: list[Any]) -> Any:
        """One term for several of one outline, its numbers and names those of all where they differ."""
        first = forms[0]
        if isinstance(first, Tie):
            forms = [form for form in forms if self.outline(form.body) == self.outline(first.body)]
        if all(form is first or form == first for form in forms) or isinstance(first, Let):
            return first
        if isinstance(first, tuple):
            return tuple(self.merged([form[i] for form in forms]) for i in range(len(first)))
        if isinstance(first, Choice):
            return Choice(*self.merged([form.options for form in forms]), name=_named(forms), shared=first.shared)
        if isinstance(first, Subset):
            options = self.merged([form.options for form in forms])
            return Subset(options, first.at_least, first.at_most, _named(forms), first.shared)
        if not is_dataclass(first) or isinstance(first, Several):
            return Several(tuple(dict.fromkeys(forms)))
        made = object.__new__(type(first))
        for field in fields(first):
            object.__setattr__(made, field.name, self.merged([getattr(form, field.name) for form in forms]))
        return made


def _names(term: Any, known: dict[int, dict[str, int]]) -> dict[str, int]:
    """How often each name of a decision stands, two or more as 2."""
    if id(term) not in known:
        found: dict[str, int] = {}
        if isinstance(term, (Choice, Subset)) and term.name:
            found[term.name] = 1
        for part in inner(term):
            for name, count in _names(part, known).items():
                found[name] = min(2, found.get(name, 0) + count)
        known[id(term)] = found
    return known[id(term)]


def _named(forms: list[Any]) -> str:
    """``width0…3`` for names that are numbered, else all of them."""
    names = list(dict.fromkeys(form.name for form in forms))
    stems = {name.rstrip("0123456789") for name in names}
    if len(names) > 1 and len(stems) == 1:
        return f"{names[0]}…{names[-1][len(stems.pop()) :]}"
    return "|".join(names)
