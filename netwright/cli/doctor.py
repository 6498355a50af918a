"""``doctor``: whether this machine and this installation can do the work, and what to do where they cannot."""

from __future__ import annotations

import importlib
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import typer
from rich.text import Text

from netwright.cli.style import console, print_json
from netwright.recipe import environment
from netwright.report.words import counted, duration

__all__ = ["Check", "checks", "doctor"]

DISK_GIB, MEMORY_GIB = 0.5, 1.0
"""Less is a problem: a small run takes some 20 MiB of disk, a worker some 400 MiB of memory."""


@dataclass(frozen=True)
class Check:
    """What was looked at, whether it is well, what was found, and what to do where it is not well."""

    name: str
    ok: bool
    found: str
    todo: str = ""


def doctor(as_json: bool) -> None:
    """Look at everything; ends with exit code 1 where something is wrong."""
    out = console()
    done: list[Check] = []
    for check in checks():
        done.append(check)
        if not as_json:
            mark, colour = ("ok", "green") if check.ok else ("problem", "red")
            out.print(Text.assemble((f"{mark:8}", colour), (f"{check.name:13}", "bold"), check.found), soft_wrap=True)
            if check.todo:
                out.print(Text(f"{'':21}{check.todo}", style="yellow"), soft_wrap=True)
    problems = sum(not check.ok for check in done)
    if as_json:
        print_json({"ok": not problems, "checks": [asdict(check) for check in done]})
    else:
        out.print("\nAll is well." if not problems else f"\n{counted(problems, 'problem')}.", style="bold")
    if problems:
        raise typer.Exit(1)


def checks() -> Iterator[Check]:
    """The checks, one after the other, each made when it is asked for."""
    yield _python()
    for name, check in (
        ("PyTorch", _torch),
        ("ONNX Runtime", _onnxruntime),
        ("Parquet", _parquet),
        ("cores", _cores),
        ("memory", _memory),
        ("runs folder", _folder),
        ("disk", _disk),
        ("self-test", _exercise),
    ):
        yield _made(name, check)


def _made(name: str, check: Callable[[], Check]) -> Check:
    try:
        return check()
    except ImportError as error:
        return Check(name, False, str(error).splitlines()[0], "Install Netwright again: pip install --force-reinstall netwright")
    except Exception as error:  # whatever is wrong is what the doctor is here to say
        told = " ".join(f"{type(error).__name__}: {error}".split())
        return Check(name, False, told[:200], "See the README, or report it.")


def _python() -> Check:
    good = (3, 11) <= sys.version_info[:2] <= (3, 12)
    found = f"{platform.python_version()}, {platform.platform()}"
    return Check("Python", good, found, "" if good else "Use Python 3.11 or 3.12.")


def _torch() -> Check:
    torch = importlib.import_module("torch")
    if not torch.cuda.is_available():
        return Check("PyTorch", True, f"{torch.__version__}, no CUDA device: small networks train on the processor")
    names = ", ".join(torch.cuda.get_device_name(k) for k in range(torch.cuda.device_count()))
    return Check("PyTorch", True, f"{torch.__version__}, CUDA {torch.version.cuda}: {names}")


def _onnxruntime() -> Check:
    runtime = importlib.import_module("onnxruntime")
    onnx = importlib.import_module("onnx")
    return Check("ONNX Runtime", True, f"{runtime.__version__}, onnx {onnx.__version__}")


def _parquet() -> Check:
    try:
        arrow = importlib.import_module("pyarrow")
    except ImportError:
        return Check("Parquet", True, "pyarrow is not installed", "Only for Parquet files: pip install 'netwright[data]'")
    return Check("Parquet", True, f"pyarrow {arrow.__version__}")


def _cores() -> Check:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    busy = load > 0.75 * cores
    found = f"{cores} of {os.cpu_count()}, load {load:.1f}"
    return Check("cores", True, found, "Other work is running: latencies will be noisy and trials slow." if busy else "")


def _memory() -> Check:
    memory = importlib.import_module("psutil").virtual_memory()
    free, total = memory.available / 2**30, memory.total / 2**30
    todo = "" if free >= MEMORY_GIB else f"A worker wants about {MEMORY_GIB:g} GiB: end other programs, or use --workers 1."
    return Check("memory", free >= MEMORY_GIB, f"{free:.1f} GiB free of {total:.1f} GiB", todo)


def _base() -> tuple[Path, Path]:
    """The folder for runs, and the nearest one above it that exists."""
    base = Path(environment("NETWRIGHT_RUNS"))
    there = base.absolute()
    while not there.exists():
        there = there.parent
    return base, there


def _folder() -> Check:
    base, there = _base()
    try:
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as error:
        todo = "Choose another folder with --out or NETWRIGHT_RUNS."
        return Check("runs folder", False, f"{base} cannot be written ({error.strerror})", todo)
    return Check("runs folder", True, f"{base}" if base.exists() else f"{base}, not there yet")


def _disk() -> Check:
    free = shutil.disk_usage(_base()[1]).free / 2**30
    good = free >= DISK_GIB
    return Check("disk", good, f"{free:.1f} GiB free", "" if good else "Make room, or choose another disk with NETWRIGHT_RUNS.")


def _exercise() -> Check:
    """A worker is started and times a small network on ONNX Runtime."""
    began = time.monotonic()
    from netwright import api

    latency, problem = api.self_test()
    if problem:
        return Check("self-test", False, problem, "See whether memory is short or the machine overloaded; else report it.")
    took = duration(time.monotonic() - began)
    return Check("self-test", True, f"a worker started and ran a network in {1000 * latency:.0f} µs, {took} in all")
