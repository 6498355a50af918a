"""Recurrences in a flat list of nodes: those that share a ``scope`` run once for each time step, as one part.

What a count or a network has to know of them:

- A node of a scope that reads a value from outside it (another scope counts as outside) sees one step of it: :func:`entering`.
  All that enters one scope has the same number of steps: :func:`length`.
- A node outside that reads a node of a scope sees its values at all steps, one after the other: :func:`leaving`. So does the
  head of an architecture.
- Inside, shapes are those of one step. FLOPs are those of one step, as often as there are steps; weights are counted once.
- Memory: inside, a value is held as in any graph, at the size of one step; one that leaves is held at all steps. What enters is
  held until the scope's last node, as the next step reads it again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from netwright.core.architecture import Architecture, Node, Signature, Tensor
from netwright.errors import SpaceError

__all__ = ["Loop", "entering", "leaving", "length", "loops", "outside"]


def entering(tensor: Tensor) -> Tensor:
    """One step of a sequence. Raises :class:`SpaceError` where it is none."""
    if len(tensor.shape) < 2:
        raise SpaceError(f"a recurrence needs (time, features), not {tensor.shape}")
    return Tensor(tensor.shape[1:], tensor.dtype)


def leaving(tensor: Tensor, steps: int) -> Tensor:
    """The values of all steps, one after the other."""
    return Tensor((steps, *tensor.shape), tensor.dtype)


def length(sequences: Sequence[Tensor]) -> int:
    """The number of steps. Raises :class:`SpaceError` unless all the sequences that enter a recurrence agree on it."""
    for tensor in sequences:
        entering(tensor)
    found = {tensor.shape[0] for tensor in sequences}
    if len(found) != 1:
        what = " and ".join(str(n) for n in sorted(found)) or "no"
        raise SpaceError(f"a recurrence needs sequences of one length, not of {what} steps")
    return found.pop()


class Loop(NamedTuple):
    """A recurrence: its nodes are ``first`` … ``last``.

    ``entering``: what it reads from outside. ``states``: each ``state`` with the node whose value it has at the next step
    (itself where nothing is carried to it). ``leaving``: the nodes that are read outside, in order.
    """

    first: int
    last: int
    entering: tuple[int, ...]
    states: tuple[tuple[int, int], ...]
    leaving: tuple[int, ...]


def loops(architecture: Architecture) -> list[Loop]:
    """The recurrences in order. Raises :class:`SpaceError` where one does not stand together, or carries to what is no state."""
    nodes = architecture.nodes
    bounds: dict[str, tuple[int, int]] = {}
    for place, node in enumerate(nodes):
        if node.scope:
            first, last = bounds.get(node.scope, (place, place - 1))
            if last != place - 1:
                raise SpaceError("the nodes of a recurrence stand apart", where=node.scope, todo="Put no other between them.")
            bounds[node.scope] = first, place
    if not bounds:
        return []
    read = {i for node in nodes for i in node.inputs if i >= 0 and nodes[i].scope != node.scope} | set(architecture.outputs)
    return [_loop(nodes, first, last, read) for first, last in bounds.values()]


def _loop(nodes: Sequence[Node], first: int, last: int, read: set[int]) -> Loop:
    inside = range(first, last + 1)
    carried: dict[int, int] = {}
    for place in inside:
        if nodes[place].op == "carry":
            state = nodes[place].inputs[0]
            where = f"node {place} (carry at {nodes[place].weights or nodes[place].scope})"
            if state not in inside or nodes[state].op != "state":
                raise SpaceError("it carries to what is no state of its recurrence", where=where)
            if state in carried:
                raise SpaceError("the state is carried to twice", where=where)
            carried[state] = place
    outer = dict.fromkeys(i for place in inside for i in nodes[place].inputs if i not in inside)
    states = tuple((place, carried.get(place, place)) for place in inside if nodes[place].op == "state")
    return Loop(first, last, tuple(outer), states, tuple(place for place in inside if place in read))


def outside(architecture: Architecture, inner: Sequence[Tensor], signature: Signature) -> list[Tensor]:
    """The value of each node as seen from outside its recurrence; ``inner``: as its layer gives it."""
    seen = list(inner)
    for loop in loops(architecture):
        steps = length([seen[i] if i >= 0 else signature.input(i) for i in loop.entering])
        for place in range(loop.first, loop.last + 1):
            seen[place] = leaving(inner[place], steps)
    return seen
