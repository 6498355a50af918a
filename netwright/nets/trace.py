"""A space made of an existing network: its layers as an expression, with holes where they may change, and its weights."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from netwright.core.architecture import Answer, Architecture, Signature, Tensor
from netwright.core.seeds import integer
from netwright.core.space import Space, unfold
from netwright.core.terms import Choice, Let, Subset, Term
from netwright.errors import SpaceError
from netwright.nets.inherit import Origin
from netwright.nets.net import Net
from netwright.nets.tracing.items import Item, mapped
from netwright.nets.tracing.parts import Writer, tree
from netwright.nets.tracing.widths import Widths

__all__ = ["Imported", "Made", "inherited", "instance", "output_of", "space_of", "space_of_class", "term_of"]

CLOSE = 1e-4
"""How far, relative to the largest output, the network of our layers may be from the module it was made of."""


@dataclass(frozen=True)
class Imported:
    """A space around a network. The first option of every hole is the network's own.

    ``trace``: the network as a member. ``tensors``: its weights, named ``<path>/<name>``. ``names``: path → the layer's name
    in the module. ``difference``: largest absolute difference between the two networks' outputs on random inputs.
    ``body``: the expression, where ``units`` of the head prints as ``signature.outputs``.
    """

    space: Space
    trace: Mapping[str, Answer]
    tensors: Mapping[str, torch.Tensor]
    names: Mapping[str, str]
    difference: float
    body: Term

    @property
    def original(self) -> Architecture:
        """The network itself."""
        return unfold(self.space, lambda path, hole: hole.at(0))

    @property
    def origin(self) -> Origin:
        """What the members of the space start from."""
        assert self.space.signature is not None
        return Origin(self.original, self.space.signature, self.tensors)


def inherited(architecture: Architecture, imported: Imported) -> dict[str, torch.Tensor]:
    """The tensors that a member takes over from the network, for :meth:`netwright.nets.net.Net.load_tensors` after its own:
    ``net.load_tensors({**net.tensors(), **inherited(architecture, imported)})``."""
    signature = imported.space.signature
    assert signature is not None
    return imported.origin.pieces(architecture, signature)


class _Outputs(int):
    """A number of outputs that is written as what it is taken from."""

    def __repr__(self) -> str:
        return "signature.outputs"


def space_of(
    module: nn.Module | Callable[[], nn.Module],
    signature: Signature,
    *,
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
    name: str = "",
) -> Imported:
    """A space around a module, or a class that needs no arguments.

    Widths, kernels, activations, pooling and the depth of repeated blocks become holes. ``include`` and ``exclude`` are
    patterns (``layer1.*``) over the dotted names of submodules: layers that are not included, or are excluded, stay as they
    are. Where the head's size is another than the signature's, and the head is a linear layer, it is replaced.

    Raises :class:`SpaceError` naming the submodule where something cannot be said in layers.
    """
    made = _made(module)
    name = name or type(made).__name__
    items = mapped(made, signature, name)
    free = _free(items, include, exclude)
    own = items[-1].output
    _fit_head(items, signature, name)
    parts, widths = tree(items), Widths(items, free)
    space = Space(Writer(made, items, widths, free).whole(parts, -1), name=name, signature=signature)
    original = unfold(space, lambda path, hole: hole.at(0))
    order = [items[place] for part in parts for place in part.items]
    tensors, names = _tensors(original, order)
    difference = 0.0
    if items[-1].output == own:
        difference = _compared(made, Net(original, signature), tensors, signature, name)
    else:
        tensors = {key: tensor for key, tensor in tensors.items() if not key.startswith(f"{original.nodes[-1].weights}/")}
    if items[-1].op == "linear" and len(items[-1].output.shape) == 1:
        items[-1].attrs["units"] = _Outputs(items[-1].attrs["units"])
    body = Writer(made, items, widths, free).whole(parts, -1)
    return Imported(space, original.decisions, tensors, names, difference, body)


def term_of(module: nn.Module, signature: Signature, name: str = "") -> Term:
    """A module as an expression without holes."""
    items = mapped(module, signature, name or type(module).__name__)
    head = signature.heads[0][1]
    if items[-1].output != head:
        raise SpaceError(
            f"its output has shape {items[-1].output.shape}, the task wants {head.shape}",
            where=name or type(module).__name__,
            todo="Let the constructor take `outputs`, and give the last layer that size.",
        )
    return Writer(module, items, Widths(items, _never), _never).whole(tree(items), -1)


def output_of(module: nn.Module, given: Tensor, name: str) -> Tensor:
    """What a module gives for one example of that shape."""
    return mapped(module, Signature((("x", given),), ()), name)[-1].output


# ---- a class whose constructor takes Choice values ----------------------------------------------------------------------


@dataclass(frozen=True)
class Made:
    """Lays what a class makes of values for its parameters: the function of a :class:`~netwright.core.terms.Let`."""

    kind: type[nn.Module]
    given: tuple[tuple[str, Any], ...]
    signature: Signature

    def __call__(self, **chosen: Any) -> Term:
        return _laid(self, tuple(sorted(chosen.items())))

    def __repr__(self) -> str:
        """Stands for the class wherever the space is written down, on every machine alike."""
        return f"{self.kind.__qualname__}({', '.join(f'{name}={value!r}' for name, value in self.given)})"


@lru_cache(maxsize=4096)
def _laid(made: Made, chosen: tuple[tuple[str, Any], ...]) -> Term:
    told = ", ".join(f"{name}={value!r}" for name, value in chosen)
    name = f"{made.kind.__name__}({told})"
    with _seeded():
        try:
            module = made.kind(**dict(made.given), **dict(chosen))
        except Exception as error:  # whatever a person's own code raises
            what = " ".join(str(error).split()) or type(error).__name__
            raise SpaceError(
                f"its constructor fails: {what[:200]}", where=name, todo="Every choice must make a network."
            ) from error
    return term_of(module, made.signature, name)


def space_of_class(
    kind: type[nn.Module], holes: Mapping[str, Choice | Subset], given: Mapping[str, Any], signature: Signature
) -> Space:
    """What a class makes with each choice of the values for its parameters ``holes``, the others as ``given``."""
    made = Made(kind, tuple(sorted(given.items())), signature)
    return Space(Let(made, **holes), name=kind.__name__, signature=signature)


# ---- making, comparing ----------------------------------------------------------------------------------------------------


@contextmanager
def _seeded() -> Iterator[None]:
    """Weights that a constructor draws are the same each time; torch's global random state is left as it was."""
    with torch.random.fork_rng(devices=()):
        torch.default_generator.manual_seed(integer(0, 0, "a person's own network"))
        yield


def instance(maker: nn.Module | Callable[[], nn.Module], weights: Path | None = None) -> nn.Module:
    """The network that a class or function makes without arguments, with weights from a safetensors file of its state dict."""
    made = _made(maker)
    if weights is not None:
        try:
            tensors = load_file(weights)
            made.load_state_dict({**made.state_dict(), **tensors})
        except (OSError, SafetensorError) as error:
            raise SpaceError(f"it cannot be read as safetensors ({error})", where=str(weights)) from None
        except RuntimeError as error:
            what = " ".join(str(error).split())[:200]
            raise SpaceError(f"these are not its weights: {what}", where=str(weights)) from None
        known = made.state_dict()
        missing = [name for name in known if name not in tensors and not name.endswith("num_batches_tracked")]
        if missing:
            raise SpaceError(f"it lacks {len(missing)} of the network's tensors, {missing[0]} first", where=str(weights))
    return made


def _never(name: str) -> bool:
    return False


def _made(module: nn.Module | Callable[[], nn.Module]) -> nn.Module:
    if isinstance(module, nn.Module):
        return module
    with _seeded():
        try:
            made = module()
        except TypeError as error:
            name = getattr(module, "__name__", str(module))
            raise SpaceError(
                f"it cannot be made without arguments: {error}", where=name, todo="Name a function that returns the network."
            ) from None
    if not isinstance(made, nn.Module):
        raise SpaceError(f"it makes a {type(made).__name__}, not an nn.Module", where=getattr(module, "__name__", str(module)))
    return made


def _free(items: Sequence[Item], include: Sequence[str], exclude: Sequence[str]) -> Callable[[str], bool]:
    """Whether a layer, or a submodule, may change: by patterns over its name or that of a submodule around it."""
    known = {".".join(item.path[: n + 1]) for item in items for n in range(len(item.path))}
    for pattern in (*include, *exclude):
        if not any(fnmatchcase(name, pattern) for name in known):
            tops = dict.fromkeys(item.path[0] for item in items)
            raise SpaceError(f"no layer is named like {pattern!r}", todo=f"The outermost names: {', '.join(tops)}.")

    def free(name: str) -> bool:
        around = [name[:end] for end in (*_dots(name), len(name))]
        inside = not include or any(fnmatchcase(each, pattern) for each in around for pattern in include)
        return inside and not any(fnmatchcase(each, pattern) for each in around for pattern in exclude)

    return free


def _dots(name: str) -> Iterator[int]:
    return (place for place, letter in enumerate(name) if letter == ".")


def _fit_head(items: Sequence[Item], signature: Signature, name: str) -> None:
    """Another number of classes: the same network with a new head."""
    last, head = items[-1], signature.heads[0][1]
    if last.output == head:
        return
    if last.op != "linear" or len(head.shape) != 1 or len(last.output.shape) != 1:
        raise SpaceError(
            f"its output has shape {last.output.shape}, the task wants {head.shape}",
            where=name,
            todo="End it in a linear layer, which can be replaced.",
        )
    last.attrs["units"], last.output = head.shape[0], head


def _tensors(original: Architecture, order: Sequence[Item]) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    """Weights by path and the module's names by path: nodes are laid in the order of the parts."""
    tensors: dict[str, torch.Tensor] = {}
    names: dict[str, str] = {}
    for node, item in zip(original.nodes, order, strict=True):
        assert node.op == item.op, (node, item)
        names[node.weights] = item.name
        for key, tensor in item.tensors.items():
            tensors[f"{node.weights}/{key}"] = tensor.to("cpu", torch.float32).contiguous()
    return tensors, names


def _compared(module: nn.Module, net: Net, tensors: Mapping[str, torch.Tensor], signature: Signature, name: str) -> float:
    """The largest difference of outputs. Raises :class:`SpaceError` where the two networks are not one."""
    net.load_tensors(tensors)
    inputs = [_random(tensor, net) for _, tensor in signature.inputs]
    modes = {part: part.training for part in module.modules()}
    with torch.no_grad():
        wanted, found = module.eval()(*inputs), net.eval()(*inputs)
    for part, mode in modes.items():
        part.training = mode
    wanted = wanted[0] if isinstance(wanted, (tuple, list)) else wanted
    difference = float((wanted.float() - found).abs().max())
    if not difference <= CLOSE * max(1.0, float(wanted.abs().max())):
        raise SpaceError(
            f"its layers give other outputs than the network itself, by {difference:.2g}",
            where=name,
            todo="It does something that was read wrongly; please report it with the class.",
        )
    return difference


def _random(tensor: Any, net: Net) -> torch.Tensor:
    generator = torch.Generator().manual_seed(integer(0, 0, "inputs to compare networks by"))
    if tensor.dtype == "float32":
        return torch.randn((4, *tensor.shape), generator=generator)
    most = min([part.num_embeddings for part in net.modules() if isinstance(part, nn.Embedding)] or [2])
    return torch.randint(0, most, (4, *tensor.shape), generator=generator)
