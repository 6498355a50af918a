"""Weights of one network as a start for its relatives: layers at the same path take over what they have in common.

What of a larger layer a smaller one is, is said by the layers (:meth:`netwright.layers.base.Layer.cut`): first channels, as in
Cai et al. 2020, arXiv:1908.09791. A larger kernel has the original in its centre and zeros around it, so that it computes the
same (Chen et al. 2016, arXiv:1511.05641).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from netwright.core.architecture import Architecture, Signature, Tensor
from netwright.errors import SpaceError
from netwright.layers.base import Cut, Indices, Part
from netwright.layers.counts import Step, steps

__all__ = ["Origin", "read_origin"]


@dataclass(frozen=True)
class Origin:
    """A network with its weights, by ``<path>/<name>``. Layers that have none in ``tensors`` give nothing."""

    architecture: Architecture
    signature: Signature
    tensors: Mapping[str, torch.Tensor]

    def write(self, path: Path) -> None:
        """As one safetensors file, with the architecture in its header."""
        told = {"architecture": json.dumps(self.architecture.to_json()), "signature": json.dumps(self.signature.to_json())}
        save_file({key: tensor.contiguous() for key, tensor in self.tensors.items()}, path, metadata=told)

    def pieces(self, architecture: Architecture, signature: Signature) -> dict[str, torch.Tensor]:
        """What another network takes over: its tensors by ``<path>/<name>``, of its own shapes; those that fit only.

        A head of another size takes over nothing: its outputs are other things.
        """
        large = {step.node.weights: step for step in steps(self.architecture, self.signature)}
        found: dict[str, torch.Tensor] = {}
        outs: list[Part | None] = []
        for place, step in enumerate(steps(architecture, signature)):
            path, source = step.node.weights, large.get(step.node.weights)
            if source is not None and source.node.op != step.node.op:
                source = None
            inputs = [outs[i] if i >= 0 else _all(signature.input(i)) for i in step.node.inputs]
            known = [part or _same(source, i, step) for i, part in enumerate(inputs)]
            parts = [part for part in known if part is not None]
            out: Part | None = None
            pieces: dict[str, torch.Tensor] = {}
            if len(parts) == len(known) and (source is None or tuple(part.large for part in parts) == source.inputs):
                out, pieces = self._taken(step, source, parts)
            if place not in architecture.outputs or out == _all(step.output):
                found.update({f"{path}/{key}": tensor for key, tensor in pieces.items()})
            outs.append(out)
        return found

    def _taken(self, step: Step, source: Step | None, inputs: Sequence[Part]) -> tuple[Part | None, dict[str, torch.Tensor]]:
        """A layer's output as a part of the original's, and its tensors; None and nothing where too little is common."""
        names = [*step.layer.weights(step.inputs, step.attrs), *step.layer.buffers(step.inputs, step.attrs)]
        if source is None and names:
            return None, {}
        large = step.attrs if source is None else source.attrs
        try:
            out = step.layer.shape([part.large for part in inputs], large)
            if large == step.attrs and all(part == _all(part.large) for part in inputs):
                cut = _whole(step, step.attrs, step.inputs)
            else:
                common = {key: _less(value, large.get(key)) for key, value in step.attrs.items()}
                cut = step.layer.cut(inputs, large, common)
                if common != step.attrs:
                    return self._grown(step, common, cut, out, names)
        except (SpaceError, KeyError):
            return None, {}
        tensors = {key: self.tensors.get(f"{step.node.weights}/{key}") for key in names}
        return Part(out, step.output, cut.kept), {
            key: _sliced(tensor, cut.tensors[key]) for key, tensor in tensors.items() if tensor is not None
        }

    def _grown(
        self, step: Step, common: Mapping[str, Any], cut: Cut, out: Tensor, names: Sequence[str]
    ) -> tuple[Part | None, dict[str, torch.Tensor]]:
        """A layer that is larger than the original in something (its kernel): what is new in it is zero."""
        place = step.layer.cut([_all(x) for x in step.inputs], step.attrs, common)
        if len(place.kept) != len(cut.kept) or tuple(place.kept) != tuple(_all(step.output).kept):
            return None, {}
        shapes = {**step.layer.weights(step.inputs, step.attrs), **step.layer.buffers(step.inputs, step.attrs)}
        made = {}
        for key in names:
            tensor = self.tensors.get(f"{step.node.weights}/{key}")
            if tensor is not None:
                made[key] = torch.zeros(shapes[key])
                axes = [torch.tensor(list(kept)) for kept in place.tensors[key]]
                made[key][torch.meshgrid(*axes, indexing="ij")] = _sliced(tensor, cut.tensors[key])
        return Part(out, step.output, cut.kept), made


@lru_cache(maxsize=4)
def read_origin(path: str) -> Origin:
    """What :meth:`Origin.write` wrote. Raises :class:`SpaceError` where the file is not that."""
    try:
        with safe_open(path, framework="pt") as file:
            told = file.metadata() or {}
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - it is no mapping
        architecture = Architecture.from_json(json.loads(told["architecture"]))
        return Origin(architecture, Signature.from_json(json.loads(told["signature"])), tensors)
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        raise SpaceError(
            f"no weights to start from can be read ({type(error).__name__})",
            where=path,
            todo="Name the .safetensors file that netwright space from-model wrote.",
        ) from None


def _all(x: Tensor) -> Part:
    return Part(x, x, range(x.shape[1] if len(x.shape) == 2 else x.shape[0]))


def _same(source: Step | None, place: int, step: Step) -> Part | None:
    """An input of which nothing is known is taken for the original's where it has its shape."""
    fits = source is not None and place < len(source.inputs) and source.inputs[place] == step.inputs[place]
    return _all(step.inputs[place]) if fits else None


def _whole(step: Step, attrs: Mapping[str, Any], inputs: Sequence[Tensor]) -> Cut:
    tensors = {**step.layer.weights(inputs, attrs), **step.layer.buffers(inputs, attrs)}
    return Cut(_all(step.output).kept, {key: tuple(map(range, shape)) for key, shape in tensors.items()})


def _less(value: Any, other: Any) -> Any:
    numbers = isinstance(value, int) and isinstance(other, int) and not isinstance(value, bool)
    return min(value, other) if numbers else value


def _sliced(tensor: torch.Tensor, kept: Sequence[Indices]) -> torch.Tensor:
    for axis, indices in enumerate(kept):
        if len(indices) < tensor.shape[axis]:
            tensor = tensor.index_select(axis, torch.tensor(list(indices)))
    return tensor.clone()
