"""The pieces that a drawing of an expression is put together from: stacks, forks, frames, graphs."""

from __future__ import annotations

from collections.abc import Sequence

from netwright.report.ink import BOLD, Piece, arrow, box, circle, shifted, text, wide
from netwright.report.layout import placed

__all__ = ["PAD", "column", "forked", "framed", "graphed", "pill", "plain_box", "port", "side_by_side", "stack", "wrapped"]

GAP, SIDE, PAD = 20.0, 22.0, 11.0


def wrapped(told: str, most: int) -> list[str]:
    lines = [""]
    for word in told.split(" "):
        if lines[-1] and len(lines[-1]) + len(word) + 1 > most:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


def plain_box(told: str) -> Piece:
    width = wide(told) + 2 * PAD
    return Piece(width, 28, box(0.5, 0.5, width - 1, 27) + text(PAD, 18, told))


def port(told: str) -> Piece:
    width = wide(told) + 2 * PAD
    return Piece(width, 26, box(0.5, 0.5, width - 1, 25, "port", 13) + text(width / 2, 17, told, "soft", "middle"))


def pill(told: str, dashed: bool = False) -> Piece:
    if len(told) <= 1:
        return Piece(22, 22, circle(11, 11, 10.5) + text(11, 15, told, "", "middle"))
    width = wide(told) + 2 * PAD
    return Piece(
        width, 24, box(0.5, 0.5, width - 1, 23, "hole" if dashed else "box", 12) + text(width / 2, 16, told, "", "middle")
    )


def framed(piece: Piece, title: str | Piece, note: str = "") -> Piece:
    """A border with a title, which may be a slot, and a note."""
    head = (
        title
        if isinstance(title, Piece)
        else Piece(wide(title, BOLD), 21, text(0, 15, title, "b"))
        if title
        else Piece(0, 21, "")
    )
    width = max(piece.width + 28, head.width + 36 + wide(note, 11))
    told = text(14 + head.width + 12 * bool(head.width), 22, note, "soft small") if note else ""
    svg = box(0.5, 0.5, width - 1, piece.height + 49, "frame", 9) + shifted(12, 7, head.svg) + told
    return Piece(width, piece.height + 50, svg + shifted((width - piece.width) / 2, 36, piece.svg))


def stack(pieces: Sequence[Piece]) -> Piece:
    """One below the other, with arrows between."""
    width = max(piece.width for piece in pieces)
    svg, y = [], 0.0
    for i, piece in enumerate(pieces):
        if i:
            svg.append(arrow([(width / 2, y - GAP), (width / 2, y)]))
        svg.append(shifted((width - piece.width) / 2, y, piece.svg))
        y += piece.height + GAP
    return Piece(width, y - GAP, "".join(svg))


def column(pieces: Sequence[Piece]) -> Piece:
    """One below the other at the left, without arrows."""
    svg, y = [], 0.0
    for piece in pieces:
        svg.append(shifted(0, y, piece.svg))
        y += piece.height + 4
    return Piece(max(piece.width for piece in pieces), y - 4, "".join(svg))


def side_by_side(pieces: Sequence[Piece], most: float) -> Piece:
    """Options side by side, in as many rows as ``most`` asks for."""
    svg, x, y, high, width = [], 0.0, 0.0, 0.0, 0.0
    for piece in pieces:
        if x and x + piece.width > most:
            x, y, high = 0.0, y + high + 22, 0.0
        if x or y:
            svg.append(text(x - SIDE / 2 - 4, y + 17, "or", "soft small", "middle") if x else text(0, y - 4, "or", "soft small"))
        svg.append(shifted(x, y, piece.svg))
        width, high = max(width, x + piece.width), max(high, piece.height)
        x += piece.width + SIDE + 8
    return Piece(width, y + high, "".join(svg))


def forked(pieces: Sequence[Piece], how: str, note: str = "") -> Piece:
    """Side by side over one input, and joined below; without ``how`` they stay apart."""
    width = sum(piece.width for piece in pieces) + SIDE * (len(pieces) - 1)
    high, middle = max(piece.height for piece in pieces), width / 2
    joint = pill(how)
    bottom = 22 + high + (26 if how else 0)
    svg, x = [], 0.0
    for piece in pieces:
        centre = x + piece.width / 2
        straight = abs(centre - middle) < 1
        svg.append(arrow([(middle, 0), (middle, 22)] if straight else [(middle, 0), (middle, 9), (centre, 9), (centre, 22)]))
        svg.append(shifted(x, 22, piece.svg))
        if how:
            end = (
                (middle, bottom)
                if straight
                else (middle + (joint.width / 2 if centre > middle else -joint.width / 2), bottom + joint.height / 2)
            )
            points = [(centre, 22 + piece.height), end] if straight else [(centre, 22 + piece.height), (centre, end[1]), end]
            svg.append(arrow(points))
        x += piece.width + SIDE
    if not how:
        return Piece(width, bottom, "".join(svg))
    svg.append(shifted(middle - joint.width / 2, bottom, joint.svg))
    told = text(middle + joint.width / 2 + 8, bottom + 28, note, "soft small") if note else ""
    return Piece(width, bottom + joint.height, "".join(svg) + told)


def graphed(pieces: Sequence[Piece], edges: Sequence[tuple[int, int]]) -> Piece:
    """Pieces laid out as a graph."""
    plan = placed([(piece.width, piece.height) for piece in pieces], [(i, j, 0.0) for i, j in edges])
    svg = [arrow(line) for line in plan.lines]
    svg += [shifted(place.left, place.top, piece.svg) for place, piece in zip(plan.boxes, pieces, strict=True)]
    return Piece(plan.width, plan.height, "".join(svg))
