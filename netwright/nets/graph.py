"""An architecture's ONNX graph, written straight from its nodes: milliseconds, where an export through torch takes seconds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from netwright.core.architecture import Architecture, Signature, Tensor
from netwright.core.seeds import integer
from netwright.layers.counts import Step, steps
from netwright.layers.scopes import Loop, loops, outside

__all__ = ["OPSET", "to_onnx"]

OPSET = 18
_IR = 9
"""An IR version that runtimes of the last years read."""

_TYPES = {"float32": TensorProto.FLOAT, "int64": TensorProto.INT64, "int32": TensorProto.INT32}


def to_onnx(architecture: Architecture, signature: Signature, tensors: Mapping[str, Any] | None = None) -> onnx.ModelProto:
    """The graph, with inputs and outputs named as in the signature and a free batch size ``N``.

    ``tensors`` are weights by ``<path>/<name>``; without them the weights are small random numbers, good for timing only.
    """
    writer = _Writer(tensors)
    names = {-1 - i: name for i, (name, _) in enumerate(signature.inputs)}
    found = steps(architecture, signature)
    recur = {place: loop for loop in loops(architecture) for place in range(loop.first, loop.last + 1)}
    for place, step in enumerate(found):
        if place not in recur:
            names[place] = writer.add(place, step, [names[i] for i in step.node.inputs])
        elif place == recur[place].first:
            names |= writer.scan(recur[place], found, names)
    seen = outside(architecture, [step.output for step in found], signature)
    outputs = []
    for (head, _), place in zip(signature.heads, architecture.outputs, strict=True):
        writer.end(names[place], head)
        outputs.append(_value(head, seen[place]))
    graph = helper.make_graph(
        writer.nodes(), "netwright", [_value(name, tensor) for name, tensor in signature.inputs], outputs, writer.stored
    )
    return helper.make_model(graph, ir_version=_IR, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="netwright")


class _Writer:
    """Operators and stored tensors so far."""

    def __init__(self, tensors: Mapping[str, Any] | None) -> None:
        self.tensors = tensors
        self.rng = np.random.default_rng(integer(0, 0, "weights of a timed graph"))
        self.stored: list[TensorProto] = []
        self.known: set[str] = set()
        self.lines: list[tuple[str, list[str], list[str], Mapping[str, Any]]] = []
        self.heads: dict[str, str] = {}

    def add(self, place: int, step: Step, inputs: Sequence[str]) -> str:
        """Write one layer; returns the name of its output."""
        own = {**step.layer.weights(step.inputs, step.attrs), **step.layer.buffers(step.inputs, step.attrs)}
        operators = step.layer.onnx(step.inputs, step.attrs)
        names = {f"x{i}": name for i, name in enumerate(inputs)}
        for operator in operators:
            for name in operator.inputs:
                if name in operator.constants:
                    names[name] = self.store(f"{place}.{name}", _constant(operator.constants[name]))
                elif name in own:
                    names[name] = self.weight(f"{step.node.weights}/{name}", own[name])
            reads = [names.get(name, f"{place}.{name}") for name in operator.inputs]
            writes = [f"{place}.{name}" for name in operator.outputs]
            self.lines.append((operator.op, reads, writes, operator.attrs))
        return f"{place}.y" if operators else inputs[0]

    def scan(self, loop: Loop, found: Sequence[Step], names: Mapping[int, str]) -> dict[int, str]:
        """Write a recurrence as one operator with a graph of its own; returns the names of what leaves it."""
        states = [state for state, _ in loop.states]
        sequences = [names[i] for i in loop.entering]
        starts = [self.add(state, found[state], sequences[:1]) for state in states]
        inside = {place: f"{loop.first}.in{i}" for i, place in enumerate((*states, *loop.entering))}
        outer, self.lines = self.lines, []
        nodes = found[loop.first : loop.last + 1]
        read = {i: tensor for step in nodes for i, tensor in zip(step.node.inputs, step.inputs, strict=True)}
        given = [_value(name, read[place] if place in read else found[place].output) for place, name in inside.items()]
        for place in range(loop.first, loop.last + 1):
            if place not in inside:
                inside[place] = self.add(place, found[place], [inside[i] for i in found[place].node.inputs])
        kept = [*(carried for _, carried in loop.states), *loop.leaving]
        made = [f"{loop.first}.out{i}" for i in range(len(kept))]
        self.lines += [("Identity", [inside[i]], [name], {}) for i, name in zip(kept, made, strict=True)]
        outputs = [_value(name, found[i].output) for i, name in zip(kept, made, strict=True)]
        body = helper.make_graph(self.nodes(), "step", given, outputs)
        ends = [f"{loop.first}.end{i}" for i in range(len(kept))]
        axes = {"scan_input_axes": [1] * len(sequences), "scan_output_axes": [1] * len(loop.leaving)}
        attrs = {"body": body, "num_scan_inputs": len(sequences), **axes}
        self.lines = [*outer, ("Scan", [*starts, *sequences], ends, attrs)]
        return dict(zip(loop.leaving, ends[len(states) :], strict=True))

    def weight(self, key: str, shape: tuple[int, ...]) -> str:
        if key in self.known:
            return key
        if self.tensors is not None:
            return self.store(key, np.ascontiguousarray(self.tensors[key], dtype=np.float32))
        fan_in = math.prod(shape[1:])
        if fan_in == 1:  # scales, biases and statistics
            return self.store(key, np.ones(shape, np.float32))
        return self.store(key, self.rng.standard_normal(shape, dtype=np.float32) / np.float32(math.sqrt(fan_in)))

    def store(self, key: str, values: np.ndarray[Any, Any]) -> str:
        if key not in self.known:
            self.known.add(key)
            self.stored.append(numpy_helper.from_array(values, key))
        return key

    def end(self, name: str, head: str) -> None:
        """Make a value an output: by its name where it is computed once for this, else through a copy."""
        if name in self.heads or not any(name in writes for _, _, writes, _ in self.lines):
            self.lines.append(("Identity", [name], [head], {}))
        else:
            self.heads[name] = head

    def nodes(self) -> list[onnx.NodeProto]:
        heads = self.heads
        return [
            helper.make_node(op, [heads.get(n, n) for n in reads], [heads.get(n, n) for n in writes], **attrs)
            for op, reads, writes, attrs in self.lines
        ]


def _constant(value: Any) -> np.ndarray[Any, Any]:
    array = np.asarray(value)
    return array.astype(np.int64 if array.dtype.kind in "iub" else np.float32)


def _value(name: str, tensor: Tensor) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, _TYPES[tensor.dtype], ["N", *tensor.shape])
