"""``search()``, ``resume()``, ``export()``, ``report()`` and :class:`Run`: what the command line and a notebook call."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import platform
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, TypeVar

from netwright import compose, control
from netwright.core.architecture import Architecture
from netwright.core.contracts import Event, Need, Runner, Task
from netwright.core.picks import replayed, sample
from netwright.core.seeds import stream
from netwright.core.trial import Proposal
from netwright.errors import DataError, RecipeError, RunError
from netwright.forecast import Forecast, forecast, settings
from netwright.recipe import Budget, Recipe, environment, parse_budget
from netwright.registry import part
from netwright.report.facts import Facts, facts
from netwright.search import Ledger, Loop, read_history
from netwright.session import Session

__all__ = ["Best", "Run", "dry_run", "export", "report", "resume", "run_recipe", "search", "version_of"]

T = TypeVar("T")
Tell = Callable[[Event], None]

DEFAULT_BUDGET = Budget(seconds=300.0)


def version_of(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


# ---- what a person holds afterwards -----------------------------------------------------------------------------------


class Best:
    """The winner of a run, or the best so far."""

    def __init__(self, run: Run, body: Mapping[str, Any]) -> None:
        self._run = run
        self.trial: int = body["trial"]
        self.metrics: dict[str, float] = dict(body["metrics"])
        self.limits_met: bool = body["limits_met"]

    @property
    def architecture(self) -> Architecture:
        return self._run.architecture(self.trial)

    def model(self) -> Any:
        """The trained network from raw inputs to outputs, as a ``torch.nn.Module`` in eval mode; exported if it was not."""
        folder = self._run.folder / "model"
        if not (folder / "model.py").is_file():
            self._run.export()
        return importlib.import_module("netwright.export.write").loaded(folder)

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value:.4g}" for name, value in self.metrics.items() if name != "train_loss")
        return f"Best(trial={self.trial}, {shown})"


class Run:
    """One search, in its folder. Everything it tells is read from the log."""

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        with_log(self.folder, lambda store: None)  # raises where it is no run

    def events(self) -> list[Event]:
        return with_log(self.folder, lambda store: list(store.events()))

    @property
    def facts(self) -> Facts:
        lock = importlib.import_module("netwright.stores.lock")
        return facts(self.events(), running=lock.held(self.folder))

    @property
    def best(self) -> Best | None:
        """The winner; while there is none, the best so far; None where no trial has finished."""
        found = self.facts.best
        return Best(self, found) if found else None

    @property
    def front(self) -> list[dict[str, Any]]:
        """The trials that no other is better than in every objective."""
        return self.facts.front

    def architecture(self, number: int) -> Architecture:
        """The architecture of a trial."""
        created, proposed = _created(self.events()), [e for e in self.events() if e.kind == "proposed"]
        for event in proposed:
            if event.body["number"] == number:
                space, _ = compose.build_space(Recipe.from_json(created["recipe"]), _signed(created), None)
                return replayed(space, _trace(event.body["trace"]))
        raise RunError(f"it has no trial {number}", where=str(self.folder), todo=f"Trials: 0 to {len(proposed) - 1}.")

    def export(self, *, trial: int | None = None, int8: bool = False, data: Any = None) -> Path:
        return export(self, trial=trial, int8=int8, data=data)

    def report(self) -> Path:
        return report(self)

    def __repr__(self) -> str:
        return f"Run({str(self.folder)!r}, state={self.facts.state!r})"


def with_log(folder: Path, use: Callable[[Any], T]) -> T:
    """Call ``use`` with the run's store, opened for reading."""
    store = importlib.import_module("netwright.stores.sqlite").SqliteStore(folder, readonly=True)
    try:
        return use(store)
    finally:
        store.close()


class _Signed:
    """As much of a task as building its space takes: kept in the log, so that the data need not be read."""

    def __init__(self, signature: Any, offers: frozenset[Need]) -> None:
        self.signature, self.offers = signature, offers


def _signed(created: Mapping[str, Any]) -> Any:
    from netwright.core.architecture import Signature

    return _Signed(Signature.from_json(created["signature"]), frozenset())


def _trace(data: Mapping[str, Any]) -> dict[str, Any]:
    from netwright.core.architecture import trace_from_json

    return dict(trace_from_json(data))


def _created(events: Sequence[Event]) -> Mapping[str, Any]:
    for event in events:
        if event.kind == "created":
            return event.body
    raise RunError("its log holds no beginning", todo="Start again with `netwright search`.")


# ---- searching --------------------------------------------------------------------------------------------------------


def search(
    data: Any,
    *,
    objectives: Sequence[str] = (),
    limits: Sequence[str] = (),
    budget: str | Sequence[str] = (),
    target: str = "",
    test: Any = None,
    split_by: str = "",
    space: str = "",
    strategy: str = "evolution",
    estimator: str = "train",
    device: str = "cpu",
    seed: int = 0,
    workers: int = 0,
    out: Path | str | None = None,
    options: Mapping[str, Mapping[str, Any]] | None = None,
    start_with: Path | str = "",
    tell: Tell = lambda event: None,
) -> Run:
    """Search for a network for ``data``; returns when the budget is spent and the winner is trained, tested and exported.

    ``data``: a bundled name (``"digits"``), a path (a folder of images, CSV, Parquet, .npz), arrays ``(x, y)``, a pair of
    ``torch.utils.data.Dataset``, or a :class:`~netwright.core.contracts.Task`. ``objectives``: metrics besides the task's
    score. ``limits``: ``"params<=20k"``. ``budget``: ``"90s"``, ``"200 trials"`` or both; five minutes where it is not given.
    Raises a :class:`~netwright.errors.UserError` for what can be mended.
    """
    given = parse_budget(*([budget] if isinstance(budget, str) else budget)) if budget else DEFAULT_BUDGET
    named = isinstance(data, (str, Path))
    recipe = Recipe(
        data=str(data) if named else "",
        target=target,
        test=str(test) if isinstance(test, (str, Path)) else "",
        split_by=split_by,
        space=space,
        strategy=strategy,
        estimator=estimator,
        device=device,
        objectives=tuple(objectives),
        limits=tuple(limits),
        budget=given,
        seed=seed,
        workers=workers,
        start_with=str(start_with),
        options=options or {},
    ).checked()
    return run_recipe(recipe, data=None if named else data, test=None if recipe.test else test, out=out, tell=tell)


def run_recipe(
    recipe: Recipe,
    *,
    data: Any = None,
    test: Any = None,
    out: Path | str | None = None,
    tell: Tell = lambda event: None,
    started: float | None = None,
) -> Run:
    """Run a recipe. ``data`` and ``test`` where they are objects of this process; ``started``: when the budget began (seconds
    since the epoch)."""
    ledger = Ledger()
    began = time.time() if started is None else started
    _prestart()
    task = _loaded(recipe, data, test, ledger)
    recipe = compose.resolve(recipe, task)
    goal, space, screener = _checked(recipe, task)
    first = _first(recipe, space)
    folder = _new_folder(recipe, task, out)
    with _locked(folder):
        store = importlib.import_module("netwright.stores.sqlite").SqliteStore(folder, create=True)
        recipe = replace(recipe, workers=recipe.workers or _workers())
        runner = _runner(recipe, folder, task)
        try:
            _begin_folder(folder, recipe, task)
            strategy = compose.build_strategy(recipe, space, goal)
            session = Session(
                recipe, folder, task, space, goal, strategy, compose.build_estimator(recipe), store, runner, ledger,
                _deadline(recipe.budget, began), tell, (lambda: screener.turned_away) if screener else (lambda: 0),
            )  # fmt: skip
            session.write("created", **_creation(recipe, task, space))
            session.write("session", pid=os.getpid(), resumed=False, started=began, budget=_budget(recipe.budget))
            with _noted(session):
                _work(session, first, began)
        finally:
            runner.close()
            store.close()
    return Run(folder)


def resume(
    run: Run | Path | str,
    *,
    budget: str = "",
    data: Any = None,
    test: Any = None,
    tell: Tell = lambda event: None,
    started: float | None = None,
) -> Run:
    """Go on with a run that was interrupted, or extend a finished one with ``budget="+10m"``."""
    ledger = Ledger()
    began = time.time() if started is None else started
    folder = Path(run.folder if isinstance(run, Run) else run)
    with _opened(folder) as store:
        events = list(store.events())
        created = _created(events)
        recipe = Recipe.from_json(created["recipe"])
        more = parse_budget(budget) if budget else Budget()
        over = bool(events) and any(event.kind == "finished" for event in this_round(events))
        if over and not budget:
            raise RunError("the run is finished", where=str(folder), todo="Extend it with --budget +5m.")
        spent = _spent(events)
        total = _extended(events, more, spent) if over else _total(recipe.budget, events).extended(more)
        task = _loaded(recipe, data, test, ledger)
        if task.describe().get("fingerprint") != created["task"].get("fingerprint"):
            raise DataError(
                "the data has changed since the run began", where=recipe.data, todo="Put it back, or start a new search."
            )
        goal, space, screener = _checked(recipe, task)
        if space.digest != created["space"]["digest"]:
            raise RunError(f"space {recipe.space} has changed since the run began", where=str(folder), todo="Start a new search.")
        _begin_folder(folder, recipe, task)
        left = Budget(None if total.seconds is None else total.seconds - spent, total.trials)
        runner = _runner(recipe, folder, task)
        try:
            strategy = compose.build_strategy(recipe, space, goal)
            session = Session(
                replace(recipe, budget=total), folder, task, space, goal, strategy, compose.build_estimator(recipe), store, runner,
                ledger, _deadline(left, began), tell, (lambda: screener.turned_away) if screener else (lambda: 0), events,
            )  # fmt: skip
            session.write("session", pid=os.getpid(), resumed=True, started=began, budget=_budget(total), extended=over)
            session.log[:] = this_round(session.log)
            with _noted(session):
                _work(session, _first(recipe, space), began, spent)
        finally:
            runner.close()
    return Run(folder)


def dry_run(recipe: Recipe, *, data: Any = None, test: Any = None) -> Forecast:
    """The forecast only: nothing is left behind."""
    import tempfile

    with tempfile.TemporaryDirectory(prefix="netwright-") as place:
        ledger = Ledger()
        began = time.time()
        task = _loaded(recipe, data, test, ledger)
        recipe = compose.resolve(recipe, task)
        goal, space, _ = _checked(recipe, task)
        recipe = replace(recipe, workers=recipe.workers or _workers())
        folder = Path(place)
        runner = _runner(recipe, folder, task)
        store = importlib.import_module("netwright.stores.memory").MemoryStore()
        try:
            _begin_folder(folder, recipe, task)
            strategy = compose.build_strategy(recipe, space, goal)
            session = Session(
                recipe, folder, task, space, goal, strategy, compose.build_estimator(recipe), store, runner, ledger,
                _deadline(recipe.budget, began),
            )  # fmt: skip
            return forecast(session)
        finally:
            runner.close()


# ---- the way of a run -------------------------------------------------------------------------------------------------


def _work(session: Session, first: list[Proposal], began: float, before: float = 0.0) -> None:
    """Forecast, search, fix the winner, train the control arm, open the test, export, report. Each step that the log holds
    already is not done again."""
    planned = _forecast(session)
    closing = 0.0 if session.deadline is None else planned.final_s
    history = read_history(session.log, session.space)
    if not session.of("winner"):
        loop = Loop(
            session.space, session.goal, session.strategy, session.runner, session.store, history, planned.fidelity,
            session.recipe.budget.trials, None if session.deadline is None else session.deadline - closing,
            _limit_s(planned), first, session.screened, session.ledger, session.noted,
        )  # fmt: skip
        reason = loop.run()
        session.write("stopped", reason=reason, text=_STOPPED[reason])
    winner, values = control.choose(session, history.finished)
    until = None if session.deadline is None else session.deadline - 0.6 * closing_s()
    control.train_arms(session, winner, values, planned, until)
    if not session.of("result"):
        control.unseal(session, None if session.deadline is None else session.deadline - 0.45 * closing_s())
    session.ledger.turn("export")
    _export(session.folder, session.task, session.store, session.log, winner.architecture, session.write)
    session.ledger.turn("report")
    spent = session.ledger.totals()
    wall = time.time() - began + before
    overhead = spent.get("idle", 0.0) + spent.get("start", 0.0) + spent.get("data", 0.0)
    session.write(
        "finished", wall_s=round(wall, 2), search_s=round(spent.get("busy", 0.0), 2), overhead_s=round(overhead, 2),
        trials=len(history.ended), spent=spent,
    )  # fmt: skip
    write_report(session.folder, session.log)
    _tidy(session.folder)


@contextlib.contextmanager
def _noted(session: Session) -> Iterator[None]:
    """Put on record that a person stopped it."""
    try:
        yield
    except KeyboardInterrupt:
        session.write("stopped", reason="interrupted", text="stopped by hand")
        raise


_STOPPED = {
    "deadline": "the time for searching was up",
    "trials": "all trials of the budget were made",
    "done": "the strategy had nothing more to try",
}


def closing_s() -> float:
    from netwright.forecast import CLOSING_S

    return CLOSING_S


def _forecast(session: Session) -> Forecast:
    told = session.of("forecast")
    if told:
        return Forecast.from_json(dict(told[-1].body))
    planned = forecast(session)
    session.write("forecast", **planned.to_json())
    return planned


def _limit_s(planned: Forecast) -> float:
    """Seconds after which a trial is taken to hang: twenty times what one takes, at least half a minute."""
    return max(30.0, 20.0 * planned.trial_s)


def _loaded(recipe: Recipe, data: Any, test: Any, ledger: Ledger) -> Any:
    ledger.turn("imports")
    load = importlib.import_module("netwright.tasks.load").load
    for name in ("netwright.nets.graph", "netwright.nets.net", "netwright.stores.sqlite", "onnxruntime", "sklearn.datasets"):
        importlib.import_module(name)
    ledger.turn("data")
    if data is None and not recipe.data:
        raise DataError("the data was an object of another process", todo="Give it again: resume(run, data=…).")
    brought = recipe.data if data is None else data
    task = load(
        brought,
        target=recipe.target or None,
        test=recipe.test or test,
        split_by=recipe.split_by or None,
        seed=recipe.seed,
        options=recipe.of("task"),
    )
    ledger.turn("idle")
    return task


def _checked(recipe: Recipe, task: Task) -> tuple[Any, Any, Any]:
    goal = compose.build_goal(recipe)
    settings(recipe)  # raises for what cannot be
    problems = compose.check(recipe, task)
    if problems:
        raise RecipeError("; ".join(problems))
    space, screener = compose.build_space(recipe, task, goal)
    sample(space, stream(recipe.seed, 0, "feasible"))  # raises NoFeasible before any folder is made
    return goal, space, screener


def _first(recipe: Recipe, space: Any) -> list[Proposal]:
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
    return [Proposal(replayed(space, _trace(trace)), notes={"start_with": str(path)})]


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


def _locked(folder: Path) -> Any:
    return importlib.import_module("netwright.stores.lock").RunLock(folder)


class _opened:
    """The lock and the store of an existing run."""

    def __init__(self, folder: Path) -> None:
        self.folder = importlib.import_module("netwright.stores.folders").find_run(folder)

    def __enter__(self) -> Any:
        self.lock = _locked(self.folder)
        try:
            self.store = importlib.import_module("netwright.stores.sqlite").SqliteStore(self.folder)
        except BaseException:
            self.lock.release()
            raise
        return self.store

    def __exit__(self, *error: object) -> None:
        self.store.close()
        self.lock.release()


def _workers() -> int:
    """One for each core: `benchmarks/throughput.py` measures why not one with many threads."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _prestart() -> None:
    """Have the fork server load what workers need while this process reads the data."""
    importlib.import_module("netwright.runners.local").fork_server(PRELOAD, 1)


def _runner(recipe: Recipe, folder: Path, task: Any) -> Runner:
    argument = {"recipe": recipe.to_json(), "folder": str(folder.resolve())}
    if not hasattr(task, "save"):
        compose.HERE[str(folder)] = task
        inline: Runner = importlib.import_module("netwright.runners.inline").InlineRunner(
            "netwright.compose:worker", {**argument, "task": str(folder)}
        )
        return inline
    process = importlib.import_module("netwright.runners.process")
    memory = environment("NETWRIGHT_MEMORY_GIB")
    runner: Runner = process.ProcessRunner(
        "netwright.compose:worker", argument, recipe.workers or _workers(), float(memory) if memory else None, preload=PRELOAD
    )
    return runner


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


def _begin_folder(folder: Path, recipe: Recipe, task: Any) -> None:
    """What a run folder holds besides its log: recipe, splits, and the rows for the workers, test rows removed."""
    write_text = importlib.import_module("netwright.stores.folders").write_text
    write_text(folder / "recipe.toml", recipe.to_toml())
    write_text(folder / "splits.json", json.dumps(task.splits()))
    if hasattr(task, "save"):
        task.without_test().save(folder / "data")


def _creation(recipe: Recipe, task: Task, space: Any) -> dict[str, Any]:
    return {
        "version": version_of("netwright"),
        "recipe": recipe.to_json(),
        "space": space.to_json(),
        "signature": task.signature.to_json(),
        "frame": task.frame.to_json(),
        "task": {**task.describe(), "kind": task.kind, "name": task.name, "classes": list(task.classes)},
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
        "cores": _workers(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "platform": platform.platform(),
        "python": platform.python_version(),
        "netwright": version_of("netwright"),
        **{name: version_of(name) for name in ("torch", "numpy", "scikit-learn", "onnx", "onnxruntime")},
    }


def _budget(budget: Budget) -> dict[str, Any]:
    return {"seconds": budget.seconds, "trials": budget.trials}


def _deadline(budget: Budget, began: float) -> float | None:
    """The monotonic time at which everything must be done."""
    return None if budget.seconds is None else time.monotonic() + budget.seconds - (time.time() - began)


def _total(budget: Budget, events: Sequence[Event]) -> Budget:
    """The budget with all extensions: what the last session was given."""
    told = [event.body["budget"] for event in events if event.kind == "session"]
    return Budget(told[-1]["seconds"], told[-1]["trials"]) if told else budget


_ENDING = frozenset({"finalist", "winner", "control", "unsealed", "tested", "result", "exported", "stopped", "finished"})


def this_round(events: Sequence[Event]) -> list[Event]:
    """The log without what concluded the run before it was last extended: that is done anew."""
    last = max((event.number for event in events if event.kind == "session" and event.body.get("extended")), default=0)
    return [event for event in events if event.number > last or event.kind not in _ENDING]


def _extended(events: Sequence[Event], more: Budget, spent: float) -> Budget:
    """A finished run goes on for as long, or as many trials, as it is now given; the old bounds are spent."""
    done = sum(event.kind == "proposed" for event in events)
    return Budget(
        None if more.seconds is None else spent + more.seconds,
        None if more.trials is None else done + more.trials,
    )


def _spent(events: Sequence[Event]) -> float:
    """Wall-clock seconds of all earlier sessions, each until its last event."""
    total, began, last = 0.0, None, 0.0
    for event in events:
        if event.kind == "session":
            total += last - began if began is not None else 0.0
            began = float(event.body["started"])
        last = event.at
    return total + (last - began if began is not None else 0.0)


def _tidy(folder: Path) -> None:
    """The rows for the workers are copies; a finished run needs them no more."""
    import shutil

    shutil.rmtree(folder / "data", ignore_errors=True)


# ---- export and report ------------------------------------------------------------------------------------------------


def _export(
    folder: Path,
    task: Any,
    store: Any,
    log: Sequence[Event],
    architecture: Architecture,
    write: Callable[..., Any],
    *,
    int8: bool = False,
    to: str = "model",
) -> Path:
    """Write ``model/`` from the winner's first training, prove it, and note it in the log."""
    trained = [e.body for e in log if e.kind == "control" and e.body.get("checkpoint") and e.body["id"] == architecture.id]
    if not trained:
        raise RunError(
            "its weights are not there: the final training failed or was cut", where=str(folder), todo="Use `netwright resume`."
        )
    export_model = importlib.import_module("netwright.export.write").export_model
    device = part("devices", "cpu")()
    body = export_model(
        folder / to, architecture, task, store.get(trained[0]["checkpoint"]), facts(log).to_json(), device, int8=int8
    )
    write("exported", **body)
    return folder / to


def export(
    run: Run | Path | str, *, trial: int | None = None, int8: bool = False, data: Any = None, tell: Tell = lambda event: None
) -> Path:
    """Write the model folder of the winner again (``int8``: quantised too), or of another trial, which is trained first with
    the final recipe, into ``model-trial-N``."""
    folder = Path(run.folder if isinstance(run, Run) else run)
    with _opened(folder) as store:
        log = list(store.events())
        created = _created(log)
        recipe = Recipe.from_json(created["recipe"])
        ledger = Ledger()
        task = _loaded(recipe, data, None, ledger)
        goal, space, _ = _checked(recipe, task)
        winners = [e.body["number"] for e in log if e.kind == "winner"]
        number = trial if trial is not None else (winners[-1] if winners else None)
        if number is None:
            best = facts(log).best
            if best is None:
                raise RunError("no trial has finished", where=str(folder), todo="Use `netwright resume` first.")
            number = best["trial"]
        proposed = {e.body["number"]: e.body for e in log if e.kind == "proposed"}
        if number not in proposed:
            raise RunError(f"it has no trial {number}", where=str(folder), todo=f"Trials: 0 to {len(proposed) - 1}.")
        architecture = replayed(space, _trace(proposed[number]["trace"]))
        _begin_folder(folder, recipe, task)
        runner = _runner(recipe, folder, task)
        try:
            strategy = compose.build_strategy(recipe, space, goal)
            session = Session(
                recipe,
                folder,
                task,
                space,
                goal,
                strategy,
                compose.build_estimator(recipe),
                store,
                runner,
                ledger,
                None,
                tell,
                log=log,
            )
            if not any(e.kind == "control" and e.body.get("checkpoint") and e.body["id"] == architecture.id for e in log):
                told = [Forecast.from_json(dict(e.body)) for e in log if e.kind == "forecast"]
                control.train_one(session, f"trial-{number}", architecture, told[-1] if told else None)
            to = "model" if not winners or number == winners[-1] else f"model-trial-{number}"
            return _export(folder, task, store, session.log, architecture, session.write, int8=int8, to=to)
        finally:
            runner.close()
            _tidy(folder)


def write_report(folder: Path, log: Sequence[Event]) -> Path:
    running = importlib.import_module("netwright.stores.lock").held(folder)
    path: Path = importlib.import_module("netwright.report.page").write(log, folder, running=running)
    return path


def report(run: Run | Path | str) -> Path:
    """Write ``report.html`` of a run, whatever its state."""
    folder = Path(run.folder if isinstance(run, Run) else run)
    return write_report(folder, with_log(folder, lambda store: list(store.events())))
