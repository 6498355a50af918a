"""An architecture: a space without holes, as plain data. A flat list of nodes, hashable, JSON, never a torch module."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from netwright.core.block import NETWORK, Attrs, Block, Builder, Leaf, Node, lay, walked

__all__ = ["Answer", "Architecture", "Attrs", "Frame", "Node", "Signature", "Tensor", "framed"]

Answer = int | tuple[int, ...] | None
"""What a hole was answered with: an option's index, the indices of a subset, or None where every option was kept."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """What flows along an edge: its shape without the batch dimension, channels first, and its kind of number."""

    shape: tuple[int, ...]
    dtype: str = "float32"

    def to_json(self) -> dict[str, Any]:
        return {"shape": list(self.shape), "dtype": self.dtype}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Tensor:
        return cls(tuple(data["shape"]), data.get("dtype", "float32"))


@dataclass(frozen=True)
class Signature:
    """What a task feeds in and asks for: named inputs and heads. Input −1 is the first by name, −2 the second, and so on."""

    inputs: tuple[tuple[str, Tensor], ...]
    heads: tuple[tuple[str, Tensor], ...]

    def input(self, index: int) -> Tensor:
        """The input that a node refers to as ``index`` (−1, −2 …)."""
        return self.inputs[-index - 1][1]

    @property
    def outputs(self) -> int:
        """Size of the first head: classes, or target columns."""
        return self.heads[0][1].shape[0]

    def to_json(self) -> dict[str, Any]:
        return {
            "inputs": {name: tensor.to_json() for name, tensor in self.inputs},
            "heads": {name: tensor.to_json() for name, tensor in self.heads},
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Signature:
        def read(part: Mapping[str, Any]) -> tuple[tuple[str, Tensor], ...]:
            return tuple((name, Tensor.from_json(tensor)) for name, tensor in part.items())

        return cls(read(data["inputs"]), read(data["heads"]))


class Architecture:
    """Nodes in the order in which they run, the nodes whose outputs are the heads, and the trace that made them.

    Immutable. One that a space unfolds keeps the parts it was made of, and lays its ``nodes`` when they are first asked for.
    """

    trace: tuple[tuple[str, Answer], ...]
    first: int = -1
    """What stands for the network's first input wherever a part asks for it by name: see :func:`framed`."""

    def __init__(self, nodes: tuple[Node, ...], outputs: tuple[int, ...], trace: tuple[tuple[str, Answer], ...] = ()) -> None:
        self.__dict__.update(nodes=nodes, outputs=outputs, trace=trace)

    @classmethod
    def of(
        cls, block: Block, outputs: tuple[int, ...], trace: tuple[tuple[str, Answer], ...] = (), first: int = -1
    ) -> Architecture:
        """An architecture of parts. The block's input is the network's first."""
        made = cls.__new__(cls)
        made.__dict__.update(block=block, outputs=outputs, trace=trace, first=first)
        return made

    @classmethod
    def later(cls, laying: Callable[[], tuple[Block, tuple[int, ...]]], trace: tuple[tuple[str, Answer], ...]) -> Architecture:
        """An architecture whose parts are laid when something of them is asked for."""
        made = cls.__new__(cls)
        made.__dict__.update(_laying=laying, trace=trace)
        return made

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError("an architecture does not change")

    @cached_property
    def _parts(self) -> tuple[Block, tuple[int, ...]]:
        laid: tuple[Block, tuple[int, ...]] = self.__dict__["_laying"]()
        return laid

    @cached_property
    def outputs(self) -> tuple[int, ...]:
        """The nodes whose outputs are the heads, in the signature's order."""
        return self._parts[1]

    @cached_property
    def nodes(self) -> tuple[Node, ...]:
        found: list[Node] = []
        lay(self.block, (-1,), self.first, found)
        return tuple(found)

    @cached_property
    def block(self) -> Block:
        """The parts; those of an architecture that was given as nodes are the nodes."""

        if "_laying" in self.__dict__:
            return self._parts[0]

        def inside(i: int) -> int:
            return i if i >= 0 else NETWORK + i

        if any(node.scope for node in self.nodes):
            return _with_scopes(self.nodes)
        leaves = [Leaf(n.op, tuple(map(inside, n.inputs)), n.attrs, n.weights, n.hole) for n in self.nodes]
        return Block(tuple(leaves), len(leaves), self.outputs[0] if self.outputs else -1)

    def shed(self) -> None:
        """Forget what was laid, to save memory where there are many: it is laid again when it is asked for."""
        if "_laying" in self.__dict__:
            for name in ("_parts", "block", "nodes", "outputs"):
                self.__dict__.pop(name, None)

    @cached_property
    def id(self) -> str:
        """16 hexadecimal digits of the graph as laid: layers, attributes and edges, not the names of decisions."""
        laid = repr(([(n.op, n.inputs, n.attrs, n.scope) for n in self.nodes], self.outputs))
        return hashlib.blake2b(laid.encode(), digest_size=8).hexdigest()

    def laid_as(self, other: Architecture) -> bool:
        """Whether both have the same ``id``, without laying more nodes than it takes to see a difference."""
        if self.block is other.block or self.outputs != other.outputs or self.block.size != other.block.size:
            return self.block is other.block and self.outputs == other.outputs
        mine, theirs = (walked(each.block, (-1,), each.first) for each in (self, other))
        return all(a == b for a, b in zip(mine, theirs, strict=True))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Architecture):
            return NotImplemented
        return self is other or (self.outputs == other.outputs and self.nodes == other.nodes)

    def __hash__(self) -> int:
        return hash(self.id)

    def __repr__(self) -> str:
        return f"Architecture({self.id}, {len(self.nodes)} nodes)"

    @property
    def decisions(self) -> dict[str, Answer]:
        """The trace as a mapping from the path of a hole to its answer."""
        return dict(self.trace)

    @property
    def hard(self) -> bool:
        """Whether every hole is answered: no node mixes options."""
        return all(node.op != "mix" for node in self.nodes)

    def to_json(self) -> dict[str, Any]:
        """The whole graph; what a run stores is shorter, the trace (see :func:`netwright.core.space.replayed`)."""
        return {
            "id": self.id,
            "trace": {path: list(a) if isinstance(a, tuple) else a for path, a in self.trace},
            "nodes": [
                {
                    "op": n.op,
                    "inputs": list(n.inputs),
                    **({"attrs": dict(n.attrs)} if n.attrs else {}),
                    **({"weights": n.weights} if n.weights else {}),
                    **({"hole": n.hole} if n.hole else {}),
                    **({"scope": n.scope} if n.scope else {}),
                }
                for n in self.nodes
            ],
            "outputs": list(self.outputs),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Architecture:
        nodes = tuple(
            Node(
                n["op"],
                tuple(n["inputs"]),
                tuple(sorted((k, _tuples(v)) for k, v in n.get("attrs", {}).items())),
                n.get("weights", ""),
                n.get("hole", ""),
                n.get("scope", ""),
            )
            for n in data["nodes"]
        )
        return cls(nodes, tuple(data["outputs"]), trace_from_json(data.get("trace", {})))


def trace_from_json(data: Mapping[str, Any]) -> tuple[tuple[str, Answer], ...]:
    """A trace from its JSON form, where a subset is a list."""
    return tuple((path, tuple(a) if isinstance(a, list) else a) for path, a in data.items())


@dataclass(frozen=True)
class Frame:
    """What stands around every architecture of a task: layers from raw inputs to the space's input, and after its head.

    ``raw`` is the signature of the framed network: pixel values as stored, table columns as numbers. Layers are
    (name, attributes) pairs with one input each; ``front`` acts on the first input, ``back`` on the first output.
    """

    raw: Signature
    front: tuple[tuple[str, Attrs], ...] = ()
    back: tuple[tuple[str, Attrs], ...] = ()

    def to_json(self) -> dict[str, Any]:
        def plain(layers: tuple[tuple[str, Attrs], ...]) -> list[Any]:
            return [[name, [[key, value] for key, value in attrs]] for name, attrs in layers]

        return {"raw": self.raw.to_json(), "front": plain(self.front), "back": plain(self.back)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Frame:
        def read(layers: Any) -> tuple[tuple[str, Attrs], ...]:
            return tuple((name, tuple((key, _tuples(value)) for key, value in attrs)) for name, attrs in layers)

        return cls(Signature.from_json(data["raw"]), read(data["front"]), read(data["back"]))


def _tuples(value: Any) -> Any:
    return tuple(_tuples(v) for v in value) if isinstance(value, list) else value


def framed(architecture: Architecture, frame: Frame) -> Architecture:
    """The architecture as it ships: from raw inputs to final outputs. What is counted, timed and exported is this."""
    builder = Builder()
    first = -1
    for i, (name, attrs) in enumerate(frame.front):
        first = builder.leaf(name, (first,), attrs, f"front.{i}")
    start = builder.size
    builder.put(architecture.block, (first,), "")
    outputs = [start + i if i >= 0 else first if i == -1 else i for i in architecture.outputs]
    for i, (name, attrs) in enumerate(frame.back):
        outputs[0] = builder.leaf(name, (outputs[0],), attrs, f"back.{i}")
    return Architecture.of(builder.block(outputs[0]), tuple(outputs), architecture.trace, first)


def _with_scopes(nodes: tuple[Node, ...]) -> Block:
    """Nodes that share a scope, one after the other, become one part."""
    builder, inner = Builder(), Builder()
    places: list[int] = []  # of each node, in the outer block
    reads: dict[int, int] = {}

    def outer(i: int) -> int:
        return places[i] if i >= 0 else NETWORK + i

    for place, node in enumerate(nodes):
        begins = node.scope and (place == 0 or nodes[place - 1].scope != node.scope)
        if begins:
            inner, reads, base = Builder(), {}, builder.size
            many = [m for m in nodes[place:] if m.scope == node.scope]
            outside = dict.fromkeys(i for m in many for i in m.inputs if i < place)
            reads = {i: k - len(outside) for k, i in enumerate(outside)}
            for m in many:
                mapped = tuple(reads[i] if i in reads else i - place for i in m.inputs)
                path = m.weights.removeprefix(m.scope) if m.weights.startswith(m.scope) else f"/{m.weights}"
                inner.leaf(m.op, mapped, m.attrs, path, m.hole)
            builder.put(inner.block(inner.size - 1), tuple(outer(i) for i in reads), node.scope, scoped=True)
            places += range(base, builder.size)
        elif not node.scope:
            places.append(builder.leaf(node.op, tuple(map(outer, node.inputs)), node.attrs, node.weights, node.hole))
    return builder.block(places[-1])
