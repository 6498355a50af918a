"""In which order values are computed, and over how few places: a register allocation over the nodes of an architecture."""

from __future__ import annotations

from typing import NamedTuple

from netwright.core.architecture import Architecture
from netwright.layers.counts import Step

__all__ = ["Move", "Plan", "plan"]


class Move(NamedTuple):
    """What a node reads (its layer's ``reads`` first inputs), where its output goes, and what may be forgotten afterwards."""

    sources: tuple[int, ...]
    target: int
    freed: tuple[int, ...]


class Plan(NamedTuple):
    """One move for each node; inputs lie in the first places at the start, outputs in ``outputs`` at the end."""

    moves: list[Move]
    size: int
    outputs: tuple[int, ...]


def plan(architecture: Architecture, found: list[Step], inputs: int) -> Plan:
    """An output takes the place of an input that is not read again, if there is one."""
    nodes = architecture.nodes
    last = {i: place for place, node in enumerate(nodes) for i in node.inputs} | dict.fromkeys(architecture.outputs, len(nodes))
    where = {-1 - i: i for i in range(inputs)}
    spare: list[int] = []
    size = inputs
    moves: list[Move] = []
    for place, step in enumerate(found):
        read = step.node.inputs
        ending = [where[i] for i in dict.fromkeys(read) if last[i] == place]
        if ending:
            target, *freed = ending
        else:
            target, freed = (spare.pop() if spare else size), []
            size = max(size, target + 1)
        sources = tuple(where[i] for i in read[: step.layer.reads])
        where[place] = target
        if place not in last:  # computed for nobody
            freed.append(target)
        spare += freed
        moves.append(Move(sources, target, tuple(freed)))
    return Plan(moves, size, tuple(where[i] for i in architecture.outputs))
