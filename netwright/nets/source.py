"""An architecture as the text of a ``model.py`` that needs torch only, made to be read."""

from __future__ import annotations

import importlib
import inspect
import keyword
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

from netwright.core.architecture import Architecture, Signature, Tensor
from netwright.layers.counts import Step, count, steps
from netwright.layers.scopes import Loop, outside
from netwright.nets.plan import Move, inner, plan

__all__ = ["source_names", "source_tensors", "to_source"]

_WIDTH = 110
_SHORT = {"batch_norm": "norm", "layer_norm": "norm", "squeeze_excite": "excite", "global_pool": "pool"}
_T = TypeVar("_T")

_LOAD = '''
def load(folder: str | Path | None = None) -> Model:
    """The network with its weights, ready to predict."""
    model = Model()
    model.load_state_dict(_read(Path(folder or Path(__file__).parent) / "model.safetensors"))
    return model.eval()


def _read(path: Path) -> dict[str, torch.Tensor]:
    """A safetensors file: the length of its header, the header as JSON, the numbers."""
    data = bytearray(path.read_bytes())
    start = 8 + int.from_bytes(data[:8], "little")
    tensors = {}
    for name, entry in json.loads(data[8:start]).items():
        if name != "__metadata__":
            first, end = entry["data_offsets"]
            flat = torch.frombuffer(data, dtype=torch.float32, offset=start + first, count=(end - first) // 4)
            tensors[name] = flat.reshape(entry["shape"])
    return tensors
'''


def source_names(architecture: Architecture) -> dict[str, str]:
    """Weights path → attribute of the class ``Model``: the layer's name and a running number."""
    names: dict[str, str] = {}
    numbers: dict[str, int] = {}
    for node in architecture.nodes:
        if node.weights not in names:
            depthwise = node.op == "conv" and dict(node.attrs).get("groups", 1) == 0
            short = "depthwise" if depthwise else _SHORT.get(node.op, node.op)
            numbers[short] = numbers.get(short, 0) + 1
            names[node.weights] = f"{short}{numbers[short]}"
    return names


def source_tensors(architecture: Architecture, tensors: Mapping[str, _T]) -> dict[str, _T]:
    """Weights by ``<path>/<name>`` under the names of the ``state_dict`` of the class ``Model``: what its file is to hold."""
    names = source_names(architecture)
    return {f"{names[key.rpartition('/')[0]]}.{key.rpartition('/')[2]}": value for key, value in tensors.items()}


def to_source(architecture: Architecture, signature: Signature, *, title: str) -> str:
    """The text of ``model.py``: a class ``Model``, and ``load()``, which reads ``model.safetensors`` beside it."""
    found = steps(architecture, signature)
    body = [*_head(architecture, signature, title), "", ""]
    for text in _classes(found):
        body += [text, "", ""]
    body += ["class Model(nn.Module):", "    def __init__(self) -> None:", "        super().__init__()"]
    body += [*_layers(architecture, found), "", *_forward(architecture, signature, found), "", ""]
    text = "\n".join(body) + _LOAD
    if not re.search(r"\bF\.", text):
        text = text.replace("import torch.nn.functional as F\n", "")
    return text


def _head(architecture: Architecture, signature: Signature, title: str) -> list[str]:
    def shown(name: str, tensor: Tensor) -> str:
        return f"{name}, {tensor.dtype}, shape (N, {', '.join(map(str, tensor.shape))})"

    counts = count(architecture, signature)
    found = steps(architecture, signature)
    seen = outside(architecture, [step.output for step in found], signature)
    heads = [(name, seen[i]) for (name, _), i in zip(signature.heads, architecture.outputs, strict=True)]
    return [
        f'"""{title}'.replace("\\", "/").replace('"""', "'''").replace("'''", '"""', 1),
        "",
        f"{counts.params:,} parameters; {counts.flops:,} FLOPs for one example. Needs torch only.",
        *(f"Input:  {shown(*pair)}" for pair in signature.inputs),
        *(f"Output: {shown(*pair)}" for pair in heads),
        "",
        "    model = load()  # with the weights in model.safetensors, beside this file",
        f"    {', '.join(name for name, _ in heads)} = model({', '.join(name for name, _ in signature.inputs)})",
        '"""',
        "",
        "from __future__ import annotations",
        "",
        "import json",
        "from pathlib import Path",
        "",
        "import torch",
        "import torch.nn.functional as F",
        "from torch import nn",
    ]


def _classes(found: list[Step]) -> Iterator[str]:
    """The text of each class of ours that a layer needs, once."""
    seen = set()
    for step in found:
        name = step.layer.source(step.inputs, step.attrs).partition("(")[0]
        if step.layer.stores(step.inputs, step.attrs) and not name.startswith("nn.") and name not in seen:
            seen.add(name)
            module = importlib.import_module(f"netwright.nets.modules.{step.node.op}")
            yield re.sub(r"  # type: ignore.*", "", inspect.getsource(getattr(module, name))).rstrip()


def _layers(architecture: Architecture, found: list[Step]) -> Iterator[str]:
    names = source_names(architecture)
    seen = set()
    for step in found:
        path = step.node.weights
        if step.layer.stores(step.inputs, step.attrs) and path not in seen:
            seen.add(path)
            yield _wrapped(f"self.{names[path]} = {step.layer.source(step.inputs, step.attrs)}", 8)


def _forward(architecture: Architecture, signature: Signature, found: list[Step]) -> Iterator[str]:
    moves, size, outputs = plan(architecture, found, len(signature.inputs))
    given = [name for name, _ in signature.inputs]
    names = _Names(given)
    variables = [*given, *(names.take() for _ in range(size - len(given)))]
    result = "torch.Tensor" if len(outputs) == 1 else "tuple[torch.Tensor, ...]"
    yield f"    def forward(self, {', '.join(f'{name}: torch.Tensor' for name in given)}) -> {result}:"
    yield from _Body(architecture, found, names).lines(moves, variables, 8)
    yield f"        return {', '.join(variables[i] for i in outputs)}"


class _Names:
    """Names of variables, each given once."""

    def __init__(self, taken: Sequence[str]) -> None:
        self.taken = set(taken)

    def take(self, wanted: str = "") -> str:
        """That name, or a letter where it is taken or none."""
        likely: tuple[str, ...] = (wanted, *"abcdefghjkmnpqrstuvw", *(f"v{i}" for i in range(len(self.taken) + 1)))
        name = next(name for name in likely if name.isidentifier() and not keyword.iskeyword(name) and name not in self.taken)
        self.taken.add(name)
        return name


class _Body:
    """The statements of a forward pass."""

    def __init__(self, architecture: Architecture, found: list[Step], variables: _Names) -> None:
        self.found, self.variables = found, variables
        self.names = source_names(architecture)

    def lines(self, moves: Sequence[Move], variables: Sequence[str], indent: int) -> Iterator[str]:
        for move in moves:
            if move.target in move.freed:
                continue  # read by no one
            sources, target = [variables[i] for i in move.sources], variables[move.target]
            if move.picked is not None:
                yield f"{' ' * indent}{target} = {sources[0]}[{move.picked}]"
            elif move.loop is not None:
                yield from self.loop(move.loop, sources, target, indent)
            elif (value := self.value(self.found[move.place], sources)) != target:
                step = self.found[move.place]
                line = _wrapped(f"{target} = {value}", indent)
                changed = step.output.shape != step.inputs[0].shape
                comment = f"  # {' × '.join(map(str, step.output.shape))}" * changed
                yield line + comment if len(line + comment) <= _WIDTH else line

    def value(self, step: Step, sources: Sequence[str]) -> str:
        if step.layer.stores(step.inputs, step.attrs):
            return f"self.{self.names[step.node.weights]}({', '.join(sources)})"

        def source(found: re.Match[str]) -> str:
            return sources[int(found[0][1:])]

        return re.sub(r"\bx\d+\b", source, step.layer.source(step.inputs, step.attrs))

    def loop(self, loop: Loop, sequences: Sequence[str], target: str, indent: int) -> Iterator[str]:
        """A recurrence: its states, a loop over the steps, and what was kept of each."""
        moves, size, outputs = inner(loop, self.found)
        take, pad = self.variables.take, " " * indent
        now = [take("step") for _ in sequences]
        states = [take(str(self.found[state].attrs.get("name", ""))) for state, _ in loop.states]
        names = [*now, *states, *(take() for _ in range(size - len(now) - len(states)))]
        kept = [take("outputs") for _ in loop.leaving]
        for name, (state, _) in zip(states, loop.states, strict=True):
            yield f"{pad}{name} = {self.value(self.found[state], sequences)}"
        for name in kept:
            yield f"{pad}{name} = []"
        read = {i for move in moves for i in move.sources} | set(outputs)
        used = [i for i in range(len(now)) if i in read] or [0]  # some give the number of rows only
        steps = ", ".join(f"{sequences[i]}.unbind(1)" for i in used)
        each = ", ".join(now[i] for i in used)
        yield f"{pad}for {each} in {steps if len(used) == 1 else f'zip({steps}, strict=True)'}:"
        yield from self.lines(moves, names, indent + 4)
        for name, i in zip(kept, outputs[len(states) :], strict=True):
            yield f"{pad}    {name}.append({names[i]})"
        changed = [(name, names[i]) for name, i in zip(states, outputs, strict=False) if name != names[i]]
        if changed:
            yield f"{pad}    {', '.join(a for a, _ in changed)} = {', '.join(b for _, b in changed)}"
        stacked = [f"torch.stack({name}, 1)" for name in kept]
        yield f"{pad}{target} = {', '.join(stacked)}"


def _wrapped(text: str, indent: int) -> str:
    """A statement within the width: where it is too long, what its first bracket holds goes on lines of its own."""
    line = " " * indent + text
    if len(line) <= _WIDTH or "(" not in text:
        return line
    head, _, rest = text.partition("(")
    inside, _, tail = rest.rpartition(")")
    whole = " " * (indent + 4) + inside
    lines = [whole] if len(whole) <= _WIDTH else [f"{_wrapped(part, indent + 4)}," for part in _parts(inside)]
    return "\n".join([" " * indent + head + "(", *lines, " " * indent + ")" + tail])


def _parts(text: str) -> list[str]:
    """Split at the commas that lie in no bracket."""
    parts, depth, start = [], 0, 0
    for place, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if letter == "," and depth == 0:
            parts.append(text[start:place].strip())
            start = place + 1
    return [part for part in [*parts, text[start:].strip()] if part]
