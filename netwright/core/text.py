"""An expression as the Python text that writes it, made to be read and edited."""

from __future__ import annotations

import json
import re
from typing import Any

from netwright.core.terms import (
    Branches,
    Cell,
    Choice,
    Edge,
    Graph,
    Input,
    Let,
    Limited,
    Op,
    Recur,
    Ref,
    Repeat,
    Seq,
    Subset,
    Tie,
)

__all__ = ["WORDS", "statements", "written"]

WORDS = ("Branches", "Cell", "Choice", "Edge", "Graph", "Input", "Let", "Recur", "Ref", "Repeat", "Seq", "Subset", "Tie", "op")
"""What the text may use, to be imported from ``netwright.core.space``."""

WIDTH = 110


def written(term: Any, width: int = WIDTH) -> str:
    """One expression, broken over lines where it is long. Holes with a name stand wherever they are used."""
    return _Text(width, "").show(term, 0)


def statements(term: Any, name: str, width: int = WIDTH) -> str:
    """Assignments that end in ``name = …``: first the holes with a name, then the parts of graphs that are longer than a line."""
    text = _Text(width, name)
    text.count(term)
    text.hoist(term)
    last = text.show(term, 0)
    lines = [f"{variable} = {shown}" for variable, shown in text.assigned.items()]
    return "\n".join([*lines, f"{name} = {last}"])


class _Text:
    """Variables given so far: the term they stand for by its address, and their text in order."""

    def __init__(self, width: int, last: str) -> None:
        self.width, self.last = width, last
        self.names: dict[int, str] = {}
        self.met: dict[str, int] = {}
        self.holes: dict[str, str] = {}
        self.assigned: dict[str, str] = {}

    # ---- variables

    def count(self, term: Any) -> None:
        """How often each choice of layers stands in the expression."""
        if isinstance(term, Choice) and isinstance(term.options[0], Op):
            self.met[repr(term)] = self.met.get(repr(term), 0) + 1
        for _, part in _inside(term):
            self.count(part)

    def hoist(self, term: Any, path: tuple[str, ...] = ()) -> None:
        """Give names to named holes, to choices of layers that stand at several places, and to long parts after their place."""
        if isinstance(term, (Choice, Subset)) and (term.name or self.met.get(repr(term), 0) > 1):
            key = repr(term)
            if key not in self.holes:
                shown = self.show(term, 0)
                self.holes[key] = self._variable((term.name or _stem(term),))
                self.assigned[self.holes[key]] = shown
        for place, part in _inside(term):
            here = (*path, place) if place else path
            self.hoist(part, here)
            if place and isinstance(part, (Graph, Seq, Repeat, Branches, Cell)) and len(self.show(part, 0)) > self.width:
                shown = self.show(part, 0)
                self.names[id(part)] = self._variable(here)
                self.assigned[self.names[id(part)]] = shown

    def _variable(self, path: tuple[str, ...]) -> str:
        stem = re.sub(r"\W", "_", "_".join(path)).strip("_") or "part"
        stem = f"part_{stem}" if stem[0].isdigit() else stem
        name, number = stem, 2
        while name in self.assigned or name in (*WORDS, "signature", self.last):
            name, number = f"{stem}_{number}", number + 1
        return name

    # ---- text

    def show(self, value: Any, indent: int) -> str:
        """The text, which begins where ``indent`` stands."""
        if id(value) in self.names:
            return self.names[id(value)]
        if isinstance(value, (Choice, Subset)) and repr(value) in self.holes:
            return self.holes[repr(value)]
        if isinstance(value, str) and type(value) is str:
            return json.dumps(value, ensure_ascii=False)
        if isinstance(value, tuple):
            tail = "," if len(value) == 1 else ""
            return self.joined("(", [(v, "") for v in value], f"{tail})", indent)
        if isinstance(value, dict):
            return repr(value)
        head, parts = _call(value)
        return repr(value) if head is None else self.joined(f"{head}(", parts, ")", indent)

    def joined(self, start: str, parts: list[tuple[Any, str]], end: str, indent: int) -> str:
        """On one line where it fits, else one part on each line."""
        line = start + ", ".join(key + self.show(part, 0) for part, key in parts) + end
        if (len(line) + indent <= self.width and "\n" not in line) or not parts:
            return line
        inner = indent + 4
        lines = [" " * inner + key + self.show(part, inner + len(key)) + "," for part, key in parts]
        return "\n".join([start, *lines, " " * indent + end.lstrip(",")])


def _call(value: Any) -> tuple[str | None, list[tuple[Any, str]]]:
    """A word and its arguments, each with ``name=`` where it is given by name."""

    def told(**named: tuple[Any, Any]) -> list[tuple[Any, str]]:
        return [(given, f"{name}=") for name, (given, usual) in named.items() if given != usual]

    match value:
        case Op():
            return "op", [(value.name, ""), *((given, f"{name}=") for name, given in value.attrs)]
        case Seq():
            return "Seq", [*((part, "") for part in value.parts), *told(memory=(value.memory, 1))]
        case Repeat():
            return "Repeat", [(value.body, ""), (value.times, ""), *told(tied=(value.tied, False), memory=(value.memory, 1))]
        case Choice():
            return "Choice", [*((o, "") for o in value.options), *told(name=(value.name, ""), shared=(value.shared, False))]
        case Subset():
            most = (value.at_most, len(value.options))
            more = told(name=(value.name, ""), shared=(value.shared, False))
            return "Subset", [(value.options, ""), (value.at_least, ""), *told(at_most=most), *more]
        case Limited():
            return _call(type(value.hole)(*(value.hole.options[i] for i in value.answers if isinstance(i, int))))
        case Branches():
            return "Branches", [*((p, "") for p in value.parts), *told(join=(value.join, "sum"), project=(value.project, False))]
        case Edge():
            return "Edge", [(value.source, ""), (value.term, "")]
        case Cell():
            usual = told(inputs=(value.inputs, 1), join=(value.join, "sum"), output=(value.output, "last"))
            return "Cell", [(value.nodes, ""), *usual]
        case Graph():
            last = value.nodes[-1][0] if value.nodes else ""
            return "Graph", [(value.nodes, ""), *told(output=(value.output, last))]
        case Input():
            return "Input", [(value.name, "")]
        case Recur():
            return "Recur", [(value.body, "")]
        case Let():
            return "Let", [(_Word(value.rule.rpartition(".")[2]), ""), *((hole, f"{key}=") for key, hole in value.holes)]
        case Tie():
            return "Tie", [(value.name, ""), (value.body, ""), *told(shared=(value.shared, False))]
        case Ref():
            return "Ref", [(value.rule, "")]
        case _:
            return None, []


class _Word(str):
    """Shown without quotes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def _stem(term: Any) -> str:
    """A choice of layers is called after its first."""
    first = term.options[0]
    return str(dict(first.attrs).get("kind", first.name))


def _inside(term: Any) -> list[tuple[str, Any]]:
    """What a term holds; parts of graphs with their names, parts of anything else with none."""
    if isinstance(term, Graph):
        return [(name, part) for name, part, _ in term.nodes]
    if isinstance(term, Seq):
        return [(str(place), part) for place, part in enumerate(term.parts)]
    if isinstance(term, tuple):
        return [("", part) for part in term]
    return [("", part) for part, _ in _call(term)[1]]
