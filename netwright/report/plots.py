"""The house style of plots: drawn by matplotlib in stand-in colours, written as SVG in the page's own, light or dark."""

from __future__ import annotations

import io
import re
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["ACCENT", "BACK", "INK", "RULE", "SERIES", "SERIES_CSS", "SOFT", "WARN", "drawn", "svg"]

INK, SOFT, RULE, ACCENT, WARN, BACK = "#010101", "#020202", "#030303", "#040404", "#050505", "#060606"
SERIES = tuple(f"#0701{place:02x}" for place in range(10))
"""Lines that are told apart by their colour: ``--s0`` to ``--s9`` of the page."""

_LINES = ("#2563a8", "#c25e0b", "#1f7a46", "#8a4fb0", "#b3261e", "#0f7f8a", "#8a6d00", "#c2417d", "#52606d", "#6b8e23")
_DARK = ("#7db4f0", "#f0a35e", "#6fcf97", "#c59be3", "#f08a80", "#5fc6d0", "#d9bb4a", "#f08ab8", "#a3afbd", "#b5d36b")


def _root(colours: tuple[str, ...]) -> str:
    return f":root {{ {' '.join(f'--s{place}: {colour};' for place, colour in enumerate(colours))} }}"


SERIES_CSS = f"{_root(_LINES)}\n@media (prefers-color-scheme: dark) {{ {_root(_DARK)} }}"
"""The style of a page that has such lines."""

_COLOURS = {
    INK: "var(--ink,#1d2430)",
    SOFT: "var(--soft,#646d7a)",
    RULE: "var(--rule,#cfd4dc)",
    ACCENT: "var(--accent,#2563a8)",
    WARN: "var(--warn,#b4540a)",
    BACK: "var(--page,#ffffff)",
    **{stand_in: f"var(--s{place},{_LINES[place]})" for place, stand_in in enumerate(SERIES)},
}
"""Stand-ins that matplotlib draws with → the page's variables."""

_UNNEEDED = (
    re.compile(r"<metadata>.*?</metadata>", re.S),
    re.compile(r"<\?xml.*?\?>|<!DOCTYPE.*?>|<!--.*?-->", re.S),
    re.compile(r' id="(?:figure|axes|patch|text|line2d|matplotlib|xtick|ytick|PathCollection|LineCollection|legend|Fill)[^"]*"'),
)
_FONT = re.compile(r"(font: (?:\w+ )?[\d.]+px |font-family: )'[^;\"]*")


def drawn(width: float, height: float) -> tuple[Figure, Axes]:
    """A figure of so many inches, and its axes."""
    from matplotlib.figure import Figure  # heavy

    figure = Figure(figsize=(width, height), layout="constrained")
    figure.patch.set_alpha(0)
    axes = figure.add_subplot()
    axes.patch.set_alpha(0)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(RULE)
    axes.tick_params(colors=SOFT, labelsize=9, width=0.8)
    axes.set_axisbelow(True)
    axes.xaxis.label.set(color=SOFT, fontsize=9.5)
    axes.yaxis.label.set(color=SOFT, fontsize=9.5)
    return figure, axes


def svg(figure: Figure, title: str) -> str:
    """The figure as part of a page. ``title`` is what it is called where it cannot be seen."""
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    for axes in figure.axes:
        legend = axes.get_legend()
        if legend:
            legend.set_frame_on(False)
            for label in legend.get_texts():
                label.set(color=SOFT, fontsize=9)
    out = io.StringIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": title}):
        FigureCanvasSVG(figure).print_svg(out, metadata={"Date": None})  # type: ignore[no-untyped-call]
    text = out.getvalue()
    for pattern in _UNNEEDED:
        text = pattern.sub("", text)
    for stand_in, colour in _COLOURS.items():
        text = text.replace(stand_in, colour)
    text = _FONT.sub(r"\1system-ui, sans-serif", text)
    return text.strip().replace("<svg ", f'<svg role="img" aria-label="{escape(title)}" class="plot" ', 1)
