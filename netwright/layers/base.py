"""The contract of a layer, and how layers are found: the name in a node is the file in this folder."""

from __future__ import annotations

import importlib
import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from netwright.core.architecture import Tensor
from netwright.errors import SpaceError

__all__ = ["Cut", "Indices", "Layer", "OnnxNode", "Part", "Shape", "centre", "expect", "layer", "names", "prefix", "windows"]

Shape = tuple[int, ...]
Indices = range | tuple[int, ...]

_AXES = {1: "(features,)", 2: "(time, features)", 3: "(channels, height, width)", 4: "(time, channels, height, width)"}


@dataclass(frozen=True)
class OnnxNode:
    """One ONNX operator as data (opset 18). Names in ``inputs``: ``x0``, ``x1`` … are the layer's inputs, ``y`` its output,
    names of :meth:`Layer.weights` and :meth:`Layer.buffers` their tensors, keys of ``constants`` small integer or float
    constants (name → nested tuple or number), anything else an intermediate value of this layer."""

    op: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...] = ("y",)
    attrs: Mapping[str, Any] = field(default_factory=dict)
    constants: Mapping[str, Any] = field(default_factory=dict)


class Part(NamedTuple):
    """A value of a small network, as a part of the same value in a larger one. ``kept``: which channels of the larger one
    it holds, in its own order (channels: the features of vectors and sequences, the first axis of a map)."""

    large: Tensor
    small: Tensor
    kept: Indices


class Cut(NamedTuple):
    """What of a large layer a small one is: the channels of its output, and of each tensor the indices along each axis."""

    kept: Indices
    tensors: Mapping[str, tuple[Indices, ...]]


class Layer(ABC):
    """One kind of layer. Stateless; ``inputs`` are shapes without batch, channels first; ``attrs`` the node's attributes.

    ``arity`` None takes any number of inputs; ``reads`` says how many of them its torch module is called with, where the
    others only give a shape. ``attributes`` are the names it knows. ``channelwise``: its channels are those of each of
    its inputs, one to one, and so is the first axis of each of its tensors: a supernet cuts it as its inputs are cut.
    """

    arity: ClassVar[int | None] = 1
    reads: ClassVar[int | None] = None
    attributes: ClassVar[tuple[str, ...]] = ()
    channelwise: ClassVar[bool] = False

    @abstractmethod
    def shape(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Tensor:
        """The output. Raises :class:`SpaceError` where the layer does not fit its inputs."""

    def weights(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Mapping[str, Shape]:
        """Trainable tensors: name inside the torch module → shape."""
        return {}

    def buffers(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Mapping[str, Shape]:
        """Float tensors that are stored but not trained (running statistics, constants): name → shape."""
        return {}

    def flops(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> int:
        """2 × multiply-adds of convolutions, matrix products and attention, for one example; 0 for everything else."""
        return 0

    def view(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> bool:
        """Whether, when predicting, the output is the first input's own memory: no bytes of its own."""
        return False

    def keeps_zero(self, attrs: Mapping[str, Any]) -> bool:
        """Whether zeros come out where only zeros go in, whatever the weights. What is fed with them then computes nothing."""
        return False

    @abstractmethod
    def source(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> str:
        """An expression over ``x0``, ``x1`` … and ``torch``/``F`` (``F.relu(x0)``) or, where :meth:`stores` says so, the
        torch module: ``nn.Conv2d(8, 16, 3, padding=1)``, or a class of the file of the same name in ``nets/modules``."""

    @abstractmethod
    def onnx(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Sequence[OnnxNode]:
        """The same as ONNX operators; the last one writes ``y``. None at all where the output is the first input."""

    def shared(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Mapping[str, Shape]:
        """The tensors that a supernet holds for it, at its largest: those of :meth:`weights` and :meth:`buffers`."""
        return {**self.weights(inputs, attrs), **self.buffers(inputs, attrs)}

    def cut(self, inputs: Sequence[Part], large: Mapping[str, Any], small: Mapping[str, Any]) -> Cut:
        """Which part of the layer with attributes ``large`` the one with attributes ``small`` is (asked where something differs).

        Raises :class:`SpaceError` where the one is no part of the other, as every layer does that says nothing about it.
        """
        if not self.channelwise:
            raise SpaceError("this layer has no elastic form: a smaller one is no part of a larger one")
        kept = inputs[0].kept
        if any(x.kept != kept for x in inputs):
            raise SpaceError("what meets here are different channels of the supernet", todo="Give the parts one named width.")
        tensors = self.shared([x.large for x in inputs], large)
        return Cut(kept, {name: (kept, *map(range, shape[1:])) for name, shape in tensors.items()})

    def label(self, attrs: Mapping[str, Any]) -> str:
        """A few words for drawings: ``conv 3×3 · 16``."""
        return ""

    def params(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> int:
        return sum(math.prod(shape) for shape in self.weights(inputs, attrs).values())

    def stores(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> bool:
        """Whether it is a module of its own in ``model.py``, rather than an expression."""
        return bool(self.weights(inputs, attrs) or self.buffers(inputs, attrs))


def expect(x: Tensor, what: str, *dims: int) -> Shape:
    """The shape of ``x``. Raises :class:`SpaceError` unless it has one of these numbers of dimensions."""
    if len(x.shape) not in dims:
        raise SpaceError(f"{what} needs {' or '.join(_AXES[n] for n in dims)}, not {x.shape}")
    return x.shape


def prefix(few: int, many: int, what: str) -> range:
    """The first ``few`` of ``many``. Raises :class:`SpaceError` where there are not as many."""
    if few > many:
        raise SpaceError(f"it has {few} {what} where the supernet's largest has {many}")
    return range(few)


def centre(few: int, many: int) -> range:
    """The middle ``few`` places of a kernel of ``many``: with padding that keeps the size, the small kernel in the large one."""
    start = (many - prefix(few, many, "places in its kernel").stop) // 2
    return range(start, start + few)


def windows(x: Tensor, attrs: Mapping[str, Any]) -> tuple[Tensor, int, int, int]:
    """Output, kernel, stride and padding of a pooling layer. Raises :class:`SpaceError` where its window does not fit."""
    channels, *sizes = expect(x, "pooling", 3)
    kernel = attrs.get("kernel", 2)
    stride, padding = attrs.get("stride", kernel), attrs.get("padding", 0)
    if kernel > min(sizes) + 2 * padding:
        raise SpaceError(f"a {kernel}×{kernel} window does not fit a {sizes[0]}×{sizes[1]} map", todo="Pool less often, or less.")
    if 2 * padding > kernel:
        raise SpaceError(f"padding {padding} is more than half of kernel {kernel}")
    return Tensor((channels, *((size + 2 * padding - kernel) // stride + 1 for size in sizes))), kernel, stride, padding


@cache
def names() -> tuple[str, ...]:
    """All layers, by listing the folder."""
    skip = {"__init__", "base", "canonical", "counts", "elastic", "isomorphism", "scopes"}
    return tuple(sorted(p.stem for p in Path(__file__).parent.glob("*.py") if p.stem not in skip))


@cache
def layer(name: str) -> Layer:
    """The layer of that name. Raises :class:`SpaceError` where there is no such file."""
    if name not in names():
        raise SpaceError(f"unknown layer {name!r}", todo=f"Known: {', '.join(names())}.")
    module = importlib.import_module(f"netwright.layers.{name}")
    made: Layer = module.LAYER
    return made
