"""An architecture: a space without holes, as plain data. A flat list of nodes, hashable, JSON, never a torch module."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

__all__ = ["Answer", "Architecture", "Attrs", "Frame", "Node", "Signature", "Tensor", "framed"]

Attrs = tuple[tuple[str, Any], ...]
"""Attributes of a layer as sorted (name, value) pairs: hashable, and the same whatever order they were written in."""

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


@dataclass(frozen=True, slots=True)
class Node:
    """One layer at one place.

    ``inputs`` are indices of earlier nodes, or −1, −2 … for the network's inputs. ``weights`` is the path where its weights
    live: the same path means the same weights in every architecture of the space. ``hole`` names the decision whose options
    a ``mix`` node joins. Nodes that share a ``scope`` are one recurrence.
    """

    op: str
    inputs: tuple[int, ...]
    attrs: Attrs = ()
    weights: str = ""
    hole: str = ""
    scope: str = ""


@dataclass(frozen=True)
class Architecture:
    """Nodes in the order in which they run, the nodes whose outputs are the heads, and the trace that made them."""

    nodes: tuple[Node, ...]
    outputs: tuple[int, ...]
    trace: tuple[tuple[str, Answer], ...] = field(compare=False, default=())

    @cached_property
    def id(self) -> str:
        """16 hexadecimal digits of the graph as laid: layers, attributes and edges, not the names of decisions."""
        laid = repr(([(n.op, n.inputs, n.attrs, n.scope) for n in self.nodes], self.outputs))
        return hashlib.blake2b(laid.encode(), digest_size=8).hexdigest()

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
    n = len(frame.front)
    nodes = [Node(name, (i - 1,), attrs, f"front.{i}") for i, (name, attrs) in enumerate(frame.front)]

    def moved(i: int) -> int:
        return i + n if i >= 0 else (n - 1 if i == -1 and n else i)

    nodes += [replace(node, inputs=tuple(moved(i) for i in node.inputs)) for node in architecture.nodes]
    out = moved(architecture.outputs[0])
    for i, (name, attrs) in enumerate(frame.back):
        nodes.append(Node(name, (out,), attrs, f"back.{i}"))
        out = len(nodes) - 1
    return Architecture(tuple(nodes), (out, *(moved(i) for i in architecture.outputs[1:])), architecture.trace)
