"""Another layer at every time step (or node of a graph), with one set of weights; batch norm sees all steps together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from netwright.core.architecture import Tensor
from netwright.errors import SpaceError
from netwright.layers.base import Cut, Layer, OnnxNode, Part, Shape, expect, layer

__all__ = ["LAYER"]


class EachStep(Layer):
    """Attributes: ``layer``, its name; ``attrs``, its attributes as sorted (name, value) pairs. The first axis is time."""

    attributes = ("layer", "attrs")

    def inner(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> tuple[Layer, Sequence[Tensor], Mapping[str, Any]]:
        """The layer, and what it gets at one step."""
        shape = expect(inputs[0], "a layer at each step", 2, 4)
        return layer(attrs["layer"]), [Tensor(shape[1:], inputs[0].dtype)], dict(attrs.get("attrs", ()))

    def shape(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Tensor:
        kind, one, own = self.inner(inputs, attrs)
        if kind.arity != 1 or (kind.stores(one, own) and not kind.source(one, own).startswith("nn.")):
            raise SpaceError(f"{attrs['layer']} cannot be laid at each step")
        if unknown := [name for name in own if name not in kind.attributes]:
            raise SpaceError(f"{attrs['layer']} has no attribute {unknown[0]!r}")
        out = kind.shape(one, own)
        return Tensor((inputs[0].shape[0], *out.shape), out.dtype)

    def keeps_zero(self, attrs: Mapping[str, Any]) -> bool:
        return bool(layer(attrs["layer"]).keeps_zero(dict(attrs.get("attrs", ()))))

    def weights(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Mapping[str, Shape]:
        kind, one, own = self.inner(inputs, attrs)
        return {f"layer.{name}": shape for name, shape in kind.weights(one, own).items()}

    def buffers(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Mapping[str, Shape]:
        kind, one, own = self.inner(inputs, attrs)
        return {f"layer.{name}": shape for name, shape in kind.buffers(one, own).items()}

    def flops(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> int:
        kind, one, own = self.inner(inputs, attrs)
        return inputs[0].shape[0] * kind.flops(one, own)

    def view(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> bool:
        kind, one, own = self.inner(inputs, attrs)
        return kind.view(one, own)

    def cut(self, inputs: Sequence[Part], large: Mapping[str, Any], small: Mapping[str, Any]) -> Cut:
        (x,) = inputs
        if large["layer"] != small["layer"]:
            raise SpaceError(f"{small['layer']} is no part of {large['layer']}")
        step = Part(Tensor(x.large.shape[1:]), Tensor(x.small.shape[1:]), x.kept)
        inner = layer(small["layer"]).cut([step], dict(large.get("attrs", ())), dict(small.get("attrs", ())))
        return Cut(inner.kept, {f"layer.{name}": kept for name, kept in inner.tensors.items()})

    def source(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> str:
        kind, one, own = self.inner(inputs, attrs)
        text = kind.source(one, own)
        if kind.stores(one, own):
            return f"EachStep({text})"
        return text.replace("x0", "x0.flatten(0, 1)") + f".unflatten(0, (-1, {inputs[0].shape[0]}))"

    def onnx(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Sequence[OnnxNode]:
        """One batch of all steps, and back."""
        kind, one, own = self.inner(inputs, attrs)
        names = {name: f"layer.{name}" for part in (kind.weights, kind.buffers) for name in part(one, own)}
        names |= {"x0": "step", "y": "step_y"}
        nodes = [
            replace(
                node,
                inputs=tuple(names.get(name, name) for name in node.inputs),
                outputs=tuple(names.get(name, name) for name in node.outputs),
            )
            for node in kind.onnx(one, own)
        ]
        whole = {"whole": (-1, inputs[0].shape[0], *kind.shape(one, own).shape)}
        return [
            OnnxNode("Reshape", ("x0", "apart"), ("step",), constants={"apart": (-1, *one[0].shape)}),
            *nodes,
            OnnxNode("Reshape", ("step_y" if nodes else "step", "whole"), constants=whole),
        ]

    def label(self, attrs: Mapping[str, Any]) -> str:
        return f"{layer(attrs['layer']).label(dict(attrs.get('attrs', ())))} at each step"


LAYER = EachStep()
