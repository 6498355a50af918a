"""Draws two architectures as one graph in which every layer is common, added, removed or changed, with what was decided anew."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from html import escape
from typing import Any

from netwright.core.architecture import Architecture, Signature
from netwright.core.space import Space
from netwright.layers.counts import count
from netwright.report.draw import pictured
from netwright.report.ink import Piece, beside, box, heading, sheet, text, wide
from netwright.report.options import answers
from netwright.report.units import Unit, Via, units_of

__all__ = ["Change", "changes", "draw_difference"]

_ROWS = 24
"""Changed decisions that are listed."""


@dataclass(frozen=True)
class Change:
    """What two architectures differ in: decisions (path, old, new), counts (metric, old, new), and layers by their mark."""

    decisions: tuple[tuple[str, str, str], ...]
    counts: tuple[tuple[str, float, float], ...]
    layers: dict[str, int]

    def to_json(self) -> dict[str, Any]:
        return {
            "decisions": [{"path": path, "old": old, "new": new} for path, old, new in self.decisions],
            "counts": {name: {"old": old, "new": new} for name, old, new in self.counts},
            "layers": self.layers,
        }


def changes(old: Architecture, new: Architecture, signature: Signature, space: Space | None = None) -> Change:
    """What was decided otherwise, what it changes in the counts, and how many boxes are added, removed, changed or common."""
    return _change(old, new, signature, space, _both(old, new, signature))


def _both(old: Architecture, new: Architecture, signature: Signature) -> list[Unit]:
    """The boxes of both. A sum that is one in either stands in both, so that parts begin and end alike."""
    joins = {".".join(unit.path) for each in (old, new) for unit in units_of(each, signature) if unit.kind == "join"}
    return _merged(units_of(old, signature, frozenset(joins)), units_of(new, signature, frozenset(joins)))


def _change(old: Architecture, new: Architecture, signature: Signature, space: Space | None, merged: Sequence[Unit]) -> Change:
    marks = [unit.mark for unit in merged if unit.kind != "port"]
    named = {"added": "+", "removed": "−", "changed": "≠", "common": ""}
    before, after = (answers(architecture, space) for architecture in (old, new))
    paths = [path for path in dict.fromkeys([*before, *after]) if before.get(path) != after.get(path)]
    counts = zip(count(old, signature).values.items(), count(new, signature).values.items(), strict=True)
    return Change(
        tuple((path, before.get(path, "–"), after.get(path, "–")) for path in paths),
        tuple((name, a, b) for (name, a), (_, b) in counts),
        {name: marks.count(mark) for name, mark in named.items()},
    )


def draw_difference(
    old: Architecture,
    new: Architecture,
    signature: Signature,
    *,
    names: tuple[str, str] = ("old", "new"),
    space: Space | None = None,
    title: str = "",
) -> str:
    """Both architectures as one ``<svg>``. Marks have a sign and a pattern of their own, so that no colour need be seen.

    Raises :class:`SpaceError` where a layer of either does not fit its inputs.
    """
    merged = _both(old, new, signature)
    found = _change(old, new, signature, space, merged)
    piece = pictured(merged)
    told = ", ".join(f"{number} {name}" for name, number in found.layers.items() if number)
    title = title or f"{names[0]} → {names[1]}"
    drawn = beside(_tables(found, names), [piece], 48)
    return sheet(heading(title, f"Boxes: {told}.", drawn), f"Difference of two networks, {title}: {told}", told)


# ---- one graph of two -------------------------------------------------------------------------------------------------


def _plain(path: Sequence[str]) -> str:
    """A path whichever options were taken on its way."""
    return re.sub(r"=\d+", "", ".".join(path))


_SAME: tuple[Callable[[Unit], object], ...] = (
    lambda unit: (unit.path, unit.kind, unit.told),
    lambda unit: (_plain(unit.path), unit.kind, unit.label.split(" · ")[0]),
    lambda unit: (_plain(unit.path).rpartition(".")[0], unit.kind, unit.label.split(" · ")[0]),
    lambda unit: (unit.kind, unit.label.split(" · ")[0]),
    lambda unit: (_plain(unit.path).rpartition(".")[0], unit.kind),
)
"""When two boxes are one, the strictest rule first: by path, then by layer and position, then by position alone."""


def _pairs(old: Sequence[Unit], new: Sequence[Unit], rule: int = 0) -> list[tuple[int, int]]:
    """Boxes that are one in both, in an order that both have."""
    if rule == len(_SAME) or not old or not new:
        return []
    same = _SAME[rule]
    blocks = SequenceMatcher(None, [*map(same, old)], [*map(same, new)], autojunk=False).get_matching_blocks()
    found: list[tuple[int, int]] = []
    i = j = 0
    for block in blocks:
        found += [(i + a, j + b) for a, b in _pairs(old[i : block.a], new[j : block.b], rule + 1)]
        found += [(block.a + k, block.b + k) for k in range(block.size)]
        i, j = block.a + block.size, block.b + block.size
    return found


def _merged(old: Sequence[Unit], new: Sequence[Unit]) -> list[Unit]:
    """The boxes of both in one list, those that are one merged, with marks on boxes and lines."""
    merged: list[Unit] = []
    home: dict[tuple[str, int], int] = {}
    i = j = 0
    for a, b in [*_pairs(old, new), (len(old), len(new))]:
        for k in range(i, a):
            home["old", k] = len(merged)
            merged.append(replace(old[k], mark="−"))
        for k in range(j, b):
            home["new", k] = len(merged)
            merged.append(replace(new[k], mark="+"))
        if a == len(old):
            break
        home["old", a] = home["new", b] = len(merged)
        changed = old[a].told != new[b].told
        dead = old[a].dead and new[b].dead
        merged.append(replace(new[b], mark="≠" if changed else "", was=old[a].told if changed else "", dead=dead))
        i, j = a + 1, b + 1
    for place, unit in enumerate(merged):
        lines: dict[tuple[int, str], Via] = {}
        for side, sign, boxes in (("new", "+", new), ("old", "−", old)):
            for k, other in enumerate(boxes):
                if home[side, k] == place:
                    for source, via in zip(other.inputs, other.via, strict=True):
                        key = (home[side, source], via.label)
                        both = sign == "−" and key in lines
                        lines[key] = lines[key]._replace(mark="") if both else via._replace(mark=sign)
        alone = unit.mark in ("+", "−")  # all its lines are new, or gone, with it
        unit.inputs = [source for source, _ in lines]
        unit.via = [via._replace(mark=unit.mark) if alone else via for via in lines.values()]
    return merged


# ---- the tables beside ------------------------------------------------------------------------------------------------

_HEADS = {"params": "parameters", "flops": "FLOPs", "peak_kib": "peak KiB"}


def _tables(found: Change, names: tuple[str, str]) -> Piece:
    def number(value: float) -> str:
        return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:,.1f}"

    counts = [
        (_HEADS.get(name, name), number(a), number(b), f"{b / a - 1:+.0%}" if a and a != b else "") for name, a, b in found.counts
    ]
    listed = list(found.decisions[:_ROWS])
    rest = len(found.decisions) - len(listed)
    drawn = [_key(found), _table(("counted", *names, ""), counts)]
    if listed:
        drawn.append(
            _table(
                (f"{len(found.decisions)} decisions changed" if len(found.decisions) > 1 else "1 decision changed", *names),
                listed,
            )
        )
    if rest:
        drawn.append(Piece(100, 16, text(0, 12, f"and {rest} more", "soft")))
    y, svg = 0.0, []
    for piece in drawn:
        svg.append(f'<g transform="translate(0 {y:.1f})">{piece.svg}</g>')
        y += piece.height + 18
    return Piece(max(piece.width for piece in drawn), y - 18, "".join(svg))


def _key(found: Change) -> Piece:
    rows = [("+", "new", "added"), ("−", "gone", "removed"), ("≠", "other", "changed: what it was stands above, struck out")]
    rows = [row for row in rows if found.layers[row[2].partition(":")[0]]]
    if not rows:
        return Piece(120, 16, text(0, 12, "The same layers", "soft"))
    svg = ""
    for i, (sign, kind, told) in enumerate(rows):
        marked = box(1, 1 + 26 * i, 26, 18) + text(14, 15 + 26 * i, sign, "b sign", "middle")
        svg += f'<g class="{kind}">{marked}</g>{text(38, 14 + 26 * i, told, "soft")}'
    return Piece(38 + max(wide(told) for _, _, told in rows), 26.0 * len(rows), svg)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Piece:
    """Columns as wide as they must be; what is very long is cut, and whole in its tooltip."""
    shown = [[_cut(cell) for cell in row] for row in [head, *rows]]
    widths = [max(wide(row[i]) for row in shown) for i in range(len(head))]
    svg = []
    for r, (row, whole) in enumerate(zip(shown, [head, *rows], strict=True)):
        x = 0.0
        for i, cell in enumerate(row):
            tip = f"<title>{escape(whole[i])}</title>" if whole[i] != cell else ""
            svg.append(f"<g>{tip}{text(x, 12 + 20 * r, cell, 'soft' if r == 0 or i == 0 else 'num')}</g>")
            x += widths[i] + 18
    return Piece(sum(widths) + 18 * (len(head) - 1), 20.0 * len(shown), "".join(svg))


def _cut(words: str, most: int = 34) -> str:
    return words if len(words) <= most else words[: most - 1] + "…"
