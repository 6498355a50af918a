"""Where boxes and lines go: a layered layout (Sugiyama et al. 1981, IEEE SMC-11), computed by graphlay.

The library is Rust with wheels for all systems, MIT or Apache 2.0, deterministic, and takes 1 ms for 30 boxes. It knows the
sizes of boxes, frames around them, and the course of lines. Weighed against it: grandalf (GPL or EPL, no maintenance),
igraph (GPL), pygraphviz (needs Graphviz on the machine), rustworkx and networkx (no layered layout), fast-sugiyama (knows no
sizes and gives no lines).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

__all__ = ["Place", "Plan", "Point", "Spot", "curve", "placed"]

Point = tuple[float, float]
Line = tuple[Point, ...]
"""An edge from border to border, with its corners."""

_GAPS = {
    "layer_gap": 24, "node_gap": 24, "dummy_gap": 16, "port_gap": 10, "stub": 8, "port_stroke_clear": 6,
    "edge_label_margin": 4, "compound_padding": 12, "compound_header": 6, "bundle_lane_gap": 7, "isolated_gap": 24,
}  # fmt: skip
_ROUND = 9.0
_LABEL = 12.0
"""Height of a label."""


@dataclass(frozen=True)
class Place:
    """A box: its centre and size."""

    x: float
    y: float
    width: float
    height: float

    @property
    def left(self) -> float:
        return self.x - self.width / 2

    @property
    def right(self) -> float:
        return self.x + self.width / 2

    @property
    def top(self) -> float:
        return self.y - self.height / 2

    @property
    def bottom(self) -> float:
        return self.y + self.height / 2


@dataclass(frozen=True)
class Spot:
    """Where the label of an edge stands: the middle of its left, and whether it lies on the line itself."""

    x: float
    y: float
    on_line: bool = False


@dataclass(frozen=True)
class Plan:
    """Boxes, frames and lines in the order in which they were given, from (0, 0) to (width, height)."""

    boxes: tuple[Place, ...]
    frames: tuple[Place, ...]
    lines: tuple[Line, ...]
    spots: tuple[Spot | None, ...]
    width: float
    height: float


def placed(
    sizes: Sequence[tuple[float, float]],
    edges: Sequence[tuple[int, int, float]],  # from, to, width of its label or 0
    frames: Sequence[int] = (),
    inside: Sequence[int] = (),
    *,
    header: float = 0.0,
) -> Plan:
    """Lay out boxes of these sizes, top down; what is as wide as high is a circle.

    ``frames``: for each frame the frame that it stands in, or −1; ``inside``: the same for each box. ``header``: the room at
    the top of a frame.
    """
    import graphlay

    graph = graphlay.Graph()
    count = len(sizes)
    parents = {i: count + frame for i, frame in enumerate(inside) if frame >= 0}
    parents |= {count + i: count + frame for i, frame in enumerate(frames) if frame >= 0}
    for i, (width, height) in enumerate([*sizes, *((10.0, 10.0) for _ in frames)]):
        fields: dict[str, Any] = {"parent": parents[i]} if i in parents else {}
        graph.node(i, width=width, height=height, shape="ellipse" if width == height else "box", **fields)
    for start, end, _ in edges:
        graph.edge(start, end)
    gaps = {**_GAPS, "compound_header": _GAPS["compound_header"] + header}
    found = graphlay.layout(graph, preset="process_map", options={"spacing": gaps})
    boxes = [Place(n["center"]["x"], n["center"]["y"], n["size"]["width"], n["size"]["height"]) for n in found.nodes]
    lines = [tuple((point["x"], point["y"]) for point in edge["points"]) for edge in found.edges]
    widths = [label for _, _, label in edges]
    spots = _spots(boxes[:count], lines, widths)
    xs = [x for line in lines for x, _ in line] + [x for place in boxes for x in (place.left, place.right)]
    xs += [x for spot, label in zip(spots, widths, strict=True) if spot for x in (spot.x, spot.x + label)]
    ys = [y for line in lines for _, y in line] + [y for place in boxes for y in (place.top, place.bottom)]
    x0, y0 = min(xs, default=0.0), min(ys, default=0.0)
    moved = [replace(place, x=place.x - x0, y=place.y - y0) for place in boxes]
    return Plan(
        tuple(moved[:count]),
        tuple(moved[count:]),
        tuple(tuple((x - x0, y - y0) for x, y in line) for line in lines),
        tuple(spot and replace(spot, x=spot.x - x0, y=spot.y - y0) for spot in spots),
        max(xs, default=0.0) - x0,
        max(ys, default=0.0) - y0,
    )


def _spots(boxes: Sequence[Place], lines: Sequence[Line], widths: Sequence[float]) -> list[Spot | None]:
    """A place for each label beside an upright stretch of its line where nothing else is; else on the line."""
    taken = [(place.left, place.top, place.right, place.bottom) for place in boxes]
    taken += [(min(a, c), min(b, d), max(a, c), max(b, d)) for line in lines for (a, b), (c, d) in pairwise(line)]
    spots: list[Spot | None] = []
    for line, width in zip(lines, widths, strict=True):
        if not width:
            spots.append(None)
            continue
        upright = [(a, min(b, d), abs(d - b)) for (a, b), (c, d) in pairwise(line) if a == c and abs(d - b) > _LABEL]
        upright.sort(key=lambda stretch: -stretch[2])
        tries = [
            Spot(x, top + part * length) for a, top, length in upright for part in (0.5, 0.3, 0.7) for x in (a + 5, a - 5 - width)
        ]
        free = (spot for spot in tries if not any(_meets(spot, width, other) for other in taken))
        (a, b), (c, d) = line[:2]
        spot = next(free, Spot((a + c - width) / 2, (b + d) / 2, on_line=True))
        taken.append((spot.x, spot.y - _LABEL / 2, spot.x + width, spot.y + _LABEL / 2))
        spots.append(spot)
    return spots


def _meets(spot: Spot, width: float, other: tuple[float, float, float, float]) -> bool:
    left, top, right, bottom = other
    return spot.x < right and left < spot.x + width and spot.y - _LABEL / 2 < bottom and top < spot.y + _LABEL / 2


def curve(points: Sequence[Point]) -> str:
    """A line through the points as SVG path data, its corners rounded."""
    (x, y), *rest = points
    path = [f"M{x:.1f} {y:.1f}"]
    for before, corner, after in zip(points, rest, rest[1:], strict=False):
        r = min(_ROUND, math.dist(before, corner) / 2, math.dist(corner, after) / 2)
        (ax, ay), (bx, by) = _toward(corner, before, r), _toward(corner, after, r)
        path.append(f"L{ax:.1f} {ay:.1f}Q{corner[0]:.1f} {corner[1]:.1f} {bx:.1f} {by:.1f}")
    path.append(f"L{rest[-1][0]:.1f} {rest[-1][1]:.1f}")
    return "".join(path)


def _toward(start: Point, end: Point, length: float) -> Point:
    far = math.dist(start, end) or 1.0
    return start[0] + (end[0] - start[0]) * length / far, start[1] + (end[1] - start[1]) * length / far
