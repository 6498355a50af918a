"""In which order values are computed, and over how few places: a register allocation over the nodes of an architecture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from netwright.core.architecture import Architecture
from netwright.layers.counts import Step
from netwright.layers.scopes import Loop, loops

__all__ = ["Move", "Plan", "inner", "plan"]


class Move(NamedTuple):
    """What is read (a layer's ``reads`` first inputs), where the output goes, and what may be forgotten afterwards.

    It is computed by the node at ``place``, or by all those of ``loop``; one of several values that leave a recurrence is
    ``picked`` by its number, and computed by nobody.
    """

    sources: tuple[int, ...]
    target: int
    freed: tuple[int, ...]
    place: int
    loop: Loop | None = None
    picked: int | None = None


class Plan(NamedTuple):
    """The moves in order; inputs lie in the first places at the start, outputs in ``outputs`` at the end.

    There is one move for each node, where no nodes recur.
    """

    moves: list[Move]
    size: int
    outputs: tuple[int, ...]


class _Part(NamedTuple):
    """What is computed at once. ``key``: the place of the node whose value it is (inputs: −1, −2 …), or a number past all places
    for the several values that leave a recurrence together. ``called``: how many of its inputs it is called with."""

    key: int
    reads: tuple[int, ...]
    called: int | None
    place: int
    loop: Loop | None = None
    picked: int | None = None


def plan(architecture: Architecture, found: Sequence[Step], inputs: int) -> Plan:
    """An output takes the place of an input that is not read again, if there is one."""
    return _allocated(list(_parts(architecture, found)), [-1 - i for i in range(inputs)], architecture.outputs)


def inner(loop: Loop, found: Sequence[Step]) -> Plan:
    """One step of a recurrence. Inputs: a step of each value that enters, then the states. Outputs: the states of the next
    step, then what leaves."""
    states = [state for state, _ in loop.states]
    parts = [_node(place, found[place]) for place in range(loop.first, loop.last + 1) if place not in states]
    outputs = (*(carried for _, carried in loop.states), *loop.leaving)
    return _allocated(parts, (*loop.entering, *states), outputs)


def _node(place: int, step: Step) -> _Part:
    return _Part(place, step.node.inputs, step.layer.reads, place)


def _parts(architecture: Architecture, found: Sequence[Step]) -> Iterator[_Part]:
    recur = {loop.first: loop for loop in loops(architecture)}
    place = 0
    while place < len(found):
        loop = recur.get(place)
        if loop is None:
            yield _node(place, found[place])
            place += 1
            continue
        one = len(loop.leaving) == 1
        key = loop.leaving[0] if one else len(found) + place
        yield _Part(key, loop.entering, None, place, loop)
        for number, leaving in enumerate(() if one else loop.leaving):
            yield _Part(leaving, (key,), None, leaving, None, number)
        place = loop.last + 1


def _allocated(parts: Sequence[_Part], given: Sequence[int], outputs: Sequence[int]) -> Plan:
    last = {key: at for at, part in enumerate(parts) for key in part.reads} | dict.fromkeys(outputs, len(parts))
    where = {key: i for i, key in enumerate(given)}
    spare: list[int] = []
    size = len(given)
    moves: list[Move] = []
    for at, part in enumerate(parts):
        ending = [where[key] for key in dict.fromkeys(part.reads) if last[key] == at]
        if ending:
            target, *freed = ending
        else:
            target, freed = (spare.pop() if spare else size), []
            size = max(size, target + 1)
        sources = tuple(where[key] for key in part.reads[: part.called])
        where[part.key] = target
        if part.key not in last:  # computed for nobody
            freed.append(target)
        spare += freed
        moves.append(Move(sources, target, tuple(freed), part.place, part.loop, part.picked))
    return Plan(moves, size, tuple(where[key] for key in outputs))
