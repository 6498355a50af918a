"""Words for what a hole can be answered with: values as they are, layers by their labels, expressions by what they begin with."""

from __future__ import annotations

from typing import Any

from netwright.core.architecture import Answer, Architecture
from netwright.core.space import Space, unfold
from netwright.core.terms import (
    Branches,
    Cell,
    Choice,
    Edge,
    Graph,
    Hole,
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
from netwright.layers.base import layer

__all__ = ["USUAL", "answers", "is_term", "span", "words"]

USUAL = {("stride", 1), ("groups", 1), ("ratio", 1), ("padding", 0)}
"""Attributes that go without saying."""

_TERMS = (Op, Seq, Repeat, Branches, Cell, Graph, Input, Recur, Let, Tie, Ref, Choice, Subset, Edge)


def is_term(value: Any) -> bool:
    """Whether an option is an expression, not a value of an attribute."""
    return isinstance(value, _TERMS)


def words(value: Any, most: int = 3) -> str:
    """An option in one line: ``relu → conv 3×3 → batch norm``."""
    match value:
        case Op():
            return _layer(value)
        case Seq():
            parts = [words(part, most) for part in value.parts]
            return " → ".join([*parts[:most], *["…"] * (len(parts) > most)]) or "nothing"
        case Branches():
            parts = [words(part, most) for part in value.parts]
            return f"({(' + ' if value.join == 'sum' else f' {value.join} ').join(parts)})"
        case Repeat():
            return f"{words(value.body, most)} × {words(value.times) if isinstance(value.times, Choice) else value.times}"
        case Tie():
            return words(value.body, most)
        case Ref():
            return value.rule
        case Choice() | Limited():
            if not any(map(is_term, value.options)) and value.count <= 6:
                return "|".join(map(words, value.options))
            return f"one of {value.count}"
        case Subset():
            return f"{span(value)} of {len(value.options)}"
        case Edge():
            source = value.source if isinstance(value.source, int) else words(value.source)
            return f"from {source}" if isinstance(value.term, (Choice, Subset)) else f"{words(value.term, most)} from {source}"
        case Cell():
            return f"cell of {len(value.nodes)} nodes"
        case Graph():
            return f"graph of {len(value.nodes)} parts"
        case Input():
            return f"input {value.name}"
        case Recur():
            return f"each step: {words(value.body, most)}"
        case Let():
            return value.rule.partition("(")[0].rpartition(".")[2].strip("_").replace("_", " ")
        case bool() | None | str():
            return str(value).lower() if isinstance(value, bool) else str(value)
        case float():
            return f"{value:g}"
        case tuple():
            return "(" + ", ".join(words(v, most) for v in value) + ")"
        case _:
            return str(value)


def span(hole: Subset) -> str:
    """How many options a subset keeps: ``2``, ``1 to 3``."""
    return str(hole.at_least) if hole.at_least == hole.at_most else f"{hole.at_least} to {hole.at_most}"


def _layer(value: Op) -> str:
    """The layer's own label where every attribute is known, else its name with what is."""
    if not any(is_term(v) for _, v in value.attrs):
        try:
            return layer(value.name).label(dict(value.attrs)) or value.name.replace("_", " ")
        except (KeyError, TypeError):  # it lacks an attribute, or one stands for several values
            pass
    told = (f"{key} {words(v)}" for key, v in value.attrs if (key, v) not in USUAL)
    return " ".join([value.name.replace("_", " "), ", ".join(told)]).strip()


def answers(architecture: Architecture, space: Space | None = None) -> dict[str, str]:
    """Path → what was chosen there, in words where the space is known, else by number."""
    told = {path: _numbered(answer) for path, answer in architecture.trace}
    if space is None:
        return told
    trace = architecture.decisions

    def note(path: str, hole: Hole) -> Answer:
        answer = trace[path]
        if isinstance(answer, int):
            told[path] = words(hole.options[answer])
        elif answer is not None:
            told[path] = ", ".join(words(hole.options[i]) for i in answer)
        return answer

    unfold(space, note)
    return told


def _numbered(answer: Answer) -> str:
    if answer is None:
        return "every option"
    return f"option {answer}" if isinstance(answer, int) else f"options {', '.join(map(str, answer))}"
