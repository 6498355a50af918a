"""What a model card says, as JSON: where the model comes from, what it takes and gives, what was measured, its limits."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from netwright.core.architecture import Architecture
from netwright.export.onnx import names
from netwright.export.verify import ROWS, TOLERANCE
from netwright.layers.counts import count
from netwright.nets.graph import OPSET

__all__ = ["facts_of", "metadata", "tested", "title"]


def title(task: Any) -> str:
    """``digits: classification into 10 classes``, from a name that may hold anything."""
    name = " ".join("".join(letter if letter.isalnum() or letter in " -_." else " " for letter in task.name).split())[:60]
    return f"{name or 'task'}: {f'classification into {len(task.classes)} classes' if task.classes else 'regression'}"


def metadata(task: Any) -> dict[str, str]:
    """What is stored inside an ONNX file."""
    return {"netwright": _version("netwright"), "task": title(task), "classes": json.dumps(list(task.classes))}


def facts_of(
    shipped: Architecture,
    architecture: Architecture,
    task: Any,
    facts: Mapping[str, Any],
    measured: Mapping[str, Any],
    files: Mapping[str, Any],
) -> dict[str, Any]:
    """The content of ``card.json``. ``measured``: parity, latency and the like; ``files``: sizes and digests."""
    told = task.describe()
    raw = task.frame.raw
    inputs, outputs = names(raw)
    return {
        "netwright": _version("netwright"),
        "title": title(task),
        "architecture": architecture.id,
        "task": told,
        "classes": list(task.classes),
        "input": {"name": inputs[0], **raw.inputs[0][1].to_json(), "values": _values(told)},
        "output": {"name": outputs[0], **raw.heads[0][1].to_json(), "values": _outputs(task, told)},
        "counts": count(shipped, raw).values,
        "test": tested(architecture, facts),
        "found": _found(facts),
        **{name: value for name, value in measured.items() if name in ("parity", "int8")},
        "rows_compared": f"up to {ROWS} train and validation rows, within {TOLERANCE:g}",
        "latency": {name: value for name, value in measured.items() if name not in ("parity", "int8")},
        "measured_on": {
            "processor": _processor(),
            "platform": platform.platform(),
            **{name: _version(name) for name in ("onnxruntime", "onnx", "torch")},
            "opset": OPSET,
        },
        "files": dict(files),
    }


def _values(told: Mapping[str, Any]) -> str:
    """What the numbers of the input are, in words."""
    if told.get("inputs") == "images":
        image = told["image"]
        bounds = image.get("range", "as stored")
        if isinstance(bounds, list):
            bounds = f"{bounds[0]:g}…{bounds[1]:g} as stored"
        return f"pixel values {bounds}, as float32, channels first; normalisation is inside the network"
    if told.get("inputs") == "table":
        return (
            "one for each column, in the order of the columns below: a number as it is, a date as days since 1970-01-01, "
            "a category as its code (any code that is not listed: unknown), a missing cell as NaN; "
            "scaling and one-hot coding are inside the network"
        )
    return "what the task's own batches hold"


def _outputs(task: Any, told: Mapping[str, Any]) -> str:
    if task.classes:
        return "logits in the order of the classes below; softmax of them gives probabilities"
    return f"the value of {(told.get('target') or {}).get('name', 'the target')}, in the unit of the data"


def tested(architecture: Architecture, facts: Mapping[str, Any]) -> dict[str, Any] | None:
    """The sealed score, where it is this network's: only the winner is tested."""
    winner = (facts.get("control") or {}).get("winner") or {}
    test: dict[str, Any] | None = facts.get("test")
    return test if test and test.get("score") is not None and winner.get("id") == architecture.id else None


def _found(facts: Mapping[str, Any]) -> dict[str, Any]:
    recipe, spent = facts.get("recipe") or {}, facts.get("spent") or {}
    kept = ("strategy", "space", "estimator", "objectives", "limits", "budget", "seed")
    return {
        **{name: recipe[name] for name in kept if recipe.get(name) not in (None, "", [], {})},
        **{name: (facts.get("space") or {})[name] for name in ("digest",) if name in (facts.get("space") or {})},
        **{name: spent[name] for name in ("trials", "search_s") if spent.get(name) is not None},
        **{name: (facts.get("control") or {})[name] for name in ("verdict",) if (facts.get("control") or {}).get(name)},
    }


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.is_file() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
