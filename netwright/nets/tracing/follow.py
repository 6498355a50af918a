"""The forward pass of a module as a torch.fx graph whose nodes know their values and the submodule they stand in.

torch.fx rather than torch.export: it keeps each submodule of ``torch.nn`` whole and under its own name, which is what weights
are matched and layers included or excluded by; torch.export breaks attention and recurrent layers into dozens of operators.
Every operator is computed on example inputs while it is traced, so that code may ask for shapes; only what depends on the
numbers in a tensor cannot be followed.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import fx, nn

from netwright.errors import SpaceError

__all__ = ["SCOPE", "VALUE", "follow", "submodule"]

VALUE, SCOPE = "netwright_value", "netwright_scope"
"""Names in a node's ``meta``: what it computed from the examples, and the dotted path of the submodule it stands in."""

_READS_NUMBERS = {"item", "tolist", "numpy", "equal", "allclose", "is_nonzero"}


class _Known(fx.Proxy):
    """A traced value whose shape can be asked for."""

    @property
    def example(self) -> Any:
        return self.node.meta[VALUE]

    @property
    def shape(self) -> Any:
        return self.example.shape

    @property
    def ndim(self) -> int:
        return int(self.example.ndim)

    @property
    def dtype(self) -> Any:
        return self.example.dtype

    @property
    def device(self) -> Any:
        return self.example.device

    def __len__(self) -> int:
        return len(self.example)


class _Tracer(fx.Tracer):
    """Traces and computes at once. What is not a tensor (a size, a shape) is passed on as it is."""

    def __init__(self, examples: Sequence[torch.Tensor]) -> None:
        super().__init__()
        self.examples = list(examples)
        self.computing = False

    def proxy(self, node: fx.Node) -> fx.Proxy:
        return _Known(node, self)

    def iter(self, obj: fx.Proxy) -> Iterator[Any]:
        value = obj.node.meta[VALUE]
        if isinstance(value, torch.Tensor):
            return super().iter(obj)
        return iter([obj[i] for i in range(len(value))])  # type: ignore[index]

    def getattr(self, attr: str, attr_val: Any, parameter_proxy_cache: dict[str, Any]) -> Any:
        return attr_val if self.computing else super().getattr(attr, attr_val, parameter_proxy_cache)

    def call_module(self, m: nn.Module, forward: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return forward(*args, **kwargs) if self.computing else super().call_module(m, forward, args, kwargs)

    def create_proxy(self, kind: str, target: Any, args: Any, kwargs: Any, *rest: Any, **more: Any) -> Any:
        if getattr(target, "__name__", target) in _READS_NUMBERS:
            raise fx.proxy.TraceError(f"{target} reads the numbers in a tensor")
        made = super().create_proxy(kind, target, args, kwargs, *rest, **more)
        was, self.computing = self.computing, True
        try:
            value = self.compute(kind, target, made.node.args, made.node.kwargs)
        finally:
            self.computing = was
        made.node.meta.update({VALUE: value, SCOPE: self.scope.module_path})
        return made if _holds_tensor(value) or kind == "placeholder" else value

    def compute(self, kind: str, target: Any, args: Any, kwargs: Any) -> Any:
        if kind == "placeholder":
            return self.examples.pop(0) if self.examples else (args[0] if args else None)
        if kind == "get_attr":
            return _attribute(self.root, target)
        args, kwargs = fx.node.map_arg((args, kwargs), lambda node: node.meta[VALUE])
        if kind == "call_method":
            return getattr(args[0], target)(*args[1:], **kwargs)
        return (submodule(self.root, target) if kind == "call_module" else target)(*args, **kwargs)


def _attribute(root: nn.Module, target: str) -> Any:
    path, _, name = target.rpartition(".")
    return getattr(submodule(root, path), name)


def submodule(root: nn.Module, path: str) -> nn.Module:
    """The submodule at a dotted path; the root itself at the empty one."""
    return root.get_submodule(path) if path else root


def _holds_tensor(value: Any) -> bool:
    if isinstance(value, (tuple, list)):
        return any(_holds_tensor(each) for each in value)
    return isinstance(value, torch.Tensor)


def follow(module: nn.Module, examples: Sequence[torch.Tensor], name: str) -> fx.Graph:
    """Trace the module, in eval mode, on example inputs. Raises :class:`SpaceError` naming the line that cannot be followed."""
    modes = {part: part.training for part in module.modules()}
    tracer = _Tracer([example.clone() for example in examples])
    try:
        with torch.no_grad(), torch.random.fork_rng(devices=()):
            return tracer.trace(module.eval())
    except fx.proxy.TraceError as error:
        raise SpaceError(
            "what happens next depends on the numbers in a tensor, which no fixed network can do",
            where=f"{name}, {_line(error)}",
            todo="Decide by shapes or by settings of the constructor instead.",
        ) from error
    except Exception as error:  # whatever a person's own code raises
        what = " ".join(str(error).split()) or type(error).__name__
        shapes = " and ".join("×".join(map(str, example.shape[1:])) for example in examples)
        raise SpaceError(
            f"it fails on inputs of shape {shapes}: {what[:200]}",
            where=f"{name}, {_line(error)}",
            todo="That must be the shape of one example, or the class must be mended.",
        ) from error
    finally:
        for part, mode in modes.items():
            part.training = mode


def _line(error: BaseException) -> str:
    """The last line outside torch and this file: ``net.py, line 12: if x.sum() > 0:``."""
    inside = (str(Path(torch.__file__).parent), __file__)
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith(inside)]
    if not frames:
        return "forward"
    return f"{Path(frames[-1].filename).name} line {frames[-1].lineno} ({frames[-1].line})"
