"""The boxes of a drawing: an architecture's layers, each with the norms and activations before and after it in one box."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from netwright.core.architecture import Architecture, Node, Signature, Tensor
from netwright.layers.base import layer
from netwright.layers.counts import shapes

__all__ = ["JOINS", "Unit", "Via", "common", "shape", "units_of"]

_FOLLOWS = frozenset({"activation", "batch_norm", "dropout", "flatten", "group_norm", "instance_norm", "layer_norm"})
"""Layers that are told inside the box of the layer before, or of the one after where they belong to that."""

JOINS = {"sum": "+", "mul": "×", "concat": "concat", "mix": "mix"}


class Via(NamedTuple):
    """What is said of a line: the projection on its way, that one's parameters, and in a difference its mark."""

    label: str = ""
    params: int = 0
    mark: str = ""


@dataclass
class Unit:
    """One box: a layer with those that belong to it, an input, an output, or a part that was folded to its letter."""

    kind: str  # box, join, port, part
    label: str
    inputs: list[int] = field(default_factory=list)
    via: list[Via] = field(default_factory=list)  # for each input: what is on the way from it
    before: list[str] = field(default_factory=list)
    after: list[str] = field(default_factory=list)
    size: str = ""
    resized: bool = False  # its output has another shape than its input
    params: int = 0
    shared: bool = False
    dead: bool = False
    path: tuple[str, ...] = ()
    nodes: list[int] = field(default_factory=list)
    scope: str = ""
    times: int = 1
    frame: int = -1
    mark: str = ""  # in a difference: + added, − removed, ≠ changed
    was: str = ""  # what it was before it was changed

    @property
    def weight(self) -> int:
        """Its parameters, with those of projections on the way to it."""
        return self.params + sum(via.params for via in self.via)

    @property
    def told(self) -> str:
        """Everything in the box, in the order in which it is computed."""
        return " → ".join([*self.before, self.label, *self.after])


def shape(tensor: Tensor) -> str:
    """A shape as it is written: ``16×32×32``."""
    return "×".join(map(str, tensor.shape)) + ("" if tensor.dtype == "float32" else f" {tensor.dtype}")


def units_of(architecture: Architecture, signature: Signature, keep: frozenset[str] = frozenset()) -> list[Unit]:
    """Inputs, layers in the order in which they run, outputs. What does nothing is left out: identities, and zeros in a sum.

    A sum of one thing is nothing too, unless its path is in ``keep``. Raises :class:`SpaceError` where a layer does not fit its
    inputs.
    """
    return _Boxes(architecture, signature, keep).units


def common(a: Sequence[str], b: Sequence[str]) -> int:
    """How many parts two paths begin with together."""
    length = 0
    for x, y in zip(a, b, strict=False):
        if x != y:
            break
        length += 1
    return length


class _Boxes:
    """State of one pass over the nodes."""

    def __init__(self, architecture: Architecture, signature: Signature, keep: frozenset[str]) -> None:
        self.keep = keep
        self.nodes, self.outputs, self.signature = architecture.nodes, architecture.outputs, signature
        self.outs = shapes(architecture, signature)
        self.paths = self._paths()
        self.through: dict[int, tuple[int, Via]] = {}  # node that is left out → where its value comes from, by what
        self.reads = self._reads()
        self.ends = [self._source(out)[0] for out in self.outputs]
        self.readers: dict[int, list[int]] = {}
        for place, read in self.reads.items():
            for source, _ in read:
                self.readers.setdefault(source, []).append(place)
        for place in [place for place in self.reads if self._zero(place) and place not in {*self.readers, *self.ends}]:
            del self.reads[place]
        self.units = [Unit("port", f"{name} · {shape(tensor)}") for name, tensor in signature.inputs]
        self.home = {-i - 1: i for i in range(len(self.units))}
        self.seen: set[str] = set()
        self.pure: set[int] = set()  # boxes of followers alone, which the layer after may take in
        alive = self._alive()
        for place in self.reads:
            unit = self._unit(place)
            self.home[place] = unit
            self._note(self.units[unit], place, place in alive)
        for (name, tensor), out in zip(signature.heads, self.outputs, strict=False):
            source, via = self._source(out)
            self.units.append(Unit("port", f"{name} · {shape(tensor)}", [self.home[source]], [via]))

    # ---- the graph without what does nothing ------------------------------------------------------------------------

    def _paths(self) -> list[tuple[str, ...]]:
        """Where each node's weights live; for a joining node, what the paths of its inputs begin with together."""
        paths: list[tuple[str, ...]] = []
        for node in self.nodes:
            if node.weights:
                paths.append(tuple(node.weights.split(".")))
                continue
            inner = [paths[i] for i in node.inputs if i >= 0]
            first = inner[0] if inner else ()
            paths.append(first[: min((common(first, path) for path in inner), default=0)])
        return paths

    def _source(self, place: int) -> tuple[int, Via]:
        return self.through.get(place, (place, Via()))

    def _reads(self) -> dict[int, list[tuple[int, Via]]]:
        found: dict[int, list[tuple[int, Via]]] = {}
        for place, node in enumerate(self.nodes):
            read = node.inputs[1:] if node.op == "carry" else _read(node)  # its state is told in its label
            if node.op == "sum" and any(not self._zero(i) for i in read):
                read = [i for i in read if not self._zero(i)]
            if len(read) == 1 and (node.op in ("identity", "project") or (node.op == "sum" and node.weights not in self.keep)):
                source, via = self._source(read[0])
                if node.op == "project" and (params := self._params(node)):
                    via = Via(layer("project").label({}), params)
                self.through[place] = source, via
            else:
                found[place] = [self._source(i) for i in read]
        return found

    def _zero(self, place: int) -> bool:
        return place >= 0 and self.nodes[place].op == "zero"

    def _params(self, node: Node) -> int:
        tensors = [self.outs[i] if i >= 0 else self.signature.input(i) for i in node.inputs]
        return layer(node.op).params(tensors, dict(node.attrs))

    def _alive(self) -> set[int]:
        """The nodes that an output depends on, at this step or, through a state, at a later one."""
        alive: set[int] = set()
        keeps: dict[int, list[int]] = {}
        for place in self.reads:
            if self.nodes[place].op == "carry":
                keeps.setdefault(self.nodes[place].inputs[0], []).append(place)
        todo = list(self.ends)
        while todo:
            place = todo.pop()
            if place >= 0 and place not in alive:
                alive.add(place)
                todo += [*(source for source, _ in self.reads[place]), *keeps.get(place, ())]
        return alive

    # ---- boxes ------------------------------------------------------------------------------------------------------

    def _unit(self, place: int) -> int:
        """The box of a node: a new one, or one that it joins."""
        node, read = self.nodes[place], self.reads[place]
        label = layer(node.op).label(dict(node.attrs)) or node.op.replace("_", " ")
        if node.op == "carry" and node.inputs[0] >= 0:
            label = f"next {dict(self.nodes[node.inputs[0]].attrs).get('name', 'state')}"
        source = read[0][0] if len(read) == 1 and not read[0][1].label else None
        alone = source is not None and len(self.readers[source]) == 1 and source not in self.ends
        index = self.home[source] if source is not None and alone else -1
        before = self.units[index] if index >= 0 else None
        if before is not None and node.op in _FOLLOWS and self._belongs(place, before, source):
            before.after.append(label)
            return index
        takes = node.op not in _FOLLOWS and node.op not in JOINS and index in self.pure
        if before is not None and takes and before.scope == node.scope:
            before.before, before.after, before.label = [before.label, *before.after], [], label
            self.pure.remove(index)
            before.path = self.paths[place]
            return index
        kind = "join" if node.op in JOINS else "box"
        unit = Unit(kind, JOINS.get(node.op, label), [self.home[i] for i, _ in read], [via for _, via in read])
        unit.path, unit.scope = self.paths[place], node.scope
        self.units.append(unit)
        if node.op in _FOLLOWS:
            self.pure.add(len(self.units) - 1)
        return len(self.units) - 1

    def _belongs(self, place: int, before: Unit, source: int | None) -> bool:
        """Whether a norm or activation stands, by its path, beside the layer before it rather than the one after."""
        if before.kind == "port" or source is None or source < 0 or before.scope != self.nodes[place].scope:
            return False
        mine, near = self.paths[place], common(self.paths[place], self.paths[source])
        if near < len(self.paths[source]) - 2:  # it ends a part that this does not belong to
            return False
        after = self.readers.get(place, ())
        return len(after) != 1 or place in self.ends or near >= common(mine, self.paths[after[0]])

    def _note(self, unit: Unit, place: int, alive: bool) -> None:
        node = self.nodes[place]
        params = self._params(node)
        known = bool(params) and node.weights in self.seen
        self.seen.add(node.weights)
        unit.params += 0 if known else params
        unit.shared |= known
        unit.dead = not alive
        unit.size = shape(self.outs[place])
        first = unit.nodes[0] if unit.nodes else place
        source = self.reads[first][0][0] if self.reads[first] else -1
        unit.resized = self.outs[place] != (self.outs[source] if source >= 0 else self.signature.input(source))
        unit.nodes.append(place)


def _read(node: Node) -> Sequence[int]:
    """The inputs that carry values; others only give a shape."""
    reads = layer(node.op).reads
    return node.inputs if reads is None else node.inputs[:reads]
