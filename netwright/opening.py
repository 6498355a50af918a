"""From a recipe to an open session: the data, the parts, the folder, the lock, the log and the workers."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import platform
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, TypeVar

from netwright import compose
from netwright.core.architecture import Answer, Architecture, Node, Signature, Tensor, trace_from_json
from netwright.core.contracts import Event, Job, Runner, Store, Strategy, Task, why
from netwright.core.picks import replayed, sample
from netwright.core.seeds import stream
from netwright.core.trial import Proposal
from netwright.errors import DataError, RecipeError, RunError
from netwright.forecast import settings
from netwright.loop import Ledger
from netwright.recipe import Recipe, environment
from netwright.registry import part
from netwright.session import Session

__all__ = [
    "OpenRun",
    "checked",
    "creation",
    "events_of",
    "exercise",
    "fill_folder",
    "find_run",
    "held",
    "loaded",
    "locked",
    "machine",
    "memory_store",
    "new_run",
    "opened",
    "prestart",
    "raw_inputs",
    "read_trace",
    "runs",
    "self_test",
    "start_with",
    "strategy",
    "tidy",
    "version_of",
    "with_log",
    "workers",
]

T = TypeVar("T")

PRELOAD = (
    "torch",
    "netwright.compose",
    "netwright.tasks.load",
    "netwright.estimators.train",
    "sklearn.ensemble",
    "sklearn.linear_model",
    "sklearn.svm",
)
"""What each worker needs and the fork server loads once. Not ONNX Runtime: it starts a thread, and a process with threads
should not fork."""


# ---- data and parts ---------------------------------------------------------------------------------------------------


def prestart() -> None:
    """Have the fork server load what workers need while this process reads the data."""
    importlib.import_module("netwright.runners.local").fork_server(PRELOAD, 1)


def loaded(recipe: Recipe, data: Any, test: Any, ledger: Ledger) -> Any:
    ledger.turn("imports")
    load = importlib.import_module("netwright.tasks.load").load
    for name in ("netwright.nets.graph", "netwright.nets.net", "netwright.stores.sqlite", "onnxruntime", "sklearn.datasets"):
        importlib.import_module(name)
    ledger.turn("data")
    if data is None and not recipe.data:
        raise DataError("the data was an object of another process", todo="Give it again: resume(run, data=…).")
    brought = recipe.data if data is None else data
    options = recipe.of("task")
    task = load(
        brought,
        target=recipe.target or None,
        test=recipe.test or test,
        split_by=recipe.split_by or None,
        seed=recipe.seed,
        task=options.pop("kind", None),
        options=options,
    )
    ledger.turn("idle")
    return task


def checked(recipe: Recipe, task: Task) -> tuple[Any, Any, Any]:
    goal = compose.build_goal(recipe)
    settings(recipe)  # raises for what cannot be
    problems = compose.check(recipe, task)
    if problems:
        raise RecipeError("; ".join(problems))
    space, screener = compose.build_space(recipe, task.signature, task.frame, goal)
    strategy(recipe, space, goal)  # raises for a setting that cannot be
    _ = sample(space, stream(recipe.seed, 0, "feasible")).nodes  # raises, where none is, before any folder is made
    return goal, space, screener


def strategy(recipe: Recipe, space: Any, goal: Any) -> Strategy:
    """Made again when the forecast has told how long trials are."""
    estimator = compose.build_estimator(recipe)
    prospect = estimator.prospect(goal, trials=recipe.budget.trials, slots=recipe.workers or 1)
    return compose.build_strategy(recipe, space, goal, prospect)


def start_with(recipe: Recipe, space: Any) -> list[Proposal]:
    """The architecture to start with."""
    if not recipe.start_with:
        return []
    path = Path(recipe.start_with)
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        trace = told["trace"]
    except OSError as error:
        raise RecipeError(
            f"cannot be read ({error.strerror})", where=str(path), todo="Give an architecture.json of an export."
        ) from None
    except (ValueError, KeyError, TypeError):
        raise RecipeError("is not an architecture", where=str(path), todo="Give an architecture.json of an export.") from None
    return [Proposal(replayed(space, read_trace(trace)), notes={"start_with": str(path)})]


def read_trace(data: Any) -> dict[str, Answer]:
    """A trace as the log and ``architecture.json`` hold it."""
    return dict(trace_from_json(data))


# ---- the folder -------------------------------------------------------------------------------------------------------


def _new_folder(recipe: Recipe, task: Task, out: Path | str | None) -> Path:
    folders = importlib.import_module("netwright.stores.folders")
    if out is None:
        made: Path = folders.new_run_folder(Path(environment("NETWRIGHT_RUNS")), task.name)
        return made
    folder = Path(out)
    if folder.exists() and any(folder.iterdir() if folder.is_dir() else [folder]):
        raise RunError("there is something in it already", where=str(folder), todo="Choose an empty or new folder with --out.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(
            f"the folder cannot be made ({error.strerror})", where=str(folder), todo="Choose another with --out."
        ) from None
    return folder


def locked(folder: Path) -> Any:
    """Hold the run: nobody else may work on it meanwhile. A context manager."""
    return importlib.import_module("netwright.stores.lock").RunLock(folder)


@contextlib.contextmanager
def new_run(recipe: Recipe, task: Task, out: Path | str | None) -> Iterator[tuple[Path, Store]]:
    """A new run's folder and store, held for this process. What fails before anything is on record leaves no folder behind."""
    folder = _new_folder(recipe, task, out)
    begun = False
    try:
        with (
            locked(folder),
            contextlib.closing(importlib.import_module("netwright.stores.sqlite").SqliteStore(folder, create=True)) as store,
        ):
            try:
                yield folder, store
            finally:
                begun = any(event.kind == "created" for event in store.events())
    finally:
        if not begun:
            shutil.rmtree(folder, ignore_errors=True)


def memory_store() -> Store:
    """A log that nobody keeps."""
    store: Store = importlib.import_module("netwright.stores.memory").MemoryStore()
    return store


def find_run(run: Path) -> Path:
    """The run's folder, or a :class:`RunError` with the name that may have been meant."""
    found: Path = importlib.import_module("netwright.stores.folders").find_run(run)
    return found


def runs(base: Path) -> list[Path]:
    """The run folders in ``base``."""
    found: list[Path] = importlib.import_module("netwright.stores.folders").list_runs(base)
    return found


def held(folder: Path) -> bool:
    """Whether somebody works on the run now."""
    return bool(importlib.import_module("netwright.stores.lock").held(folder))


def events_of(folder: Path) -> list[Event]:
    """The log of a run, opened for reading."""
    return with_log(folder, lambda store: list(store.events()))


def raw_inputs(task: Mapping[str, Any], files: Sequence[Path]) -> tuple[list[str], Any]:
    """Names and raw inputs of the images or rows in files, read as the task's own were. ``task``: its description."""
    names, raw = importlib.import_module("netwright.tasks.raw").encode_inputs(task, files)
    return list(names), raw


def with_log(folder: Path, use: Callable[[Any], T]) -> T:
    """Call ``use`` with the run's store, opened for reading."""
    store = importlib.import_module("netwright.stores.sqlite").SqliteStore(folder, readonly=True)
    try:
        return use(store)
    finally:
        store.close()


class OpenRun:
    """The lock and the log of an existing run, as a context manager."""

    def __init__(self, folder: Path) -> None:
        self.folder = find_run(folder)

    def __enter__(self) -> Store:
        self.lock = locked(self.folder)
        try:
            store: Store = importlib.import_module("netwright.stores.sqlite").SqliteStore(self.folder)
        except BaseException:
            self.lock.release()
            raise
        self.store = store
        return store

    def __exit__(self, *error: object) -> None:
        self.store.close()
        self.lock.release()


def fill_folder(folder: Path, recipe: Recipe, task: Any) -> None:
    """What a run folder holds besides its log: recipe, splits, and the rows for the workers, test rows removed."""
    write_text = importlib.import_module("netwright.stores.folders").write_text
    write_text(folder / "recipe.toml", recipe.to_toml())
    write_text(folder / "splits.json", json.dumps(task.splits()))
    if task.travels:
        task.without_test().save(folder / "data")


def tidy(folder: Path) -> None:
    """The rows for the workers are copies; a finished run needs them no more."""
    shutil.rmtree(folder / "data", ignore_errors=True)


def creation(recipe: Recipe, task: Task, space: Any, strategy: Strategy) -> dict[str, Any]:
    return {
        "version": version_of("netwright"),
        "recipe": recipe.to_json(),
        "space": space.to_json(),
        "signature": task.signature.to_json(),
        "frame": task.frame.to_json(),
        "task": {**task.describe(), "kind": task.kind, "name": task.name, "classes": list(task.classes)},
        "strategy_why": why(strategy, recipe.budget.trials),
        "seed": recipe.seed,
        "workers": recipe.workers,
        "machine": machine(),
    }


def machine() -> dict[str, Any]:
    """What this machine and its software are."""
    import psutil

    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        names = [line.partition(":")[2].strip() for line in info.read_text().splitlines() if line.startswith("model name")]
        cpu = names[0] if names else cpu
    return {
        "cpu": cpu,
        "cores": workers(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "platform": platform.platform(),
        "python": platform.python_version(),
        "netwright": version_of("netwright"),
        **{name: version_of(name) for name in ("torch", "numpy", "scikit-learn", "onnx", "onnxruntime")},
    }


def version_of(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


# ---- workers and the session ------------------------------------------------------------------------------------------


def workers() -> int:
    """One for each core: `benchmarks/throughput.py` measures why not one with many threads."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _runner(recipe: Recipe, folder: Path, task: Any) -> Runner:
    argument = {"recipe": recipe.to_json(), "folder": str(folder.resolve())}
    if not task.travels:
        compose.HERE[str(folder)] = task
        inline: Runner = importlib.import_module("netwright.runners.inline").InlineRunner(
            "netwright.compose:worker", {**argument, "task": str(folder)}
        )
        return inline
    process = importlib.import_module("netwright.runners.process")
    memory = environment("NETWRIGHT_MEMORY_GIB")
    runner: Runner = process.ProcessRunner(
        "netwright.compose:worker", argument, recipe.workers or workers(), float(memory) if memory else None, preload=PRELOAD
    )
    return runner


@contextlib.contextmanager
def opened(
    recipe: Recipe,
    folder: Path,
    task: Any,
    store: Store,
    ledger: Ledger,
    *,
    seconds: float | None = None,
    began: float = 0.0,
    tell: Callable[[Event], None] = lambda event: None,
    log: Sequence[Event] = (),
) -> Iterator[Session]:
    """A session with its workers, which end with it. ``seconds``: of the budget, counted from ``began`` (since the epoch)."""
    goal, space, screener = checked(recipe, task)
    runner = _runner(recipe, folder, task)
    try:
        yield Session(
            recipe,
            folder,
            task,
            space,
            goal,
            strategy(recipe, space, goal),
            compose.build_estimator(recipe),
            store,
            runner,
            ledger,
            None if seconds is None else time.monotonic() + seconds - (time.time() - began),
            tell,
            (lambda: screener.turned_away) if screener else (lambda: 0),
            list(log),
        )
    finally:
        runner.close()


# ---- the self-test ----------------------------------------------------------------------------------------------------


def self_test(within_s: float = 60.0) -> tuple[float, str]:
    """Start a worker that times a small network on ONNX Runtime: its latency in milliseconds, or 0 and what went wrong."""
    job = Job("self-test", "trial", {}, within_s)
    runner = importlib.import_module("netwright.runners.process").ProcessRunner(f"{__name__}:exercise", {}, 1, preload=())
    try:
        runner.submit(job)
        end = time.monotonic() + within_s
        while time.monotonic() < end:
            for arrival in runner.arrivals(0.5):
                if arrival.kind == "finished":
                    return float(arrival.body["latency_ms"]), ""
                if arrival.kind != "measured":
                    return 0.0, f"the worker's job {arrival.kind}: {arrival.reason}"
    finally:
        runner.close()
    return 0.0, f"the worker did not answer within {within_s:.0f} s"


def exercise(argument: Mapping[str, Any]) -> Callable[[str, Mapping[str, Any]], Iterator[dict[str, Any]]]:
    """What the worker of the self-test calls."""
    signature = Signature((("x", Tensor((8,))),), (("y", Tensor((2,))),))
    small = Architecture((Node("linear", (-1,), (("bias", True), ("units", 2)), "0"),), (0,))

    def work(kind: str, body: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        values = part("devices", "cpu")().profile(small, signature).values
        yield {"kind": "finished", "body": {"latency_ms": values["latency_ms"]}}

    return work
