"""A followed module as a flat list of our layers, each with the place it had in the module and the tensors it had there."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import fx, nn

from netwright.core.architecture import Signature, Tensor
from netwright.errors import SpaceError
from netwright.layers.base import layer
from netwright.nets.tracing import operators, sequences
from netwright.nets.tracing.follow import SCOPE, VALUE, follow, submodule
from netwright.nets.tracing.table import FUNCTIONS, MODULES, Unmapped, Value, Weight

__all__ = ["TABLE", "Item", "Mapper", "mapped"]

TABLE = (operators, sequences)
"""Modules whose handlers are entered when they are imported."""


@dataclass
class Item:
    """One layer. ``path``: names of the submodules it stands in, then its own. ``inputs``: items, or −1 for the network's."""

    path: tuple[str, ...]
    op: str
    attrs: dict[str, Any]
    inputs: tuple[int, ...]
    output: Tensor
    tensors: dict[str, torch.Tensor] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return ".".join(self.path)


def mapped(module: nn.Module, signature: Signature, name: str) -> list[Item]:
    """The layers of a module, in the order in which they run; the last is its output.

    Raises :class:`SpaceError` that names the submodule and the operator where no layer does what it does.
    """
    if len(signature.inputs) != 1:
        raise SpaceError(f"it is read with one input, not {len(signature.inputs)}", where=name)
    examples = [_example(tensor) for _, tensor in signature.inputs]
    graph = follow(module, examples, name)
    mapper = Mapper(module, signature.inputs[0][1], name)
    for node in graph.nodes:
        mapper.add(node)
    return mapper.finished()


def _example(tensor: Tensor) -> torch.Tensor:
    """Two rows: codes are 0 and 1, numbers are small."""
    shape = (2, *tensor.shape)
    if tensor.dtype != "float32":
        return torch.arange(2 * int(torch.tensor(tensor.shape).prod())).reshape(shape).remainder(2)
    return torch.linspace(-1, 1, 2 * int(torch.tensor(tensor.shape).prod())).reshape(shape)


class Mapper:
    """Items so far, and what each node of the graph is among them. Handlers in ``operators`` are called with it."""

    def __init__(self, module: nn.Module, given: Tensor, name: str) -> None:
        self.module, self.given, self.name = module, given, name
        self.items: list[Item] = []
        self.known: dict[fx.Node, Any] = {}
        self.scope: tuple[str, ...] = ()
        self.own = ""  # the name of a submodule of torch that is mapped now
        self.taken: set[tuple[str, ...]] = set()
        self.result: Value | None = None

    # ---- for handlers

    def shape(self, x: Value) -> tuple[int, ...]:
        """Ours, without batch."""
        return (self.given if x.at < 0 else self.items[x.at].output).shape

    def torch_shape(self, x: Value) -> tuple[int, ...]:
        """Torch's, with a batch of two."""
        shape = self.shape(x)
        if x.turned:
            shape = shape[::-1]
        if x.single:
            shape = (*shape, 1) if self._along_time(x) else (*shape, 1, 1)
        return (2, *shape)

    def _along_time(self, x: Value) -> bool:
        while x.at >= 0 and len(self.shape(x)) == 1 and self.items[x.at].op not in ("time_pool", "global_pool"):
            x = Value(self.items[x.at].inputs[0])
        return x.at >= 0 and self.items[x.at].op == "time_pool"

    def turn(self, x: Value, turned: bool) -> Value:
        """The same value in torch's order of axes."""
        if len(self.shape(x)) != 2 or x.turned == turned:
            return x
        own, self.own = self.own, ""
        laid = self.emit("transpose", x._replace(turned=False), name="transpose")
        self.own = own
        return laid._replace(turned=turned)

    def emit(
        self,
        op: str,
        *inputs: Value,
        name: str = "",
        tensors: Mapping[str, torch.Tensor] | None = None,
        **attrs: Any,
    ) -> Value:
        """Lay one layer, named after the submodule that is mapped, or ``name``."""
        path = self._free((*self.scope, self.own or name), bool(tensors))
        shapes = [self.given if x.at < 0 else self.items[x.at].output for x in inputs]
        try:
            output = layer(op).shape(shapes, attrs)
        except SpaceError as error:
            raise Unmapped(str(error)) from error
        kept = {key: tensor.detach() for key, tensor in (tensors or {}).items()}
        self.items.append(Item(path, op, attrs, tuple(x.at for x in inputs), output, kept))
        first = inputs[0]
        return Value(len(self.items) - 1, first.turned and len(output.shape) == 2, first.single and len(output.shape) == 1)

    def call(self, name: str, module: nn.Module, *args: Any) -> Any:
        """Map a submodule of a module of torch that is mapped as several layers."""
        handler = MODULES.get(type(module))
        if handler is None:
            raise Unmapped(f"its {name} ({type(module).__name__})")
        with self.inside(*name.split(".")):
            return handler(self, module, *args)

    @contextmanager
    def inside(self, *names: str) -> Iterator[None]:
        """Layers laid meanwhile stand below the submodule that is mapped, or are (the last of ``names``) one that does."""
        before = self.scope, self.own
        whole = [*([self.own] if self.own else []), *(names or [""])]
        self.scope, self.own = (*self.scope, *whole[:-1]), whole[-1]
        try:
            yield
        finally:
            self.scope, self.own = before

    def _free(self, path: tuple[str, ...], weighted: bool) -> tuple[str, ...]:
        if path in self.taken and weighted:
            raise Unmapped("its weights are used at two places, which is one layer with two outputs")
        last, number, found = path[-1], 2, path
        if last in ("x", *(f"x{i}" for i in range(1, 10))):  # names of inputs
            found = (*path[:-1], f"{last}_")
        while found in self.taken:
            found, number = (*path[:-1], f"{last}_{number}"), number + 1
        self.taken.add(found)
        return found

    # ---- the graph

    def add(self, node: fx.Node) -> None:
        if node.op == "placeholder":
            self.known[node] = None if self.known else Value(-1)
        elif node.op == "output":
            self.result = self._result(self._resolved(node.args[0]))
        elif not _tensors(node.meta.get(VALUE)):
            self.known[node] = node.meta.get(VALUE)
        elif node.op == "get_attr":
            self.known[node] = Weight(node.meta[VALUE])
        else:
            self.known[node] = self._called(node)

    def _called(self, node: fx.Node) -> Any:
        args, kwargs = self._resolved(node.args), self._resolved(dict(node.kwargs))
        place = str(node.target) if node.op == "call_module" else node.meta[SCOPE]
        module = submodule(self.module, place)
        if node.op == "call_module":
            operator = type(module).__name__
            handler = MODULES.get(type(module))
            args = (module, *args)
            *scope, self.own = place.split(".")
        else:
            operator = node.target if isinstance(node.target, str) else getattr(node.target, "__name__", str(node.target))
            handler = FUNCTIONS.get(operator)
            scope, self.own = place.split(".") if place else [], ""
        self.scope = tuple(scope)
        try:
            if handler is None:
                raise Unmapped("no layer does that")
            inspect.signature(handler).bind(self, *args, **kwargs)
            found = handler(self, *args, **kwargs)
            self._check(found, node.meta[VALUE])
        except (Unmapped, TypeError, AttributeError, KeyError) as error:
            why = str(error) if isinstance(error, Unmapped) else "it is called in a way that no layer knows"
            raise self._refused(operator, place, why) from error
        return found

    def _check(self, found: Any, example: Any) -> None:
        if isinstance(found, Value) and isinstance(example, torch.Tensor) and self.torch_shape(found) != tuple(example.shape):
            raise Unmapped(f"it gives {tuple(example.shape[1:])} where the layer gives {self.torch_shape(found)[1:]}")

    def _refused(self, operator: str, place: str, why: str) -> SpaceError:
        where = f"{self.name}{'.' * bool(place)}{place}"
        return SpaceError(
            f"{operator} cannot be said in layers: {why}",
            where=where,
            todo="Write that part with the layers of docs/spaces/from-model.md, or leave it out of the class.",
        )

    def _resolved(self, value: Any) -> Any:
        return fx.node.map_arg(value, lambda node: self.known[node])

    def _result(self, found: Any) -> Value:
        if isinstance(found, (tuple, list)) and not isinstance(found, Value) and len(found) == 1:
            found = found[0]
        if not isinstance(found, Value):
            raise SpaceError(
                f"forward returns {type(found).__name__}, not one tensor",
                where=self.name,
                todo="Return the logits alone in eval mode.",
            )
        self.scope, self.own = (), ""
        return self.turn(found, False)

    def finished(self) -> list[Item]:
        """What the output hangs on, renumbered."""
        assert self.result is not None
        if self.result.at < 0 or self.result.single:
            raise SpaceError("its output is not a vector computed from its input", where=self.name)
        needed = {self.result.at}
        for place in range(self.result.at, -1, -1):
            if place in needed:
                needed.update(i for i in self.items[place].inputs if i >= 0)
        order = {old: new for new, old in enumerate(sorted(needed))}
        kept = [self.items[old] for old in sorted(needed)]
        for item in kept:
            item.inputs = tuple(order.get(i, i) for i in item.inputs)
        return kept


def _tensors(value: Any) -> bool:
    return isinstance(value, torch.Tensor) or (isinstance(value, Sequence) and any(map(_tensors, value)))
