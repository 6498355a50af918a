"""One set of weights for a whole space: every architecture runs with its part of them, or is cut out with a copy.

Weight sharing as in Pham et al. 2018, arXiv:1802.03268, and Bender et al. 2018; slices as in Cai et al. 2020,
arXiv:1908.09791. What is a part of what is said by the layers: see :mod:`netwright.layers.elastic`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from math import sqrt
from typing import Any, NamedTuple

import torch
from torch import nn

from netwright.core.architecture import Architecture, Signature
from netwright.core.seeds import integer
from netwright.core.space import Space
from netwright.errors import SpaceError
from netwright.layers.base import Indices
from netwright.layers.elastic import Supernet
from netwright.nets.modules.mix import Mix
from netwright.nets.net import Net

__all__ = ["Restricted", "SharedBank"]


class SharedBank(nn.Module):
    """The tensors of a space unfolded whole, one for each path where weights live, at its largest.

    Its ``parameters()`` are what an optimiser trains; it has no forward of its own. :meth:`restricted` runs an architecture
    with slices of them, :meth:`cut` copies those. ``supernet.whole`` is the architecture that keeps every option: run
    restricted to it, the bank mixes them. The start depends on ``seed`` as that of :class:`~netwright.nets.net.Net` does.

    Raises :class:`SpaceError` where the space has no supernet, saying why.
    """

    def __init__(self, space: Space, signature: Signature, *, seed: int | None = None) -> None:
        super().__init__()
        self.supernet = Supernet(space, signature)
        self._names: dict[str, str] = {}  # torch allows no dots in the names of tensors
        start = Net(self.supernet.whole, signature, seed=seed).tensors()
        for i, (name, (shape, trained)) in enumerate(self.supernet.tensors.items()):
            self._names[name] = own = f"tensor{i}"
            tensor = start.get(name)
            if tensor is None:  # the largest network needs none where smaller ones do
                tensor = _started(shape, integer(seed or 0, 0, f"weights {name}"))
            if trained:
                self.register_parameter(own, nn.Parameter(tensor))
            else:
                self.register_buffer(own, tensor)

    def __getitem__(self, name: str) -> torch.Tensor:
        """The whole tensor named ``<path>/<name>``: a parameter, or a buffer."""
        found: torch.Tensor = getattr(self, self._names[name])
        return found

    def restricted(self, architecture: Architecture) -> Restricted:
        """The architecture as a module over the bank's own tensors. It may be any of the space's, decided or with open
        decisions (``mix`` nodes)."""
        return Restricted(self, architecture)

    def cut(self, architecture: Architecture) -> dict[str, torch.Tensor]:
        """Copies of the tensors that the architecture uses, for :meth:`netwright.nets.net.Net.load_tensors`."""
        cuts = self.supernet.cuts(architecture)
        return {name: _sliced(self[name].detach(), kept).clone() for name, kept in cuts.items()}

    def tensors(self) -> dict[str, torch.Tensor]:
        """Copies of all of them, named ``<path>/<name>``, on the processor."""
        return {name: self[name].detach().to("cpu", copy=True) for name in self._names}

    def load_tensors(self, tensors: Mapping[str, torch.Tensor]) -> None:
        """Take them back. Raises :class:`SpaceError` where one is missing or of another shape."""
        for name in self._names:
            given = tensors.get(name)
            if given is None or given.shape != self[name].shape:
                said = "there is none of this name" if given is None else f"it has shape {tuple(given.shape)}"
                raise SpaceError(f"these are not the shared weights of {self.supernet.space.name}: {said}", where=name)
        with torch.no_grad():
            for name in self._names:
                self[name].copy_(tensors[name])


class _Slot(NamedTuple):
    """Where in a network a slice of the bank belongs."""

    owner: nn.Module
    leaf: str
    name: str
    kept: tuple[Indices, ...]
    trained: bool


class Restricted(nn.Module):
    """An architecture that runs with slices of a bank's tensors: gradients and running statistics flow into the bank.

    It has no parameters of its own: train those of the bank. Made by :meth:`SharedBank.restricted`.
    """

    def __init__(self, bank: SharedBank, architecture: Architecture) -> None:
        super().__init__()
        self.net = Net(architecture, bank.supernet.signature)
        self._bank = (bank,)  # in a tuple, as a module would take its parameters for its own
        self._slots: list[_Slot] = []
        cuts = bank.supernet.cuts(architecture)
        for node, module in zip(architecture.nodes, self.net.layers, strict=True):
            for name, tensor in [*module.named_parameters(), *module.named_buffers()]:  # none are left when met again
                full = f"{node.weights}/{name}"
                if full not in cuts:  # a constant of the module
                    continue
                path, _, leaf = name.rpartition(".")
                owner = module.get_submodule(path)
                trained = isinstance(tensor, nn.Parameter)
                del (owner._parameters if trained else owner._buffers)[leaf]
                self._slots.append(_Slot(owner, leaf, full, cuts[full], trained))
        layers = zip(architecture.nodes, self.net.layers, strict=True)
        self._mixes = [(node.hole, module) for node, module in layers if isinstance(module, Mix)]

    def forward(self, *inputs: torch.Tensor, shares: Mapping[str, torch.Tensor] | None = None) -> Any:
        """The network's output. ``shares``: for each open decision, by its path, a number for each option; those of a
        decision that is not named are added up as they are."""
        for hole, mix in self._mixes:
            mix.shares = shares.get(hole) if shares else None
        (bank,) = self._bank
        slices = [_sliced(bank[slot.name], slot.kept) for slot in self._slots]
        for slot, tensor in zip(self._slots, slices, strict=True):
            setattr(slot.owner, slot.leaf, tensor)
        try:
            output = self.net(*inputs)
        finally:
            for slot in self._slots:  # what hangs on the bank's graph is not kept, and not copied with the module
                setattr(slot.owner, slot.leaf, None)
        if self.training:
            self._give_back(bank, slices)
        return output

    def _give_back(self, bank: SharedBank, slices: Sequence[torch.Tensor]) -> None:
        """Running statistics that were updated in a copy."""
        for slot, tensor in zip(self._slots, slices, strict=True):
            whole = bank[slot.name]
            if not slot.trained and tensor.data_ptr() != whole.data_ptr():
                # past autograd's count of changes: another member's backward pass may still hold a view of it
                whole.data[_grid(slot.kept, whole.device)] = tensor


def _sliced(tensor: torch.Tensor, kept: Sequence[Indices]) -> torch.Tensor:
    """What is kept along each axis: a view where that is as good as a tensor of its own, else a copy, with gradients.

    Only contiguous memory from the start of a tensor will do: elsewhere a library may add up in another order, and the
    network that is cut out would differ in its last digits.
    """
    found = tensor.view_as(tensor)  # not the parameter itself, which a module would take for its own
    for axis, indices in enumerate(kept):
        if isinstance(indices, tuple):
            found = found.index_select(axis, _index(indices, tensor.device))
        elif len(indices) < found.shape[axis]:
            found = found.narrow(axis, indices.start, len(indices))
    if not found.is_contiguous() or found.storage_offset():
        found = found.clone(memory_format=torch.contiguous_format)
    if tensor.requires_grad and not found.requires_grad:
        return found.detach().requires_grad_()  # while predicting too: torch chooses by this how it multiplies matrices
    return found


def _grid(kept: Sequence[Indices], device: torch.device) -> tuple[torch.Tensor, ...]:
    axes = [_index(indices, device) for indices in kept]
    return tuple(torch.meshgrid(axes, indexing="ij"))


@lru_cache(4096)
def _index(indices: Indices, device: torch.device) -> torch.Tensor:
    with torch.inference_mode(False):  # it may be met while predicting first, and while training later
        return torch.tensor(indices, device=device)


def _started(shape: tuple[int, ...], seed: int) -> torch.Tensor:
    """Weights of a projection, as a convolution's: normal, by outputs."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator) * sqrt(2 / shape[0])
