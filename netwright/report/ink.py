"""What drawings are made of: text that is measured before it is set, boxes, lines, and the sheet that they stand on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path

from netwright.report.layout import curve

__all__ = ["BOLD", "Piece", "arrow", "beside", "box", "circle", "heading", "sheet", "shifted", "text", "wide"]

_WIDTHS = {
    char: width
    for width, chars in (
        (0.3, "'ijlIJ|"),
        (0.34, " ,./:;\\·"),
        (0.42, 'f-t()[]!r"'),
        (0.72, "ABCKRSVXYZ&"),
        (0.8, "DGHNOQU"),
        (0.87, "wM+#<=>^~×−≠≤≥→"),
        (1.0, "mW%@…"),
    )
    for char in chars
}
"""Widths in DejaVu Sans, the widest of the fonts that systems set this text in; all else is 0.64 at most."""

_LINE = 12.0
BOLD = 13.2
"""The size of which bold text of 12 px is as wide."""


@dataclass(frozen=True)
class Piece:
    """Something drawn, from (0, 0) to (width, height)."""

    width: float
    height: float
    svg: str


def wide(words: str, size: float = _LINE) -> float:
    """The width of a text: an upper bound over the fonts that systems set it in."""
    return size * sum(_WIDTHS.get(char, 0.64 if ord(char) < 0x2E80 else 1.05) for char in words)


def text(x: float, y: float, words: str, kind: str = "", anchor: str = "", turned: str = "") -> str:
    """A line of text. ``anchor``: start (as nothing), middle or end."""
    named = f' class="{kind}"' if kind else ""
    where = f' text-anchor="{anchor}"' if anchor else ""
    return f'<text x="{x:.1f}" y="{y:.1f}"{named}{where}{turned}>{escape(words)}</text>'


def box(x: float, y: float, width: float, height: float, kind: str = "box", round_: float = 5) -> str:
    return f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="{round_:g}"/>'


def circle(x: float, y: float, r: float, kind: str = "box") -> str:
    return f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="{r:.1f}"/>'


def arrow(points: Sequence[tuple[float, float]], kind: str = "") -> str:
    """A line with a tip at its end."""
    (ax, ay), (bx, by) = points[-2:]
    if abs(by - ay) >= abs(bx - ax):
        tip = "l-3.2 -6h6.4z" if by >= ay else "l-3.2 6h6.4z"
    else:
        tip = "l-6 -3.2v6.4z" if bx > ax else "l6 -3.2v6.4z"
    kind = f" {kind}" if kind else ""
    return f'<path class="edge{kind}" d="{curve(points)}"/><path class="tip{kind}" d="M{bx:.1f} {by:.1f}{tip}"/>'


def shifted(x: float, y: float, svg: str) -> str:
    return f'<g transform="translate({x:.1f} {y:.1f})">{svg}</g>' if x or y else svg


def heading(words: str, told: str, piece: Piece) -> Piece:
    """A piece below its title and a line about it."""
    top = 24.0 + 20 * bool(told)
    svg = text(0, 14, words, "h") + (text(0, 34, told, "soft num") if told else "") + shifted(0, top, piece.svg)
    return Piece(max(piece.width, wide(words, 16.5), wide(told)), piece.height + top, svg)


def beside(first: Piece, others: Iterable[Piece], gap: float = 40.0) -> Piece:
    """A piece, and at its right others in columns that are about as high as it."""
    others = list(others)
    most = max([first.height, *(piece.height for piece in others)])
    drawn = [first.svg]
    x, y, column, height = first.width + gap, 0.0, 0.0, first.height
    for piece in others:
        if y and y + piece.height > most:
            x, y, column = x + column + gap, 0.0, 0.0
        drawn.append(shifted(x, y, piece.svg))
        column = max(column, piece.width)
        height = max(height, y + piece.height)
        y += piece.height + gap / 2
    return Piece(x + column if others else first.width, height, "".join(drawn))


@cache
def _style() -> str:
    """The rules of ``netgraph.css`` in one line."""
    return re.sub(r"\s+", " ", (Path(__file__).parent / "netgraph.css").read_text(encoding="utf-8")).strip()


def sheet(piece: Piece, title: str, told: str = "") -> str:
    """One ``<svg>``. It takes the page's colours where it stands in one, and has its own, light or dark, elsewhere."""
    width, height = piece.width + 16, piece.height + 16
    described = f"<desc>{escape(told)}</desc>" if told else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="netgraph" role="img" aria-label="{escape(title)}"'
        f' viewBox="-8 -8 {width:.1f} {height:.1f}" width="{width:.0f}" height="{height:.0f}">'
        f"<title>{escape(title)}</title>{described}<style>{_style()}</style>"
        f'<rect class="page" x="-8" y="-8" width="{width:.1f}" height="{height:.1f}"/>{piece.svg}</svg>'
    )
