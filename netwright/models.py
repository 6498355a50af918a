"""A person's own networks: an ``nn.Module`` found by name, its class as a space, and the files of a space made around it."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import json
import re
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from netwright.core.architecture import Signature, Tensor
from netwright.core.size import size
from netwright.core.space import Space
from netwright.core.terms import Choice, Subset
from netwright.core.text import WORDS, statements
from netwright.errors import RecipeError, SpaceError, UserError
from netwright.layers.counts import count
from netwright.registry import suggest

__all__ = ["found", "is_network", "load_file", "space_files", "space_of_class"]


def load_file(path: str) -> ModuleType:
    """Run a Python file, once. Raises :class:`RecipeError` where there is none, or where it fails, naming the line."""
    file = Path(path)
    if not file.is_file():
        raise RecipeError("no such file", where=path, todo="Give it as my_file.py:NAME.")
    key = f"netwright_space_{file.resolve()}"
    if key not in sys.modules:
        spec = importlib.util.spec_from_file_location(key, file)
        assert spec is not None
        assert spec.loader is not None
        sys.modules[key] = loaded = importlib.util.module_from_spec(spec)  # where dataclasses and the like look for it
        try:
            spec.loader.exec_module(loaded)
        except BaseException as error:
            del sys.modules[key]
            if isinstance(error, Exception) and not isinstance(error, UserError):
                raise _failed(path, error) from error
            raise
    return sys.modules[key]


def _failed(path: str, error: Exception) -> RecipeError:
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename.endswith(Path(path).name)]
    line = error.lineno if isinstance(error, SyntaxError) else lines[-1] if lines else None
    what = " ".join(str(error).split())
    return RecipeError(
        f"it cannot be run: {type(error).__name__}{': ' if what else ''}{what}",
        where=path + (f", line {line}" if line else ""),
        todo="Mend it first: `python FILE` shows the whole story.",
    )


def found(target: str) -> Any:
    """What ``package.module:Name`` or ``file.py:Name`` names. Importing it runs its code."""
    path, _, name = target.rpartition(":")
    if not path or not name:
        raise RecipeError(f"{target!r} names no network", todo="Write module:Class, or file.py:Class.")
    if path.endswith(".py"):
        module = load_file(path)
    else:
        sys.path.insert(0, str(Path.cwd()))  # as python -m does
        try:
            module = importlib.import_module(path)
        except ModuleNotFoundError as error:
            raise RecipeError(f"no module {error.name!r}", where=target, todo="Write module:Class, or file.py:Class.") from None
        finally:
            sys.path.pop(0)
    if not hasattr(module, name):
        public = [each for each, value in vars(module).items() if is_network(value) and not each.startswith("_")]
        raise RecipeError(
            f"it has no {name!r}", where=path, todo=suggest(name, public) if public else "It has no network at all."
        )
    return getattr(module, name)


def is_network(thing: Any) -> bool:
    """Whether it is a class of networks, said without importing torch."""
    return inspect.isclass(thing) and any(
        base.__name__ == "Module" and base.__module__.startswith("torch.nn") for base in thing.__mro__[1:]
    )


# ---- a class whose constructor takes Choice values --------------------------------------------------------------------


def space_of_class(kind: type, signature: Signature, **settings: Any) -> Space:
    """The networks that a class makes: parameters whose default is a Choice are holes, unless ``settings`` fix them.

    Some others are given by the task. ``inputs``: channels, or features; ``outputs`` or ``classes``: their number; ``shape``:
    that of one example; ``signature``: all of it. Raises :class:`SpaceError` where a parameter is left that nothing gives.
    """
    x = signature.inputs[0][1].shape
    told = {"inputs": x[-1] if len(x) == 2 else x[0], "shape": x, "signature": signature}
    told |= dict.fromkeys(("outputs", "classes"), signature.outputs)
    holes: dict[str, Choice | Subset] = {}
    given: dict[str, Any] = {}
    parameters = inspect.signature(kind).parameters
    if unknown := [name for name in settings if name not in parameters]:
        raise RecipeError(f"space {kind.__name__} has no setting {unknown[0]!r}", todo=suggest(unknown[0], parameters))
    for name, parameter in parameters.items():
        if name in settings:
            given[name] = settings[name]
        elif isinstance(parameter.default, (Choice, Subset)):
            holes[name] = parameter.default
            if any(option.__hash__ is None for option in parameter.default.options):
                raise SpaceError(
                    f"the options of {name!r} can change", where=kind.__name__, todo="Write tuples instead of lists."
                )
        elif name in told:
            given[name] = told[name]
        elif parameter.default is parameter.empty and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise SpaceError(
                f"its constructor wants {name!r}, which nothing gives",
                where=kind.__name__,
                todo=f"Give it a default, or a Choice. The task gives {', '.join(told)}.",
            )
    if not holes:
        raise SpaceError(
            "no parameter of its constructor has a Choice as its default: there is nothing to search",
            where=kind.__name__,
            todo="Write `width: int = Choice(8, 16)`, or make a space around it with netwright space from-model.",
        )
    made: Space = importlib.import_module("netwright.nets.trace").space_of_class(kind, holes, given, signature)
    return made


# ---- a space around a network, as files -------------------------------------------------------------------------------

_HEAD = '''"""A space around {name}, made by `netwright space from-model`. Edit it as you like.

The first option of every hole is the network's own, which has {params:,} parameters. {stem}.json says which member it is,
{stem}.safetensors holds its weights.
"""

from netwright.core.architecture import Signature
from netwright.core.space import {words}


def space(signature: Signature) -> Space:
{body}
    return Space(body, name="{space}", signature=signature)
'''


def space_files(
    target: str,
    given: Tensor,
    *,
    weights: Path | None = None,
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
    out: Path | None = None,
) -> dict[str, Any]:
    """Make a space around ``module:Class`` for examples of one shape; write it, the network's trace and its weights.

    Returns what was found, as JSON: ``files``, ``params``, ``holes``, ``size``, ``difference`` and more.
    """
    trace = importlib.import_module("netwright.nets.trace")
    name = target.rpartition(":")[2]
    maker = found(target)
    if not callable(maker):
        raise RecipeError(
            f"it is a {type(maker).__name__}", where=target, todo="Name a class, or a function that makes a network."
        )
    network = trace.instance(maker, weights)
    signature = Signature((("x", given),), (("y", trace.output_of(network, given, name)),))
    imported = trace.space_of(network, signature, include=include, exclude=exclude, name=name)
    file = out or Path(f"{name.lower()}_space.py")
    return _written(imported, signature, file, target)


def _written(imported: Any, signature: Signature, file: Path, target: str) -> dict[str, Any]:
    total = size(imported.space)
    original, stem = imported.original, file.stem
    params = count(original, signature).params
    body = statements(imported.body, "body", 120)
    used = set(re.findall(r"\b[A-Z]\w+(?=\()", body))
    text = _HEAD.format(
        name=target,
        params=params,
        stem=stem,
        words=", ".join([*(word for word in WORDS if word[0].isupper() and word in used), "Space", "op"]),
        body="\n".join(f"    {line}" if line else "" for line in body.splitlines()),
        space=imported.space.name,
    )
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    file.with_suffix(".json").write_text(json.dumps(original.to_json(), indent=1) + "\n", encoding="utf-8")
    imported.origin.write(file.with_suffix(".safetensors"))
    return {
        "space": f"{file}:space",
        "files": [str(file.with_suffix(suffix)) for suffix in (".py", ".json", ".safetensors")],
        "input": list(signature.inputs[0][1].shape),
        "outputs": signature.outputs,
        "params": params,
        "layers": len(original.nodes),
        "holes": len(original.decisions),
        "size": total.count,
        "size_is_exact": total.exact,
        "difference": imported.difference,
        "layer_names": dict(imported.names),
        "trace": original.to_json()["trace"],
    }
