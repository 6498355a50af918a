"""Draws a space as its expression: nested boxes, with every hole a dashed slot that lists what it can be answered with."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from itertools import groupby
from typing import Any

from netwright.core.space import Space
from netwright.core.terms import Branches, Cell, Choice, Edge, Graph, Input, Let, Op, Recur, Ref, Repeat, Seq, Subset, Tie
from netwright.report.alike import Alike, inner
from netwright.report.ink import BOLD, Piece, beside, box, heading, sheet, shifted, text, wide
from netwright.report.options import USUAL, is_term, span, words
from netwright.report.pieces import PAD, column, forked, framed, graphed, pill, plain_box, port, side_by_side, stack, wrapped
from netwright.report.units import JOINS

__all__ = ["draw_space"]

_LISTED = 36
"""Characters of the values that are listed in a slot."""

_BESIDE = 120
"""Characters of the options of a decision over layers that is told beside."""


def draw_space(space: Space, *, title: str = "", told: str = "") -> str:
    """The space as one ``<svg>``: its expression, the parts that come back and the rules beside it, and its named decisions."""
    drawing = _Drawing(space)
    title = title or space.name
    return sheet(heading(title, told, drawing.piece()), f"Space {title}", told)


class _Drawing:
    """State of one drawing: the parts that are drawn apart, and the names that have a colour."""

    def __init__(self, space: Space) -> None:
        self.space = space
        self.alike = Alike(space.body, *space.heads, *space.rules.values())
        self.apart = self.alike.apart
        self.letters: dict[Any, str] = {}
        self.names: dict[str, Choice | Subset] = {}
        self.colours: dict[str, int] = {}

    def piece(self) -> Piece:
        start = [] if self._uses_inputs() else [port(self._input())]
        body = stack([*start, self.term(self.space.body), *self._heads()])
        others = [self._titled(name, self.term(rule)) for name, rule in self.space.rules.items()]
        shown: set[Any] = set()
        while left := [key for key in self.letters if key not in shown]:  # a part may refer to further ones
            shown |= set(left)
            ties: dict[Any, list[Any]] = {}
            for key in left:
                first = self.apart[key][0]
                if isinstance(first, Tie):
                    ties.setdefault((self.alike.outline(first.body), first.shared), []).append(key)
                else:
                    others.append(self._titled(self.letters[key], self.term(self.alike.merged(self.apart[key]), apart=False)))
            others += [self._tied([self.apart[key] for key in keys], shared) for (_, shared), keys in ties.items()]
        return beside(body, [*self._legend(), *others])

    def _tied(self, ties: Sequence[Sequence[Any]], shared: bool) -> Piece:
        """Ties of one form: each name stands for decisions of its own, the same wherever it is used."""
        bodies = [tie.body for forms in ties for tie in forms]
        form = self.alike.outline(bodies[0])
        body = self.alike.merged([other for other in bodies if self.alike.outline(other) == form])
        names = [forms[0].name for forms in ties]
        note = "same decisions, same weights" if shared else "same decisions"
        note += " wherever the name is" if len(names) > 1 else ""
        told = ", ".join(names) if len(names) <= 4 else f"{', '.join(names[:3])} … {names[-1]}"
        return self._titled(told, self.term(body), note, names)

    def _uses_inputs(self) -> bool:
        todo = [self.space.body]
        while todo:
            term = todo.pop()
            if isinstance(term, Input):
                return True
            todo += inner(term)
        return False

    def _input(self) -> str:
        inputs = self.space.signature.inputs if self.space.signature else ()
        return f"{inputs[0][0]} · {'×'.join(map(str, inputs[0][1].shape))}" if inputs else "input"

    def _heads(self) -> list[Piece]:
        if not self.space.heads:
            return [port("output")]
        names = [name for name, _ in self.space.signature.heads] if self.space.signature else []
        heads = [
            stack([self.term(head), port(names[i] if i < len(names) else f"head {i}")]) for i, head in enumerate(self.space.heads)
        ]
        return [forked(heads, "")]

    def _colour(self, name: str) -> str:
        return f"h{self.colours.setdefault(name, len(self.colours) % 8)}"

    def _titled(self, name: str, piece: Piece, note: str = "", names: Sequence[str] = ()) -> Piece:
        """A part or rule in its own border, under its name."""
        top = 34.0
        width = max(piece.width + 28, 40 + wide(name, BOLD) + wide(note))
        label = text(14, 21, name, "t") + text(14 + wide(name, BOLD) + 12, 21, note, "soft small")
        svg = (
            box(0.5, 0.5, width - 1, piece.height + top + 13, "key", 10)
            + label
            + shifted((width - piece.width) / 2, top, piece.svg)
        )
        kind = self._colour("part " + (names[0] if names else name))
        for other in names:  # one colour for all that the border stands for
            self.colours.setdefault("part " + other, self.colours["part " + names[0]])
        return Piece(width, piece.height + top + 14, f'<g class="{kind}">{svg}</g>')

    def _legend(self) -> list[Piece]:
        """The decisions that have a name, each with all that it can be."""
        if not self.names:
            return []
        rows, y, width = [text(0, 12, "One decision wherever it stands", "soft")], 34.0, 200.0
        for name, hole in self.names.items():
            options = ", ".join(words(option) for option in hole.options)
            kept = f"{span(hole)} of " if isinstance(hole, Subset) else ""
            lines = wrapped(f"{kept}{options}", 60)
            rows.append(f'<g class="{self._colour(name)}">{box(0.5, y - 12, 9, 14, "c", 2)}{text(18, y, name, "t")}</g>')
            left = 32 + max(wide(other, BOLD) for other in self.names)
            for line in lines:
                rows.append(text(left, y, line))
                width = max(width, left + wide(line))
                y += 17
            y += 7
        return [Piece(width, y - 12, "".join(rows))]

    # ---- terms --------------------------------------------------------------------------------------------------------

    def term(self, term: Any, apart: bool = True) -> Piece:
        """A term as a piece; one that is drawn apart as a reference to it."""
        if apart and (key := self.alike.outline(term)) in self.apart:
            return self._reference(self._letter(term, key))
        match term:
            case Op():
                return self._ops([term])
            case Seq():
                return self._seq(term)
            case Choice() | Subset():
                return self._choice(term)
            case Repeat():
                times = term.times if not isinstance(term.times, Choice) else self._slot("×", term.times)
                notes = ["every copy decides alike"] * term.tied
                return framed(self.term(term.body), times if isinstance(times, Piece) else f"× {times}", ", ".join(notes))
            case Branches():
                if len(term.parts) == 1:
                    return self.term(term.parts[0])
                return forked([self.term(part) for part in term.parts], JOINS.get(term.join, term.join), "fitted" * term.project)
            case Cell():
                return self._cell(term)
            case Graph():
                return self._graph(term)
            case Tie():
                return framed(self.term(term.body), term.name)
            case Ref():
                return self._reference(term.rule)
            case Input():
                return port(f"input {term.name}")
            case Recur():
                return framed(self.term(term.body), "once for each step")
            case Let():
                return self._let(term)
            case _:
                return plain_box(words(term))

    def _letter(self, term: Any, key: Any) -> str:
        """What a part that is drawn apart is called."""
        if key not in self.letters:
            number = sum(name.startswith("part ") for name in self.letters.values())
            letter = chr(ord("A") + number) if number < 26 else str(number + 1)
            self.letters[key] = term.name if isinstance(term, Tie) else f"part {letter}"
        return self.letters[key]

    def _reference(self, name: str, times: int = 1) -> Piece:
        told = name if times == 1 else f"{name} × {times}"
        width = wide(told, BOLD) + 2 * PAD + 4
        svg = box(0.5, 0.5, width - 1, 25, "key", 12.5) + text(width / 2, 17, told, "t", "middle")
        return Piece(width, 26, f'<g class="{self._colour("part " + name)}">{svg}</g>')

    def _seq(self, term: Seq) -> Piece:
        """One below the other; layers that follow each other in one box."""
        pieces: list[Piece] = []
        for key, run in groupby(
            term.parts, lambda part: "" if isinstance(part, Op) or self._line(part) else self.alike.outline(part)
        ):
            parts = list(run)
            if not key:
                pieces.append(self._ops(parts))
            elif key in self.apart:
                pieces.append(self._reference(self._letter(parts[0], key), len(parts)))
            else:
                pieces += map(self.term, parts)
        stacked = stack(pieces) if pieces else plain_box("nothing")
        return framed(stacked, "", f"each part sees the last {term.memory} outputs") if term.memory > 1 else stacked

    def _line(self, part: Any) -> bool:
        """Whether a part is a decision that is told beside: over layers, under a name that stands in several places."""
        named = isinstance(part, (Choice, Subset)) and part.name and part.name not in self.alike.once
        return bool(named) and all(map(_simple, part.options)) and sum(map(len, map(words, part.options))) <= _BESIDE

    def _ops(self, layers: Sequence[Any]) -> Piece:
        """Layers as lines of one box, their holes as slots."""
        rows = [self._layer(layer) for layer in layers]
        width = max(row.width for row in rows) + 2 * PAD
        svg, y = [], 6.0
        for row in rows:
            svg.append(shifted(PAD, y, row.svg))
            y += row.height + 3
        return Piece(width, y + 3, box(0.5, 0.5, width - 1, y + 2) + "".join(svg))

    def _layer(self, layer: Any) -> Piece:
        if not isinstance(layer, Op):
            return self._slot("", layer)
        holes = [(key, value) for key, value in layer.attrs if isinstance(value, (Choice, Subset))]
        if not holes:
            words_ = words(layer)
            return Piece(wide(words_), 18, text(0, 13, words_))
        known = {key: value for key, value in layer.attrs if not isinstance(value, (Choice, Subset))}
        depthwise = layer.name == "conv" and known.pop("groups", 1) == 0
        fixed = ", ".join(f"{key} {words(value)}" for key, value in known.items() if (key, value) not in USUAL)
        name = "depthwise" if depthwise else layer.name.replace("_", " ")
        svg, x = [text(0, 15, name)], wide(name) + 9
        if fixed:
            svg.append(text(x, 15, fixed, "soft"))
            x += wide(fixed) + 9
        for key, hole in holes:
            slot = self._slot(key, hole)
            svg.append(shifted(x, 0, slot.svg))
            x += slot.width + 7
        return Piece(x - 7, 21, "".join(svg))

    def _slot(self, key: str, hole: Choice | Subset) -> Piece:
        """A hole over values, dashed: what it decides, and its options or, where it has one, its name."""
        named = "" if hole.name in self.alike.once else hole.name  # what stands once is told here
        if named:
            self.names.setdefault(named, hole)
        told = named or _listed([words(option) for option in hole.options])
        told = f"{span(hole)} of {told}" if isinstance(hole, Subset) and not named else told
        x = wide(key) + 7 if key else 0.0
        width = x + wide(told, BOLD) + 16
        frame = box(x, 0.5, width - x - 1, 20, "hole" + " named" * bool(named), 4)
        inner = text(0, 15, key, "soft") + frame + text(x + 8, 15, told, "t" if named else "num")
        tip = f"<title>{escape(', '.join(words(option) for option in hole.options))}</title>"
        return Piece(width, 21, f'<g class="{self._colour(named) if named else "slot"}">{tip}{inner}</g>')

    def _choice(self, hole: Choice | Subset) -> Piece:
        """A hole over expressions: its options, the simple ones as lines, the others as boxes."""
        title = f"one of {len(hole.options)}" if isinstance(hole, Choice) else f"{span(hole)} of {len(hole.options)}"
        plain = [option for option in hole.options if _simple(option) and self.alike.outline(option) not in self.apart]
        other = [option for option in hole.options if option not in plain]
        if self._line(hole):
            return self._ops([hole])
        lines = [words(option, 9) for option in plain]
        listed = [column([Piece(wide(line), 18, text(0, 13, line)) for line in lines])] if lines else []
        inside = side_by_side([*listed, *map(self.term, other)], 900)
        named = wide(hole.name, BOLD) + 12 if hole.name else 0.0
        width = max(inside.width + 24, 24 + named + wide(title))
        head = (text(12, 18, hole.name, "t") if hole.name else "") + text(12 + named, 18, title, "soft")
        frame = box(0.5, 0.5, width - 1, inside.height + 39, "hole" + " named" * bool(hole.name), 7)
        kind = self._colour(hole.name) if hole.name else "slot"
        below = shifted(12 if not other else (width - inside.width) / 2, 28, inside.svg)
        return Piece(width, inside.height + 40, f'<g class="{kind}">{frame}{head}</g>{below}')

    def _let(self, term: Let) -> Piece:
        rule = _ruled(term.rule)
        rows = [Piece(wide(rule), 18, text(0, 13, rule))]
        for key, hole in term.holes:
            rows.append(self._choice(hole) if any(map(is_term, hole.options)) else self._slot(key, hole))
        return framed(column(rows), "made by a rule")

    # ---- graphs -------------------------------------------------------------------------------------------------------

    def _cell(self, term: Cell) -> Piece:
        pieces = [pill("input" if term.inputs == 1 else f"input {i}") for i in range(term.inputs)]
        edges: list[tuple[int, int]] = []
        states = list(range(term.inputs))
        for number, node in enumerate(term.nodes):
            joins = len(pieces)
            how = JOINS.get(term.join, term.join)
            kept = f"  {span(node)} of {len(node.options)}" if isinstance(node, Subset) else ""
            pieces.append(pill(f"{number + term.inputs} {how}{kept}", dashed=bool(kept)))
            for edge in node.options if isinstance(node, Subset) else node:
                edges += self._edge(edge, states, pieces, joins)
            states.append(joins)
        if term.output != "last":
            pieces.append(pill(JOINS.get(term.output, term.output)))
            edges += [(state, len(pieces) - 1) for state in states[term.inputs :]]
        return graphed(pieces, edges)

    def _edge(self, edge: Edge, states: Sequence[int], pieces: list[Piece], joins: int) -> list[tuple[int, int]]:
        inside = self.term(edge.term)
        if isinstance(edge.source, int):
            pieces.append(inside)
            return [(states[edge.source], len(pieces) - 1), (len(pieces) - 1, joins)]
        pieces.append(stack([self._slot("from", edge.source), inside]))
        return [(states[i], len(pieces) - 1) for i in edge.source.options] + [(len(pieces) - 1, joins)]

    def _graph(self, term: Graph) -> Piece:
        places: dict[str, int] = {}
        pieces: list[Piece] = []
        edges: list[tuple[int, int]] = []
        for name, part, reads in term.nodes:
            for read in reads:
                if read not in places:  # an input of the graph
                    places[read] = len(pieces)
                    pieces.append(pill("input" if read == "x" else f"input before, {read}"))
            places[name] = len(pieces)
            pieces.append(pill(JOINS[part.name]) if isinstance(part, Op) and part.name in JOINS else self._named(name, part))
            edges += [(places[read], places[name]) for read in reads]
        return graphed(pieces, edges)

    def _named(self, name: str, part: Any) -> Piece:
        piece = self.term(part)
        width = max(piece.width, wide(name, 11) + 8)
        return Piece(
            width, piece.height + 15, text(2, 10, name, "soft small") + shifted((width - piece.width) / 2, 15, piece.svg)
        )


# ---- words for options ----------------------------------------------------------------------------------------------


def _ruled(rule: str) -> str:
    return rule.partition("(")[0].rpartition(".")[2].strip("_").replace("_", " ")


def _simple(option: Any) -> bool:
    """Whether an option is one line of layers without holes."""
    if isinstance(option, Seq):
        return len(option.parts) > 0 and all(isinstance(part, Op) and _simple(part) for part in option.parts)
    return isinstance(option, Op) and not any(is_term(value) for _, value in option.attrs)


def _listed(options: Sequence[str]) -> str:
    """The options, those in the middle of a long list left out."""
    if len(" · ".join(options)) <= _LISTED:
        return " · ".join(options)
    kept = [options[0]]
    while len(" · ".join([*kept, options[len(kept)], options[-1]])) <= _LISTED - 8:
        kept.append(options[len(kept)])
    return f"{' · '.join(kept)} … {options[-1]}  ({len(options)})"
