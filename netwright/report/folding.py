"""Folds a deep drawing: a part that comes back is drawn once and named by a letter, a run of equal parts once with ``× 5``."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from netwright.report.units import Unit, Via, common

__all__ = ["Frame", "Graph", "Part", "folded"]

FEW = 14
"""Drawings of so few boxes are left as they are."""

_LEAST, _LARGE, _SAVES, _MANY = 3, 5, 6, 20
"""A part has at least three boxes; a small one must save six. No more parts are looked for once twenty boxes are left."""


@dataclass
class Frame:
    """A border around some boxes: what is written on it, and the frame that it stands in."""

    title: str
    parent: int = -1


@dataclass
class Graph:
    """Boxes and the frames around them."""

    units: list[Unit]
    frames: list[Frame] = field(default_factory=list)


@dataclass
class Part:
    """What a letter stands for."""

    letter: str
    graph: Graph


Key = tuple[object, ...]

_WIDTH = re.compile(r" · ([\d,]+)(?= /|$)")


def folded(units: Sequence[Unit]) -> tuple[Graph, list[Part]]:
    """The graph with what comes back folded, and the parts that its letters stand for."""
    if sum(unit.kind != "port" for unit in units) <= FEW:
        return _framed(list(units)), []
    main, bodies = list(units), dict[str, list[Unit]]()
    while True:  # parts of parts come first
        main, found = _lettered(main, len(bodies))
        if not found:
            break
        bodies |= found
    graphs = {"": _runs(main), **{letter: _runs(body) for letter, body in bodies.items()}}
    for letter, body in bodies.items():
        users = [name for name, graph in graphs.items() for unit in graph.units if (unit.kind, unit.label) == ("part", letter)]
        if len(users) == 1:  # it comes back in one run alone: it is drawn there
            graphs[users[0]] = _unpacked(graphs[users[0]], letter, body)
            del graphs[letter]
    names = {letter: chr(ord("A") + i) if i < 26 else f"P{i + 1}" for i, letter in enumerate(list(graphs)[1:])}
    for graph in graphs.values():
        for unit in graph.units:
            unit.label = names.get(unit.label, unit.label) if unit.kind == "part" else unit.label
    return graphs.pop(""), [Part(names[letter], graph) for letter, graph in graphs.items()]


# ---- parts that come back ---------------------------------------------------------------------------------------------


def _lettered(units: list[Unit], known: int) -> tuple[list[Unit], dict[str, list[Unit]]]:
    """The units with each part that comes back in one box, and what is in it. Parts are equal but for their widths."""
    found: dict[Key, list[tuple[int, int]]] = {}
    for start, stop in _groups(units):
        key = _key(units, start, stop)
        if key is not None:
            found.setdefault(key, []).append((start, stop))
    taken = [False] * len(units)
    chosen: list[tuple[int, int, str]] = []
    bodies: dict[str, list[Unit]] = {}
    worth = sorted((places for places in found.values() if len(places) > 1), key=lambda places: (-_worth(places), places))
    left = len(units)
    for places in worth:
        free = [(start, stop) for start, stop in places if not any(taken[start:stop])]
        size = places[0][1] - places[0][0]
        saved = (len(free) - 1) * (size - 1)
        if len(free) < 2 or left <= _MANY or saved < (1 if size >= _LARGE else _SAVES):
            continue
        left -= saved
        letter = f"part {known + len(bodies)}"
        bodies[letter] = _body(units, free)
        for start, stop in free:
            taken[start:stop] = [True] * (stop - start)
            chosen.append((start, stop, letter))
    return _packed(units, sorted(chosen)), bodies


def _worth(places: Sequence[tuple[int, int]]) -> float:
    """Boxes that a letter saves; many places count a little more than large ones, for runs of a part are folded too."""
    start, stop = places[0]
    return (len(places) - 1) * (stop - start - 1) * math.pow(len(places), 0.25)


def _groups(units: Sequence[Unit]) -> list[tuple[int, int]]:
    """Stretches of boxes whose weights live below one path, with nothing else between them."""
    places: dict[tuple[str, ...], list[int]] = {}
    for i, unit in enumerate(units):
        for depth in range(1, len(unit.path) + 1):
            places.setdefault(unit.path[:depth], []).append(i)
    spans = {(own[0], own[-1] + 1) for own in places.values() if own[-1] - own[0] + 1 == len(own) >= _LEAST}
    return sorted((start, stop) for start, stop in spans if any(unit.kind != "part" for unit in units[start:stop]))


def _outside(units: Sequence[Unit], start: int, stop: int) -> list[int]:
    """What a stretch reads from before it, the newest first."""
    return sorted({i for unit in units[start:stop] for i in unit.inputs if i < start}, reverse=True)


def _plain(label: str) -> str:
    """A label without the width, which may differ from place to place."""
    return _WIDTH.sub("", label)


def _merged(labels: Sequence[str]) -> str:
    """One label for several that differ in their widths: ``conv 3×3 · 16|32``."""
    if len(set(labels)) == 1:
        return labels[0]
    widths = [match[1] for label in labels if (match := _WIDTH.search(label))]
    told = "|".join(dict.fromkeys(widths))
    return _WIDTH.sub(f" · {told}", labels[0], count=1)


def _key(units: Sequence[Unit], start: int, stop: int) -> Key | None:
    """What two stretches have in common if one drawing does for both; nothing where a stretch has more than one end."""
    ends = {i for unit in units[stop:] for i in unit.inputs if start <= i < stop}
    if len(ends) != 1:
        return None
    outside = _outside(units, start, stop)

    def read(i: int) -> Key:
        return ("in", outside.index(i)) if i < start else ("at", i - start)

    told = tuple(
        (
            unit.kind, _plain(unit.label), tuple(map(_plain, unit.before)), tuple(map(_plain, unit.after)),
            tuple(map(read, unit.inputs)), tuple((via.label, via.mark) for via in unit.via), unit.dead,
            unit.scope != "", unit.mark, _plain(unit.was),
        )
        for unit in units[start:stop]
    )  # fmt: skip
    return (next(iter(ends)) - start, told)


def _body(units: Sequence[Unit], places: Sequence[tuple[int, int]]) -> list[Unit]:
    """The boxes of a part, between ports for what it reads and gives; widths, shapes and counts where all places agree."""
    start, stop = places[0]
    outside = _outside(units, start, stop)
    names = ["in"] if len(outside) == 1 else ["newest input", "input before", *(f"input {i}" for i in range(3, len(outside) + 1))]
    body = [Unit("port", name) for name in names[: len(outside)]]
    new = {i: place for place, i in enumerate(outside)} | {i: len(outside) + i - start for i in range(start, stop)}
    for i in range(start, stop):
        alike = [units[first + i - start] for first, _ in places]
        mine = units[i]
        sized = all((other.size, other.weight) == (mine.size, mine.weight) for other in alike)
        unit = replace(mine, inputs=[new[j] for j in mine.inputs], shared=False)
        unit.label, unit.was = _merged([other.label for other in alike]), _merged([other.was for other in alike])
        if not sized:
            unit.size, unit.params, unit.via = "", 0, [via._replace(params=0) for via in mine.via]
        body.append(unit)
    end = next(i for later in units[stop:] for i in later.inputs if start <= i < stop)
    return [*body, Unit("port", "out", [new[end]], [Via()])]


def _packed(units: Sequence[Unit], chosen: Sequence[tuple[int, int, str]]) -> list[Unit]:
    """The units with each chosen stretch in one box."""
    short: list[Unit] = []
    new: dict[int, int] = {}
    i = 0
    for start, stop, letter in [*chosen, (len(units), len(units), "")]:
        for place in range(i, start):
            new[place] = len(short)
            short.append(replace(units[place], inputs=[new[j] for j in units[place].inputs]))
        if start == stop:
            break
        inner = units[start:stop]
        params = sum(unit.weight for unit in inner if unit.mark != "−")
        outside = _outside(units, start, stop)
        last = inner[max(j - start for unit in units[stop:] for j in unit.inputs if start <= j < stop)]
        before = units[outside[0]].size if outside else ""
        depth = min(common(unit.path, inner[0].path) for unit in inner)
        short.append(
            Unit(
                "part", letter, [new[j] for j in outside], [Via()] * len(outside), size=last.size,
                resized=last.size != before, params=params, shared=any(u.shared for u in inner),
                path=inner[0].path[:depth],
                nodes=[node for unit in inner for node in unit.nodes], mark="≠" if any(unit.mark for unit in inner) else "",
            )
        )  # fmt: skip
        new |= dict.fromkeys(range(start, stop), len(short) - 1)
        i = stop
    return short


# ---- runs of equal parts ----------------------------------------------------------------------------------------------


def _runs(units: list[Unit]) -> Graph:
    """The units with each run of equal ones, or of equal stretches, drawn once."""
    frames: list[Frame] = []
    while (best := _best_run(units)) is not None:
        start, period, times = best
        stop = start + period * times
        if period == 1:
            units[start].times = times
        else:
            frames.append(Frame(f"× {times}"))
            for unit in units[start : start + period]:
                unit.frame = len(frames) - 1
        for unit in units[start : start + period]:
            unit.params *= times
            unit.via = [via._replace(params=via.params * times) for via in unit.via]
        new = {
            i: i if i < start else start + (i - start) % period if i < stop else i - period * (times - 1)
            for i in range(len(units))
        }
        kept = [*units[: start + period], *units[stop:]]
        for unit in kept:
            unit.inputs = [new[i] for i in unit.inputs]
        for unit in kept[start + period :]:
            pairs = dict.fromkeys(zip(unit.inputs, unit.via, strict=True))
            unit.inputs, unit.via = [i for i, _ in pairs], [via for _, via in pairs]
        units = kept
    return _framed(units, frames)


def _best_run(units: Sequence[Unit]) -> tuple[int, int, int] | None:
    """The run (start, period, times) that saves most boxes."""
    keys = [
        (
            u.kind, u.label, tuple(u.before), tuple(u.after), u.size, u.params, u.shared, u.dead, u.scope, u.mark, u.was,
            tuple(u.via), tuple(i - j for j in u.inputs),
        )
        if u.frame < 0 and u.times == 1 and u.kind != "port" else i
        for i, u in enumerate(units)
    ]  # fmt: skip
    best: tuple[int, tuple[int, int, int]] | None = None
    for period in range(1, len(units) // 2 + 1):
        start = 0
        while start + 2 * period <= len(units):
            same = 0
            while start + period + same < len(units) and keys[start + same] == keys[start + period + same]:
                same += 1
            times = 1 + same // period
            saved = period * (times - 1)
            turn = units[start : start + period]
            least = 1 if all(unit.kind == "part" for unit in turn) else 2
            enough = times > 1 and saved >= least and (best is None or saved > best[0])
            if enough and any(unit.kind != "join" for unit in turn) and _closed(units, start, period, times):
                best = (saved, (start, period, times))
            start += max(1, same - period + 1)
    return best[1] if best else None


def _closed(units: Sequence[Unit], start: int, period: int, times: int) -> bool:
    """Whether each turn of a run reads one thing, what the turn before it gave, and what follows reads the last.

    A single box may be read two turns later too, as cells with two inputs are.
    """
    stop = start + period * times
    if period == 1:
        return all(i < start or i >= stop - 2 for unit in units[stop:] for i in unit.inputs)
    inside = all(i >= start - 1 for unit in units[start : start + period] for i in unit.inputs)
    return inside and all(i < start or i >= stop - 1 for unit in units[stop:] for i in unit.inputs)


def _unpacked(graph: Graph, letter: str, body: Sequence[Unit]) -> Graph:
    """The graph with the inside of a part in its only place, in a frame where it is a run."""
    at = next(i for i, unit in enumerate(graph.units) if unit.kind == "part" and unit.label == letter)
    part = graph.units[at]
    graph.frames.append(Frame(f"× {part.times}", part.frame))
    inner = [unit for unit in body if unit.kind != "port"]
    ports = len(part.inputs)
    shift = len(inner) - 1
    end = body[-1].inputs[0] - ports + at
    units = list(graph.units[:at])
    for unit in inner:
        fresh = replace(unit, frame=len(graph.frames) - 1, params=unit.params * part.times)
        fresh.inputs = [part.inputs[i] if i < ports else i - ports + at for i in unit.inputs]
        fresh.via = [via._replace(params=via.params * part.times) for via in unit.via]
        units.append(fresh)
    for unit in graph.units[at + 1 :]:
        units.append(replace(unit, inputs=[end if i == at else i + shift * (i > at) for i in unit.inputs]))
    return Graph(units, graph.frames)


def _framed(units: list[Unit], frames: list[Frame] | None = None) -> Graph:
    """Boxes that run once for each step of a sequence stand in a frame."""
    frames = [] if frames is None else frames
    scopes: dict[str, int] = {}
    for unit in units:
        if unit.scope and unit.frame < 0:
            if unit.scope not in scopes:
                scopes[unit.scope] = len(frames)
                frames.append(Frame("once for each step"))
            unit.frame = scopes[unit.scope]
    return Graph(units, frames)
