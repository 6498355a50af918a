"""The model card for people: ``README.md`` from the facts of ``card.json``, whatever characters names in the data hold."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

__all__ = ["safe", "text"]

_SHOWN = 200
"""Classes, columns and categories that are listed; ``card.json`` holds all."""


def safe(value: Any, most: int = 80) -> str:
    """Text from the data as Markdown that shows it and does nothing else."""
    line = " ".join("".join(c if c.isprintable() else " " for c in str(value)).split())
    line = line if len(line) <= most else line[: most - 1] + "…"
    line = line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_\[\]#|~$@])", r"\\\1", line)


def text(told: Mapping[str, Any]) -> str:
    """The whole card."""
    parts = (_head, _input, _output, _figures, _found, _data, _limits, _use, _files)
    return "\n".join(line for part in parts for line in (*part(told), ""))


def _head(told: Mapping[str, Any]) -> Iterator[str]:
    counts, latency, test = told["counts"], told["latency"], told["test"]
    yield f"# {safe(told['title'])}"
    yield ""
    yield (
        f"A neural network with {counts['params']:,.0f} parameters that takes raw {_kind(told)} and runs without the "
        f"software that found it. One prediction takes {_ms(latency['latency_ms'])}."
    )
    yield ""
    if test:
        low_high = test.get("interval")
        span = f" (95 % interval {low_high[0]:.4f} to {low_high[1]:.4f})" if low_high else ""
        yield f"**{test['metric']} {test['score']:.4f}**{span} on {test['rows']} test rows, which the search never read."
    else:
        yield "It was **not** scored on the sealed test rows: only the winner of a finished run is."


def _kind(told: Mapping[str, Any]) -> str:
    return {"images": "pixels", "table": "table columns"}.get(told["task"].get("inputs", ""), "inputs")


def _ms(value: float) -> str:
    return f"{value:.3g} ms"


def _input(told: Mapping[str, Any]) -> Iterator[str]:
    given, task = told["input"], told["task"]
    yield "## Input"
    yield ""
    yield f"{_tensor(given)}, any N. The numbers are {safe(given['values'], 1000)}."
    if task.get("inputs") == "images":
        image = task["image"]
        size = f"{image['height']} × {image['width']} pixels"
        yield ""
        if image.get("resized"):
            yield f"Images were resized to {size} outside the network: {safe(image['method'])}. Do the same."
        else:
            yield f"All images of the data have {size}; nothing was resized."
        more = [f"{name} {safe(image[name])}" for name in ("transparency", "orientation") if image.get(name)]
        if more:
            yield f"When files are read: {', '.join(more)}."
    if task.get("columns"):
        yield ""
        yield "| | column | kind | values |"
        yield "|---|---|---|---|"
        for place, column in enumerate(task["columns"][:_SHOWN]):
            yield f"| {place} | {safe(column['name'])} | {column['kind']} | {_column(column)} |"
        yield from _cut(len(task["columns"]), "columns")


def _tensor(given: Mapping[str, Any]) -> str:
    return f"`{given['name']}`: {given['dtype']}, shape (N, {', '.join(map(str, given['shape']))})"


def _column(column: Mapping[str, Any]) -> str:
    if column["kind"] == "category":
        listed = ", ".join(f"{code} = {safe(name)}" for code, name in enumerate(column["categories"][:_SHOWN]))
        return listed + (" …" if len(column["categories"]) > _SHOWN else "")
    gaps = f"{column['missing']} missing in training" if column.get("missing") else "none missing in training"
    form = f"written {safe(column['format'])}; " if column.get("format") else ""
    return f"{form}mean {column['mean']:.4g}, std {column['std']:.4g}; {gaps}"


def _cut(n: int, what: str) -> Iterator[str]:
    if n > _SHOWN:
        yield ""
        yield f"… and {n - _SHOWN} more {what}: `card.json` lists all."


def _output(told: Mapping[str, Any]) -> Iterator[str]:
    given, classes = told["output"], told["classes"]
    yield "## Output"
    yield ""
    yield f"{_tensor(given)}: {safe(given['values'], 1000)}."
    if classes:
        yield ""
        yield ", ".join(f"{i} = {safe(name)}" for i, name in enumerate(classes[:_SHOWN]))
        yield from _cut(len(classes), "classes")


def _figures(told: Mapping[str, Any]) -> Iterator[str]:
    counts, latency, machine = told["counts"], told["latency"], told["measured_on"]
    yield "## Figures"
    yield ""
    yield "| | |"
    yield "|---|---|"
    yield f"| parameters | {counts['params']:,.0f} |"
    yield f"| FLOPs for one example | {counts['flops']:,.0f} (2 × multiply-adds) |"
    yield f"| peak memory of activations | {counts['peak_kib']:,.1f} KiB (batch 1, float32) |"
    yield f"| latency | {_latency(latency)} |"
    software = f"ONNX Runtime {safe(machine['onnxruntime'])}, opset {machine['opset']}"
    yield f"| measured on | {safe(machine['processor'])}, {software}, batch 1 |"
    yield ""
    yield f"The files give the same outputs ({told['rows_compared']}). Largest differences:"
    yield ""
    for pair, value in told["parity"].items():
        yield f"- {pair.replace('_vs_', ' against ')}: {value:.1e}"
    if told.get("int8"):
        yield ""
        yield from _int8(told["int8"], latency)


def _latency(latency: Mapping[str, Any]) -> str:
    quartiles = f", quartiles {latency['latency_p25']:.3g} and {latency['latency_p75']:.3g}" if "latency_p25" in latency else ""
    threads = latency.get("threads", 1)
    return f"median {_ms(latency['latency_ms'])}{quartiles} ({threads} thread{'s' * (threads != 1)})"


def _int8(int8: Mapping[str, Any], latency: Mapping[str, Any]) -> Iterator[str]:
    yield "`model.int8.onnx` is the same network with 8-bit weights and activations (inputs and outputs as above):"
    yield ""
    yield "| | float32 | int8 |"
    yield "|---|---|---|"
    metric = int8["metric"]
    yield f"| {metric} on {int8['rows']} validation rows | {_score(int8['float_score'])} | {_score(int8['score'])} |"
    yield f"| bytes | {int8['float_bytes']:,} | {int8['bytes']:,} |"
    yield f"| latency | {_latency(latency)} | {_latency(int8)} |"
    yield ""
    yield "The last training may have seen the validation rows: the scores compare the files and promise nothing for new data."


def _score(value: float | None) -> str:
    return "not defined" if value is None else f"{value:.4f}"


def _found(told: Mapping[str, Any]) -> Iterator[str]:
    found = told["found"]
    yield "## How it was found"
    yield ""
    yield f"By Netwright {safe(told['netwright'])}; architecture `{told['architecture']}`, which `architecture.json` describes."
    yield ""
    for name, value in found.items():
        if name != "verdict":
            yield f"- {name.removesuffix('_s') + (' (seconds)' if name.endswith('_s') else '')}: {safe(_plain(value))}"
    if found.get("verdict"):
        yield ""
        yield safe(found["verdict"], 1000)


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{_plain(v)} {k}" for k, v in value.items() if v is not None)
    if isinstance(value, list):
        return ", ".join(map(_plain, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _data(told: Mapping[str, Any]) -> Iterator[str]:
    task = told["task"]
    yield "## The data"
    yield ""
    rows = ", ".join(f"{count} {name}" for name, count in (task.get("rows") or {}).items())
    split = task.get("split") or {}
    method = safe(split.get("method", "unknown"))
    yield f"{safe(task.get('name', ''))}: rows {rows or 'unknown'}; split {method}. Its licence is not known here."
    if task.get("fingerprint"):
        yield f"Fingerprint of the rows and of their split: `{safe(task['fingerprint'])}`."
    for name, kind in (("notes", ""), ("warnings", "**warning:** ")):
        yield from _listed(task.get(name) or [], kind)


def _listed(lines: Iterable[Any], kind: str) -> Iterator[str]:
    lines = list(lines)
    if lines:
        yield ""
    yield from (f"- {kind}{safe(line, 300)}" for line in lines)


def _limits(told: Mapping[str, Any]) -> Iterator[str]:
    yield "## Limits"
    yield ""
    yield "- It knows the kind of data it was trained on: on other cameras, places, times or people its score may be far lower."
    if told["classes"]:
        yield "- It always answers with one of its classes, also where none is right. Probabilities are not calibrated."
    else:
        yield "- It gives a value and no interval, and extrapolates badly beyond the values seen in training."
    yield "- Scores are means over all rows; they can differ between groups, which were not looked at."
    yield "- Do not let it alone decide about people's health, rights or safety."


def _use(told: Mapping[str, Any]) -> Iterator[str]:
    name, shape = told["input"]["name"], ", ".join(map(str, told["input"]["shape"]))
    yield "## Use"
    yield ""
    yield "With PyTorch alone, in this folder:"
    yield ""
    yield "```python"
    yield "import torch"
    yield "from model import load"
    yield ""
    yield f"x = torch.zeros(1, {shape})  # raw values, as above"
    yield "with torch.inference_mode():"
    yield "    print(load()(x))"
    yield "```"
    yield ""
    yield "With ONNX Runtime alone:"
    yield ""
    yield "```python"
    yield "import numpy as np"
    yield "import onnxruntime"
    yield ""
    yield 'session = onnxruntime.InferenceSession("model.onnx")'
    yield f'print(session.run(None, {{"{name}": np.zeros((1, {shape}), np.float32)}})[0])'
    yield "```"
    if told["task"].get("inputs") in ("images", "table"):
        yield ""
        yield "With Netwright, from files:"
        yield ""
        yield "```"
        yield f"netwright predict RUN {'photo.png' if told['task']['inputs'] == 'images' else 'rows.csv'}"
        yield "```"


def _files(told: Mapping[str, Any]) -> Iterator[str]:
    yield "## Files"
    yield ""
    yield "| file | bytes | sha256 |"
    yield "|---|---|---|"
    for name, entry in told["files"].items():
        yield f"| {name} | {entry['bytes']:,} | `{entry['sha256']}` |"
