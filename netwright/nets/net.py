"""Runs any architecture with a bank of modules: one for each path where weights live."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any, cast

import torch
from torch import nn

from netwright.core.architecture import Architecture, Signature
from netwright.core.seeds import integer
from netwright.errors import SpaceError
from netwright.layers.counts import Step, steps
from netwright.layers.scopes import Loop
from netwright.nets.plan import Move, inner, plan

__all__ = ["Net", "build"]


def build(step: Step) -> nn.Module:
    """The torch module of a node, by the file of its name in ``modules``."""
    module = importlib.import_module(f"netwright.nets.modules.{step.node.op}")
    return cast(nn.Module, module.build(step.inputs, step.attrs))


class Net(nn.Module):
    """An architecture as a torch module. Takes the signature's inputs in order; returns its output, or a tuple of several.

    The weights depend on ``seed`` (None is 0) and on their path and shape alone: two architectures that share a layer start
    with the same weights in it. Torch's global random state is left as it was. ``layers`` has the module of each node.
    """

    def __init__(self, architecture: Architecture, signature: Signature, *, seed: int | None = None) -> None:
        super().__init__()
        self.bank = nn.ModuleList()  # a list, as paths may hold any character
        self.free = nn.ModuleList()  # modules without tensors, one for each node
        self._places: dict[str, int] = {}
        layers: list[nn.Module] = []
        found = steps(architecture, signature)
        with torch.random.fork_rng(devices=()):
            for step in found:
                path = step.node.weights
                if not step.layer.stores(step.inputs, step.attrs):
                    self.free.append(build(step))
                    layers.append(self.free[-1])
                    continue
                if path not in self._places:
                    # not torch.manual_seed, which also queues a call for each seed until a GPU is used
                    torch.default_generator.manual_seed(integer(seed or 0, 0, f"weights {path}"))
                    self._places[path] = len(self.bank)
                    self.bank.append(_initialised(build(step)))
                layers.append(self.bank[self._places[path]])
        moves, size, self._outputs = plan(architecture, found, len(signature.inputs))
        self.layers = tuple(layers)
        self._spare = [None] * (size - len(signature.inputs))
        self._plan = [_call(move, layers, found) for move in moves]

    def forward(self, *inputs: torch.Tensor) -> Any:
        slots: list[Any] = [*inputs, *self._spare]
        _run(self._plan, slots)
        outputs = self._outputs
        return slots[outputs[0]] if len(outputs) == 1 else tuple(slots[i] for i in outputs)

    def tensors(self) -> dict[str, torch.Tensor]:
        """Copies of all weights and buffers, named ``<path>/<name>``, on the processor."""
        return {
            f"{path}/{name}": tensor.detach().to("cpu", copy=True).contiguous()
            for path, place in self._places.items()
            for name, tensor in self.bank[place].state_dict().items()
        }

    def load_tensors(self, tensors: Mapping[str, Any]) -> None:
        """Take weights and buffers back, as torch tensors or numpy arrays. Raises :class:`SpaceError` where one is missing
        or of another shape."""
        for path, place in self._places.items():
            for name, own in self.bank[place].state_dict(keep_vars=True).items():
                key = f"{path}/{name}"
                if key not in tensors:
                    raise SpaceError("there is no tensor of this name among the weights", where=key)
                given = tensors[key]
                given = given if isinstance(given, torch.Tensor) else torch.tensor(given)
                if given.shape != own.shape:
                    raise SpaceError(f"the weights have shape {tuple(given.shape)}, not {tuple(own.shape)}", where=key)
                with torch.no_grad():
                    own.copy_(given)


_Call = tuple[Callable[..., Any], Any, int, tuple[int, ...]]
"""What is called, where its input lies (or its inputs), where its output goes, what is forgotten."""


def _call(move: Move, layers: Sequence[nn.Module], found: Sequence[Step]) -> _Call:
    sources = move.sources[0] if len(move.sources) == 1 else move.sources
    if move.picked is not None:
        return itemgetter(move.picked), sources, move.target, move.freed
    made = layers[move.place] if move.loop is None else _Recurrence(move.loop, layers, found)
    return made, sources, move.target, move.freed


def _run(calls: Sequence[_Call], slots: list[Any]) -> None:
    for module, sources, target, freed in calls:
        if sources.__class__ is int:
            slots[target] = module(slots[sources])
        else:
            slots[target] = module(*[slots[i] for i in sources])
        for i in freed:
            slots[i] = None


class _Recurrence:
    """The nodes of a scope, run once for each step of the sequences it is called with. Not a module: it owns no weights."""

    def __init__(self, loop: Loop, layers: Sequence[nn.Module], found: Sequence[Step]) -> None:
        moves, size, outputs = inner(loop, found)
        self.calls = [_call(move, layers, found) for move in moves]
        self.starts = [layers[state] for state, _ in loop.states]
        self.spare = [None] * (size - len(loop.entering) - len(self.starts))
        self.carried, self.leaving = outputs[: len(self.starts)], outputs[len(self.starts) :]

    def __call__(self, *sequences: torch.Tensor) -> Any:
        states = [start(sequences[0]) for start in self.starts]
        left: list[list[torch.Tensor]] = [[] for _ in self.leaving]
        for now in zip(*[x.unbind(1) for x in sequences], strict=True):
            slots: list[Any] = [*now, *states, *self.spare]
            _run(self.calls, slots)
            states = [slots[i] for i in self.carried]
            for values, i in zip(left, self.leaving, strict=True):
                values.append(slots[i])
        stacked = [torch.stack(values, 1) for values in left]
        return stacked[0] if len(stacked) == 1 else stacked


def _initialised(module: nn.Module) -> nn.Module:
    """Convolutions: Kaiming normal by outputs (He et al. 2015, arXiv:1502.01852); biases: zero; the rest: torch's own."""
    for part in module.modules():
        if isinstance(part, nn.Conv1d | nn.Conv2d):
            fan_out = part.weight.numel() // (part.in_channels // part.groups) // part.groups
            nn.init.normal_(part.weight, std=(2 / fan_out) ** 0.5)
        if isinstance(part, nn.Conv1d | nn.Conv2d | nn.Linear) and part.bias is not None:
            nn.init.zeros_(part.bias)
    return module
