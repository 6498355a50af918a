"""Writes ``model/``: architecture, stand-alone PyTorch, ONNX, and a card that says what they are; proved before it is kept."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import CodeType
from typing import Any

import safetensors.torch
import torch
from torch import nn

from netwright.core.architecture import Architecture, framed
from netwright.errors import RunError
from netwright.export import card, page, verify
from netwright.export.int8 import quantised
from netwright.export.onnx import to_onnx, warm
from netwright.nets.net import Net
from netwright.nets.source import source_tensors, to_source

__all__ = ["export_model", "loaded", "warm"]


def export_model(
    folder: Path, architecture: Architecture, task: Any, blob: bytes, facts: Mapping[str, Any], device: Any, *, int8: bool = False
) -> dict[str, Any]:
    """Write the model folder and return what the log is to say of it.

    ``blob``: the trained weights as safetensors; ``facts``: what is known of the run, as JSON. What stands in ``folder`` is
    replaced once the new files are proved to agree. Raises :class:`NetwrightError` where they do not.
    """
    began = time.perf_counter()
    made = _Networks.built(architecture, task, blob)
    with _replacing(folder) as place, torch.random.fork_rng(devices=()):
        (place / "architecture.json").write_text(_json(_described(architecture, task, facts)), **_TEXT)
        (place / "model.py").write_text(_source(made.shipped, task), **_TEXT)
        (place / "model.safetensors").write_bytes(safetensors.torch.save(source_tensors(made.shipped, made.framed.tensors())))
        alone = _imported(place)
        onnx = to_onnx(alone, task.frame.raw, card.metadata(task))
        (place / "model.onnx").write_bytes(onnx)
        raw = verify.real_rows(task)
        run = verify.of_onnx(onnx)
        runs = {"net": verify.of_torch(made.framed), "model.py": verify.of_torch(alone), "model.onnx": run}
        parity = {"trained_vs_net": verify.check_frame(made.trained, made.framed, task), **verify.check(runs, raw, task)}
        measured: dict[str, Any] = {"parity": parity, **_latency(device, onnx, task)}
        if int8:
            measured["int8"] = _int8(place, onnx, run, task, device)
        told = card.facts_of(made.shipped, architecture, task, facts, measured, _files(place))
        (place / "card.json").write_text(_json(told), **_TEXT)
        (place / "README.md").write_text(page.text(told), **_TEXT)
        sizes = {name: entry["bytes"] for name, entry in _files(place).items()}
    return {"folder": folder.name, "files": sizes, **measured, "seconds": round(time.perf_counter() - began, 3)}


def loaded(folder: Path | str) -> nn.Module:
    """The network of a model folder, by running its ``model.py``: as safe as whoever wrote that folder.

    Raises :class:`RunError` where a file is missing or not the one that was exported.
    """
    place = Path(folder)
    try:
        files = json.loads((place / "card.json").read_text(encoding="utf-8"))["files"]
        for name in ("model.py", "model.safetensors"):
            if _digest(place / name) != files[name]["sha256"]:
                raise RunError(f"{name} is not the file that was exported", where=str(place), todo=_AGAIN)
    except OSError as error:
        raise RunError(f"there is no exported model ({error.strerror})", where=str(place), todo=_AGAIN) from None
    except (ValueError, KeyError, TypeError):
        raise RunError("its card.json is damaged", where=str(place), todo=_AGAIN) from None
    return _imported(place)


_AGAIN = "Use `netwright export` again."

_TEXT: Any = {"encoding": "utf-8", "errors": "backslashreplace"}
"""Half a character, as in names of files in an unknown encoding, is an escape in JSON and in Python alike."""


@dataclass(frozen=True)
class _Networks:
    """The network as it was trained, as it ships (between raw inputs and final outputs), and the architecture of the latter."""

    trained: Net
    framed: Net
    shipped: Architecture

    @classmethod
    def built(cls, architecture: Architecture, task: Any, blob: bytes) -> _Networks:
        weights = safetensors.torch.load(blob)
        shipped = framed(architecture, task.frame)
        trained, whole = Net(architecture, task.signature).eval(), Net(shipped, task.frame.raw).eval()
        trained.load_tensors(weights)
        constants = whole.tensors()  # those of the frame come with it
        whole.load_tensors({**constants, **weights})
        return cls(trained, whole, shipped)


def _described(architecture: Architecture, task: Any, facts: Mapping[str, Any]) -> dict[str, Any]:
    """The space's architecture, and what stands around it."""
    space = facts.get("space") or {}
    return {
        **architecture.to_json(),
        "signature": task.signature.to_json(),
        "frame": task.frame.to_json(),
        "space": {name: space[name] for name in ("name", "digest") if name in space},
    }


def _source(shipped: Architecture, task: Any) -> str:
    """``model.py``. Names that come from the data appear as literals only."""
    text = to_source(shipped, task.frame.raw, title=f"{card.title(task)}. A network found by Netwright.")
    if not task.classes:
        return text
    lines = "".join(f"    {name!r},\n" for name in task.classes)  # repr: a name stays a name
    return f'{text}\n\nCLASSES = (\n{lines})\n"""In the order of the outputs."""\n'


class _Fresh(SourceFileLoader):
    """Runs the text of a file as it is: no compiled copy is read, and none is left beside it."""

    def get_code(self, fullname: str) -> CodeType:
        code: CodeType = self.source_to_code(self.get_data(self.path), self.path)
        return code


def _imported(folder: Path) -> nn.Module:
    """``load()`` of the folder's ``model.py``, which enters no list of modules."""
    path = str(folder / "model.py")
    spec = spec_from_loader("netwright_exported_model", _Fresh("netwright_exported_model", path))
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    model: nn.Module = module.load(folder)
    return model


def _latency(device: Any, onnx: bytes, task: Any) -> dict[str, Any]:
    measured = device.timed(onnx, task.frame.raw)
    notes = {name: measured.notes[name] for name in ("latency_p25", "latency_p75", "runs", "threads") if name in measured.notes}
    return {"latency_ms": measured.values["latency_ms"], **notes}


def _int8(place: Path, onnx: bytes, run: verify.Run, task: Any, device: Any) -> dict[str, Any]:
    """Write the quantised model; its score, size and latency beside the float one's."""
    small = quantised(onnx, verify.training_rows(task))
    (place / "model.int8.onnx").write_bytes(small)
    metric = task.metrics()[0]
    score, float_score = (verify.score(task, one, "validation").get(metric) for one in (verify.of_onnx(small), run))
    return {
        "metric": metric,
        "score": score,
        "float_score": float_score,
        "rows": len(task.rows("validation")[1]),
        "bytes": len(small),
        "float_bytes": len(onnx),
        **_latency(device, small, task),
    }


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _files(place: Path) -> dict[str, dict[str, Any]]:
    return {path.name: {"bytes": path.stat().st_size, "sha256": _digest(path)} for path in sorted(place.iterdir())}


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


@contextmanager
def _replacing(folder: Path) -> Iterator[Path]:
    """A new folder that takes the place of ``folder`` when all of it is written, or vanishes with the error."""
    if folder.exists() and not (folder.is_dir() and ((folder / "card.json").exists() or not any(folder.iterdir()))):
        raise RunError("there is something else in it", where=str(folder), todo="Move it away first.")
    prefix = f".netwright-{folder.name}-"
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        for stray in folder.parent.glob(f"{prefix}*"):  # of an export that was killed
            shutil.rmtree(stray, ignore_errors=True)
        place = Path(tempfile.mkdtemp(prefix=prefix, dir=folder.parent))
    except OSError as error:
        raise RunError(f"the model cannot be written ({error.strerror})", where=str(folder), todo=_AGAIN) from None
    old = place.with_name(f"{place.name}-old")
    try:
        yield place
        place.chmod(0o755)
        if folder.exists():
            os.replace(folder, old)
        os.replace(place, folder)
    except OSError as error:
        if old.exists() and not folder.exists():
            os.replace(old, folder)
        raise RunError(f"the model cannot be written ({error.strerror or error})", where=str(folder), todo=_AGAIN) from error
    finally:
        shutil.rmtree(place, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)
