"""Draws an architecture as SVG, top down: one box for each layer with the normalisation and activation that follow it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

from netwright.core.architecture import Architecture, Node, Signature, Tensor
from netwright.layers.base import layer
from netwright.layers.counts import shapes

__all__ = ["draw"]

_FOLLOWS = frozenset({"activation", "batch_norm", "dropout", "flatten", "group_norm", "instance_norm", "layer_norm"})
"""Layers that are told inside the box of the layer they follow."""

_JOINS = {"sum": "+", "mul": "×"}
_GAP, _SIDE, _LANE, _ROUND, _CIRCLE, _COLUMN = 16.0, 22.0, 13.0, 6.0, 22.0, 84.0
_CHAR = 6.7  # mean width of a character at 12 px, measured over the labels

_STYLE = """.netgraph text{font:12px system-ui,sans-serif;fill:var(--ink,#1d2430)}
.netgraph .soft{fill:var(--soft,#646d7a)}
.netgraph .end,.netgraph .num{font-variant-numeric:tabular-nums}
.netgraph .box{fill:var(--panel,#f5f6f8);stroke:var(--rule,#cfd4dc)}
.netgraph .port{fill:none;stroke:var(--soft,#646d7a);stroke-dasharray:3 3}
.netgraph .bar{fill:var(--accent,#2563a8)}
.netgraph .edge{fill:none;stroke:var(--soft,#646d7a);stroke-width:1.3}
.netgraph .skip{stroke:var(--accent,#2563a8)}
.netgraph .tip{fill:var(--soft,#646d7a)}
.netgraph .skip.tip{fill:var(--accent,#2563a8);stroke:none}"""


@dataclass
class _Unit:
    """One box: a layer with those that follow it, an input, or an output."""

    kind: str  # box, join, port
    label: str
    inputs: list[int] = field(default_factory=list)
    via: list[str] = field(default_factory=list)  # for each input: the projection on the way from it, or nothing
    after: list[str] = field(default_factory=list)
    size: str = ""
    weight: str = ""  # parameters, as written
    params: int = 0
    row: int = 0
    x: float = 0.0  # centre
    y: float = 0.0  # top
    width: float = 0.0
    height: float = 0.0

    @property
    def bottom(self) -> float:
        return self.y + self.height


def draw(architecture: Architecture, signature: Signature) -> str:
    """The architecture as one ``<svg>``. It takes the page's colours where it stands in one, and has its own elsewhere.

    Layers that do nothing are left out; the bar in a box is its part of the parameters. Raises :class:`SpaceError` where
    a layer does not fit its inputs.
    """
    units = _units(architecture, signature)
    _rows(units)
    lanes = _lanes(units)
    _place(units)
    return _svg(units, lanes)


# ---- which boxes ------------------------------------------------------------------------------------------------------


def _units(architecture: Architecture, signature: Signature) -> list[_Unit]:
    nodes, outs = architecture.nodes, shapes(architecture, signature)
    units = [_Unit("port", f"{name} · {_size(tensor)}") for name, tensor in signature.inputs]
    home = {-i - 1: i for i in range(len(units))}  # node → its box
    via: dict[int, str] = {}
    readers: dict[int, int] = {}
    for node in nodes:
        for i in _read(node):
            readers[i] = readers.get(i, 0) + 1
    seen: set[str] = set()
    for place, node in enumerate(nodes):
        tensors = [outs[i] if i >= 0 else signature.input(i) for i in node.inputs]
        read, kind = _read(node), layer(node.op)
        params = kind.params(tensors, dict(node.attrs))
        label = kind.label(dict(node.attrs)) or node.op.replace("_", " ")
        before = units[home[read[0]]] if len(read) == 1 else None
        if before and node.op in ("identity", "project") and place not in architecture.outputs:
            home[place] = home[read[0]]
            via[place] = f"{label} · {params:,}" if params else via.get(read[0], "")
            continue
        alone = bool(read) and readers[read[0]] == 1 and read[0] not in architecture.outputs
        if before and before.kind == "box" and node.op in _FOLLOWS and alone:
            home[place] = home[read[0]]
            before.after.append(label)
            unit = before
        else:
            shown = _JOINS.get(node.op, label)
            unit = _Unit("join" if node.op in _JOINS else "box", shown, [home[i] for i in read], [via.get(i, "") for i in read])
            home[place] = len(units)
            units.append(unit)
        shared = bool(params) and node.weights in seen
        seen.add(node.weights)
        unit.params += 0 if shared else params
        unit.size, unit.weight = _size(outs[place]), "shared" if shared else f"{unit.params:,}" if unit.params else "–"
    for (name, tensor), out in zip(signature.heads, architecture.outputs, strict=False):
        units.append(_Unit("port", f"{name} · {_size(tensor)}", [home[out]]))
    return units


def _read(node: Node) -> Sequence[int]:
    """The inputs that carry values; others only give a shape."""
    reads = layer(node.op).reads
    return node.inputs if reads is None else node.inputs[:reads]


def _size(tensor: Tensor) -> str:
    return "×".join(map(str, tensor.shape))


# ---- where they stand -------------------------------------------------------------------------------------------------


def _rows(units: list[_Unit]) -> None:
    """Each box below all that it reads; inputs come before their readers in the list."""
    for unit in units:
        unit.row = 1 + max((units[i].row for i in unit.inputs), default=-1)


def _lanes(units: list[_Unit]) -> dict[tuple[int, int], int]:
    """Edges that pass by a row, each with a lane beside the boxes: the shortest next to them, no two over one another."""
    edges = [(i, j) for j, unit in enumerate(units) for i in unit.inputs if unit.row - units[i].row > 1]
    lanes: dict[tuple[int, int], int] = {}
    for edge in sorted(edges, key=lambda edge: units[edge[1]].row - units[edge[0]].row):
        top, bottom = units[edge[0]].row, units[edge[1]].row
        taken = {lane for (i, j), lane in lanes.items() if units[i].row < bottom and top < units[j].row}
        lanes[edge] = min(set(range(len(edges))) - taken)
    return lanes


def _place(units: list[_Unit]) -> None:
    rows: dict[int, list[_Unit]] = {}
    for unit in units:
        rows.setdefault(unit.row, []).append(unit)
    flat = max(map(len, rows.values())) == 1  # one line of text in a box suffices
    boxes = [unit for unit in units if unit.kind == "box"]
    for unit in units:
        name = len(unit.label + ", ".join(unit.after)) + 2 * bool(unit.after)
        unit.width = 24 + _CHAR * max(name, 0 if flat else len(unit.size + unit.weight) + 14)
        unit.height = 28.0 if flat or unit.kind == "port" else 42.0
        if unit.kind == "join":
            unit.width = unit.height = _CIRCLE
    if flat and boxes:  # boxes of one column are equally wide, with columns for sizes and parameters
        widest = max(unit.width for unit in boxes) + 24 + _CHAR * max(len(unit.size) for unit in boxes) + _COLUMN
        for unit in boxes:
            unit.width = widest
    top = 22.0 if flat else 1.0
    for row in (rows[r] for r in sorted(rows)):
        row.sort(key=lambda unit: sum(units[i].x for i in unit.inputs) / (len(unit.inputs) or 1))
        left = -(sum(unit.width for unit in row) + _SIDE * (len(row) - 1)) / 2
        for unit in row:
            unit.x, unit.y = left + unit.width / 2, top
            left += unit.width + _SIDE
        top += max(unit.height for unit in row) + _GAP * (1 if flat else 1.6)


# ---- ink --------------------------------------------------------------------------------------------------------------


def _svg(units: list[_Unit], lanes: dict[tuple[int, int], int]) -> str:
    beside = 14 + _LANE * max(lanes.values()) + 16 * any(any(unit.via) for unit in units) if lanes else 0
    left = min(unit.x - unit.width / 2 for unit in units) - beside
    right = max(unit.x + unit.width / 2 for unit in units)
    width, height = right - left + 4, max(unit.bottom for unit in units) + 2
    most = max(unit.params for unit in units) or 1
    layers = sum(unit.kind != "port" for unit in units)
    edges = [
        _edge(units, i, unit, lanes.get((i, j)), unit.via[k] if unit.via else "")
        for j, unit in enumerate(units)
        for k, i in enumerate(unit.inputs)
    ]
    boxes = [_box(unit, most) for unit in units]
    column = next((unit for unit in units if unit.kind == "box" and unit.height < 40), None)
    if column:
        edge = column.x + column.width / 2 - 11
        boxes += [_number(edge - _COLUMN, 13, "output"), _number(edge, 13, "parameters")]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="netgraph" role="img" aria-label="Graph of the network, {layers} layers"'
        f' viewBox="{left - 2:.1f} 0 {width:.1f} {height:.1f}" width="{width:.0f}" height="{height:.0f}">'
        f"<style>{_STYLE}</style>"
        f"{''.join(edges)}{''.join(boxes)}</svg>"
    )


def _edge(units: list[_Unit], source: int, unit: _Unit, lane: int | None, via: str) -> str:
    start = units[source]
    if lane is None:
        middle = (start.bottom + unit.y) / 2
        path = f"M{start.x:.1f} {start.bottom:.1f}C{start.x:.1f} {middle:.1f} {unit.x:.1f} {middle:.1f} {unit.x:.1f} {unit.y:.1f}"
        return f'<path class="edge" d="{path}"/><path class="tip" d="M{unit.x:.1f} {unit.y:.1f}l-3.2 -6h6.4z"/>'
    beside = [u for u in units if start.row < u.row < unit.row]
    x = min(u.x - u.width / 2 for u in beside) - 14 - _LANE * lane
    out = start.bottom + _GAP / 3
    into = unit.y + unit.height / 2 if unit.kind == "join" else unit.y - _GAP / 2
    r = _ROUND
    path = f"M{start.x:.1f} {start.bottom:.1f}V{out:.1f}H{x + r:.1f}Q{x:.1f} {out:.1f} {x:.1f} {out + r:.1f}"
    path += f"V{into - r:.1f}Q{x:.1f} {into:.1f} {x + r:.1f} {into:.1f}"
    path = f'<path class="edge skip" d="{path}'
    if via:
        turned = f'transform="translate({x - 4:.1f} {(out + into) / 2:.1f})rotate(-90)"'
        path = f'<text class="soft" {turned} text-anchor="middle">{escape(via)}</text>{path}'
    if unit.kind == "join":
        end = unit.x - unit.width / 2
        return f'{path}H{end:.1f}"/><path class="skip tip" d="M{end:.1f} {into:.1f}l-6 -3.2v6.4z"/>'
    return f'{path}H{unit.x:.1f}"/>'


def _box(unit: _Unit, most: int) -> str:
    left, right = unit.x - unit.width / 2, unit.x + unit.width / 2
    if unit.kind == "join":
        middle = unit.y + unit.height / 2
        return (
            f'<circle class="box" cx="{unit.x:.1f}" cy="{middle:.1f}" r="{unit.height / 2:.1f}"/>'
            f'<text x="{unit.x:.1f}" y="{middle + 4:.1f}" text-anchor="middle">{escape(unit.label)}</text>'
        )
    frame = f'x="{left:.1f}" y="{unit.y:.1f}" width="{unit.width:.1f}" height="{unit.height:.1f}"'
    if unit.kind == "port":
        text = f'<text class="soft" x="{unit.x:.1f}" y="{unit.y + 18:.1f}" text-anchor="middle">{escape(unit.label)}</text>'
        return f'<rect class="port" {frame} rx="14"/>{text}'
    after = f'<tspan class="soft" dx="6">{escape(", ".join(unit.after))}</tspan>' if unit.after else ""
    label = f'<text x="{left + 11:.1f}" y="{unit.y + 18:.1f}">{escape(unit.label)}{after}</text>'
    if unit.height < 40:
        detail = _number(right - 11 - _COLUMN, unit.y + 18, unit.size) + _number(right - 11, unit.y + 18, unit.weight)
    else:
        count = f" · {unit.weight} parameters" if unit.params else " · shared weights" if unit.weight == "shared" else ""
        detail = f'<text class="soft num" x="{left + 11:.1f}" y="{unit.y + 33:.1f}">{unit.size}{count}</text>'
    share = (unit.width - 10) * unit.params / most
    bar = f'<rect class="bar" x="{left + 5:.1f}" y="{unit.bottom - 2.5:.1f}" width="{share:.1f}" height="2.5" rx="1"/>'
    return f'<rect class="box" {frame} rx="5"/>{bar if unit.params else ""}{label}{detail}'


def _number(x: float, y: float, text: str) -> str:
    return f'<text class="soft num" x="{x:.1f}" y="{y:.1f}" text-anchor="end">{text}</text>'
