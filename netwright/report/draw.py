"""Draws an architecture as SVG, top down: layers, shapes where they change, skips, and what comes back folded."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from netwright.core.architecture import Architecture, Signature
from netwright.report.folding import Graph, Part, folded
from netwright.report.ink import BOLD, Piece, arrow, beside, box, circle, heading, sheet, text, wide
from netwright.report.layout import Place, placed
from netwright.report.units import Unit, Via, units_of

__all__ = ["draw", "pictured"]

_HIGH, _HEAD, _PAD = 30.0, 16.0, 11.0
_LONGEST = 52
"""Characters of a label; the whole of it is in the tooltip."""

_SIGNS = {"+": "new", "−": "gone", "≠": "other"}


def draw(architecture: Architecture, signature: Signature, *, title: str = "", told: str = "") -> str:
    """The architecture as one ``<svg>``, under ``title`` and a line ``told`` about it where they are given.

    Layers that do nothing are left out; the bar in a box is its part of the parameters. Raises :class:`SpaceError` where
    a layer does not fit its inputs.
    """
    units = units_of(architecture, signature)
    piece = pictured(units)
    layers = sum(len(unit.nodes) for unit in units)
    about = f"Graph of the network, {layers} layers, {sum(unit.weight for unit in units):,} parameters"
    return sheet(heading(title, told, piece) if title else piece, title or about, about)


def pictured(units: Sequence[Unit]) -> Piece:
    """Boxes and lines, what comes back folded, with the parts that letters stand for beside."""
    graph, parts = folded(units)
    most = max((unit.weight for unit in graph.units), default=0) or 1
    return beside(_graph(graph, most), [_part(part, i) for i, part in enumerate(parts)])


def _part(part: Part, number: int) -> Piece:
    inner = _graph(part.graph, 0)
    width, height = max(inner.width, 60.0) + 32, inner.height + 44
    badge = circle(20, 20, 10, "c") + text(20, 24, part.letter, "on", "middle")
    body = f'<g transform="translate({(width - inner.width) / 2:.1f} 30)">{inner.svg}</g>'
    return Piece(
        width, height, f'<g class="part h{number % 8}">{box(0.5, 0.5, width - 1, height - 1, "key", 10)}{badge}{body}</g>'
    )


# ---- one graph --------------------------------------------------------------------------------------------------------


def _graph(graph: Graph, most: int) -> Piece:
    """``most``: the parameters of a full bar; 0 where there are none to show."""
    units = graph.units
    ranks = _ranks(units)
    sizes = [_size(unit) for unit in units]
    if len(set(ranks)) == len(units):  # boxes of one column are equally wide
        widest = max((width for (width, _), unit in zip(sizes, units, strict=True) if unit.kind in ("box", "part")), default=0)
        sizes = [
            (widest, high) if unit.kind in ("box", "part") else (wide_, high)
            for (wide_, high), unit in zip(sizes, units, strict=True)
        ]
    edges = [(i, j, via) for j, unit in enumerate(units) for i, via in zip(unit.inputs, unit.via, strict=True)]
    labels = _labels(units, edges)
    plan = placed(
        sizes,
        [(i, j, wide(label, 11)) for (i, j, _), label in zip(edges, labels, strict=True)],
        [frame.parent for frame in graph.frames],
        [unit.frame for unit in units],
        header=_HEAD if graph.frames else 0,
    )
    drawn = [_frame(place, frame.title) for place, frame in zip(plan.frames, graph.frames, strict=True)]
    for (i, j, via), line in zip(edges, plan.lines, strict=True):
        drawn.append(arrow(line, _SIGNS[via.mark] if via.mark else "skip" * (ranks[j] - ranks[i] > 1)))
    for spot, label in zip(plan.spots, labels, strict=True):
        if spot is not None:
            drawn.append(text(spot.x, spot.y + 4, label, "soft small num" + " halo" * spot.on_line))
    drawn += [_unit(unit, place, most) for unit, place in zip(units, plan.boxes, strict=True)]
    return Piece(plan.width, plan.height, "".join(drawn))


def _ranks(units: Sequence[Unit]) -> list[int]:
    """How far each box is from the inputs, the long way."""
    ranks: list[int] = []
    for unit in units:
        ranks.append(1 + max((ranks[i] for i in unit.inputs), default=-1))
    return ranks


def _labels(units: Sequence[Unit], edges: Sequence[tuple[int, int, Via]]) -> list[str]:
    """What is written on each line: a projection, and the shape where it has changed, once for each box."""
    labels = [f"{via.label} · {via.params:,}" if via.params else via.label for _, _, via in edges]
    for place, unit in enumerate(units):
        own = [k for k, (i, j, _) in enumerate(edges) if i == place and not (units[j].kind == "port" and "·" in units[j].label)]
        if unit.resized and unit.size and own:
            k = next((k for k in own if not labels[k]), own[0])
            labels[k] = f"{unit.size}, {labels[k]}" if labels[k] else unit.size
    return labels


# ---- one box ----------------------------------------------------------------------------------------------------------


def _cut(words: str) -> str:
    return words if len(words) <= _LONGEST else words[: _LONGEST - 1] + "…"


def _words(unit: Unit) -> tuple[str, str, str]:
    return _cut(", ".join(unit.before)), _cut(unit.label), _cut(", ".join(unit.after))


def _weight(unit: Unit) -> str:
    return "shared" if unit.shared and not unit.params else f"{unit.params:,}" if unit.params else ""


def _size(unit: Unit) -> tuple[float, float]:
    before, label, after = _words(unit)
    sign = 20.0 * bool(unit.mark)
    words = wide(label) + sum(7 + wide(other) for other in (before, after) if other) + sign
    times = 14 + wide(f"× {unit.times}", BOLD) if unit.times > 1 else 0.0
    if unit.kind == "join":
        return (22.0, 22.0) if len(label) == 1 and not after and not sign else (2 * _PAD + words, 24.0)
    if unit.kind == "port":
        return 2 * _PAD + words, 26.0
    number = 20 + wide(_weight(unit), 11) if _weight(unit) else 0.0
    if unit.kind == "part":
        words = 22.0 + sign
    if unit.was:
        words = max(words, wide(_cut(unit.was)) + sign)
    return 2 * _PAD + words + times + number, _HIGH + 17 * bool(unit.was)


def _frame(place: Place, title: str) -> str:
    return box(place.left, place.top, place.width, place.height, "frame", 9) + text(place.left + 10, place.top + 15, title, "b")


def _unit(unit: Unit, place: Place, most: int) -> str:
    """A box, with everything about it in its tooltip and the parameters as data."""
    kind = " ".join(filter(None, (f"a-{unit.kind}", "unread" * unit.dead, _SIGNS.get(unit.mark, ""))))
    draws = {"join": _join, "port": _port}.get(unit.kind)
    inner = draws(unit, place) if draws else _box(unit, place, most)
    data = f' data-params="{unit.weight}"' if unit.weight else ""
    return f'<g class="unit {kind}"{data}><title>{escape(_tip(unit))}</title>{inner}</g>'


def _tip(unit: Unit) -> str:
    told = [unit.told if unit.kind != "part" else f"part {unit.label}"]
    told += [f"{unit.times} times"] * (unit.times > 1) + [f"was {unit.was}"] * bool(unit.was)
    told += [f"output {unit.size}"] * bool(unit.size) + [f"{unit.params:,} parameters"] * bool(unit.params)
    told += ["weights shared with an earlier box"] * (unit.shared and not unit.params) + ["nothing reads it"] * unit.dead
    told += [".".join(unit.path)] * bool(unit.path)
    return "\n".join(told)


def _sign(unit: Unit, place: Place) -> str:
    return text(place.left + 7, place.y + 4, unit.mark, "b sign") if unit.mark else ""


def _join(unit: Unit, place: Place) -> str:
    style = "box" + " dead" * unit.dead
    if place.width <= 22:
        return circle(place.x, place.y, 11, style) + text(place.x, place.y + 4, unit.label, "", "middle")
    return box(place.left, place.top, place.width, place.height, style, 12) + _sign(unit, place) + _line(unit, place, place.y + 4)


def _port(unit: Unit, place: Place) -> str:
    return box(place.left, place.top, place.width, place.height, "port", 13) + text(
        place.x, place.y + 4, unit.label, "soft", "middle"
    )


def _line(unit: Unit, place: Place, y: float) -> str:
    """The words in a box, those of the layer itself in ink, the rest soft."""
    before, label, after = _words(unit)
    spans = [f'<tspan class="soft">{escape(before)}</tspan>'] if before else []
    spans.append(f"<tspan{' dx=' + chr(34) + '7' + chr(34) if before else ''}>{escape(label)}</tspan>")
    spans += [f'<tspan class="soft" dx="7">{escape(after)}</tspan>'] if after else []
    times = f'<tspan class="b" dx="12">× {unit.times}</tspan>' if unit.times > 1 else ""
    return f'<text x="{place.left + _PAD + 20 * bool(unit.mark):.1f}" y="{y:.1f}">{"".join(spans)}{times}</text>'


def _box(unit: Unit, place: Place, most: int) -> str:
    left, top, width, height = place.left, place.top, place.width, place.height
    drawn = []
    if unit.times > 1:
        drawn.append(box(left + 4, top + 4, width, height))
    drawn.append(box(left, top, width, height, "box" + " dead" * unit.dead))
    if unit.params and most:
        drawn.append(box(left + 5, place.bottom - 2.5, max((width - 10) * unit.params / most, 1), 2.5, "bar", 1))
    drawn.append(_sign(unit, place))
    y = place.y + 4
    if unit.was:
        drawn.append(text(left + _PAD + 20, place.y - 5, _cut(unit.was), "soft was"))
        y = place.y + 13
    if unit.kind == "part":
        x = left + 19 + 20 * bool(unit.mark)
        number = (ord(unit.label) - ord("A")) % 8 if len(unit.label) == 1 else 0
        drawn.append(f'<g class="h{number}">{circle(x, place.y, 9, "c")}{text(x, place.y + 4, unit.label, "on", "middle")}</g>')
        drawn += [text(x + 17, place.y + 4, f"× {unit.times}", "b")] * (unit.times > 1)
    else:
        drawn.append(_line(unit, place, y))
    if _weight(unit):
        drawn.append(text(place.right - _PAD, y, _weight(unit), "soft small num", "end"))
    return "".join(drawn)
