"""``search()``, ``resume()``, ``export()``, ``report()`` and :class:`Run`: what the command line and a notebook call."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netwright import compose, control, course, opening
from netwright.core.architecture import Architecture, Signature
from netwright.core.contracts import Event
from netwright.core.metrics import parse_limit
from netwright.core.picks import replayed
from netwright.errors import DataError, RunError
from netwright.forecast import forecast
from netwright.loop import Ledger
from netwright.opening import OpenRun, opened, version_of
from netwright.recipe import Budget, Recipe, parse_budget
from netwright.replay import run as replay
from netwright.replay.opening import DEFAULT_BUDGET as TABLE_BUDGET
from netwright.report.facts import Facts, facts
from netwright.rounds import extended, spent_s, this_round, total

if TYPE_CHECKING:
    from netwright.lint import Lint

__all__ = [
    "DEFAULT_BUDGET",
    "Best",
    "Run",
    "dry_run",
    "export",
    "find_run",
    "lint",
    "predict",
    "report",
    "resume",
    "run_recipe",
    "runs",
    "search",
    "self_test",
    "version_of",
]

Tell = Callable[[Event], None]

DEFAULT_BUDGET = Budget(seconds=300.0)


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
        from netwright.export.write import loaded

        return loaded(folder)

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value:.4g}" for name, value in self.metrics.items())
        return f"Best(trial={self.trial}, {shown})"


class Run:
    """One search, in its folder. Everything it tells is read from the log."""

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        opening.with_log(self.folder, lambda store: None)  # raises where it is no run

    def events(self) -> list[Event]:
        """The log."""
        return opening.events_of(self.folder)

    @property
    def facts(self) -> Facts:
        """What the log tells: the object behind ``netwright show --json``."""
        return facts(self.events(), running=opening.held(self.folder))

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
        events = self.events()
        created = _created(events)
        signature = Signature.from_json(created["signature"])
        space, _ = compose.build_space(Recipe.from_json(created["recipe"]), signature)
        return replayed(space, _proposed(events, number, self.folder))

    def export(self, *, trial: int | None = None, int8: bool = False, data: Any = None) -> Path:
        return export(self, trial=trial, int8=int8, data=data)

    def report(self) -> Path:
        return report(self)

    def __repr__(self) -> str:
        return f"Run({str(self.folder)!r}, state={self.facts.state!r})"


def _created(events: Sequence[Event]) -> Mapping[str, Any]:
    for event in events:
        if event.kind == "created":
            return event.body
    raise RunError("its log holds no beginning", todo="Start again with `netwright search`.")


def _proposed(events: Sequence[Event], number: int, folder: Path) -> dict[str, Any]:
    """The trace of a trial."""
    proposed = {event.body["number"]: event.body for event in events if event.kind == "proposed"}
    if number not in proposed:
        raise RunError(f"it has no trial {number}", where=str(folder), todo=f"Trials: 0 to {len(proposed) - 1}.")
    return opening.read_trace(proposed[number]["trace"])


# ---- searching --------------------------------------------------------------------------------------------------------


def search(
    data: Any = None,
    *,
    table: Path | str = "",
    objectives: Sequence[str] = (),
    limits: Sequence[str] = (),
    budget: str | Sequence[str] = (),
    target: str = "",
    test: Any = None,
    split_by: str = "",
    space: str = "",
    strategy: str = "auto",
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

    With ``table``, the name or file of a table of measured architectures, instead of ``data`` the search looks its trials up:
    ``objectives`` and ``limits`` name columns, and the budget counts simulated time.
    """
    if data is None and not table:
        raise DataError("neither data nor a table is given", todo="Write search(data) or search(table=…).")
    default = TABLE_BUDGET if table else DEFAULT_BUDGET
    given = parse_budget(*([budget] if isinstance(budget, str) else budget)) if budget else default
    named = isinstance(data, (str, Path))
    recipe = Recipe(
        data=str(data) if named else "",
        table=str(table),
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
    if recipe.table:
        return Run(replay.search(recipe, out=out, tell=tell, started=began))
    opening.prestart()
    task = opening.loaded(recipe, data, test, ledger)
    recipe = compose.resolve(recipe, task)
    recipe = replace(recipe, workers=recipe.workers or opening.workers())
    _, space, _ = opening.checked(recipe, task)  # before any folder is made
    first = opening.start_with(recipe, space)
    with opening.new_run(recipe, task, out) as (folder, store):
        opening.fill_folder(folder, recipe, task)
        with opened(recipe, folder, task, store, ledger, seconds=recipe.budget.seconds, began=began, tell=tell) as session:
            session.write("created", **opening.creation(recipe, task, space, session.strategy))
            session.write("session", pid=os.getpid(), resumed=False, started=began, budget=_plain(recipe.budget))
            course.work(session, first, began)
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
    """Go on with a run that was interrupted, or extend a finished one with ``budget="+10m"``.

    ``data`` and ``test`` again where they were objects of another process.
    """
    ledger = Ledger()
    began = time.time() if started is None else started
    folder = Path(run.folder if isinstance(run, Run) else run)
    with OpenRun(folder) as store:
        events = list(store.events())
        created = _created(events)
        more = parse_budget(budget) if budget else Budget()
        if created["recipe"].get("table"):
            replay.resume(folder, store, more, tell=tell, started=began)
            return Run(folder)
        over = any(event.kind == "finished" for event in this_round(events))
        if over and not budget:
            raise RunError("the run is finished", where=str(folder), todo="Extend it with --budget +5m.")
        opening.prestart()
        recipe = Recipe.from_json(created["recipe"])
        recipe = replace(recipe, budget=extended(events, more) if over else total(events, recipe.budget).extended(more))
        task = opening.loaded(recipe, data, test, ledger)
        if task.describe().get("fingerprint") != created["task"].get("fingerprint"):
            raise DataError("the data has changed since the run began", where=recipe.data, todo="Put it back, or search anew.")
        _, space, _ = opening.checked(recipe, task)
        if space.digest != created["space"]["digest"]:
            raise RunError(f"space {recipe.space} has changed since the run began", where=str(folder), todo="Search anew.")
        opening.fill_folder(folder, recipe, task)
        before = spent_s(events)
        seconds = None if recipe.budget.seconds is None else recipe.budget.seconds - before
        with opened(recipe, folder, task, store, ledger, seconds=seconds, began=began, tell=tell, log=events) as session:
            told = {"resumed": True, "started": began, "budget": _plain(recipe.budget), "extended": over}
            session.write("session", pid=os.getpid(), **told)
            session.log[:] = this_round(session.log)
            course.work(session, opening.start_with(recipe, space), began, before)
    return Run(folder)


def dry_run(recipe: Recipe, *, data: Any = None, test: Any = None) -> Mapping[str, Any]:
    """The forecast only: nothing is left behind."""
    if recipe.table:
        return replay.foreseen(recipe)
    ledger = Ledger()
    began = time.time()
    opening.prestart()
    task = opening.loaded(recipe, data, test, ledger)
    recipe = compose.resolve(recipe, task)
    recipe = replace(recipe, workers=recipe.workers or opening.workers())
    with tempfile.TemporaryDirectory(prefix="netwright-") as place:
        folder = Path(place)
        opening.fill_folder(folder, recipe, task)
        store = opening.memory_store()
        with opened(recipe, folder, task, store, ledger, seconds=recipe.budget.seconds, began=began) as session:
            return forecast(session).to_json()


def _plain(budget: Budget) -> dict[str, Any]:
    return {"seconds": budget.seconds, "trials": budget.trials}


# ---- export and report ------------------------------------------------------------------------------------------------


def export(
    run: Run | Path | str, *, trial: int | None = None, int8: bool = False, data: Any = None, tell: Tell = lambda event: None
) -> Path:
    """Write the model folder of the winner again (``int8``: quantised too), or of another trial, which is trained first with
    the final recipe, into ``model-trial-N``."""
    folder = Path(run.folder if isinstance(run, Run) else run)
    with OpenRun(folder) as store:
        log = list(store.events())
        recipe = Recipe.from_json(_created(log)["recipe"])
        if recipe.table:
            todo = f"`netwright search DATA --space {recipe.space}` trains one."
            raise RunError("a search over a table trains no network", where=str(folder), todo=todo)
        winners = [event.body["number"] for event in this_round(log) if event.kind == "winner"]
        number = trial if trial is not None else winners[-1] if winners else _best_trial(log, folder)
        trace = _proposed(log, number, folder)
        opening.prestart()
        ledger = Ledger()
        task = opening.loaded(recipe, data, None, ledger)
        opening.fill_folder(folder, recipe, task)
        try:
            with opened(recipe, folder, task, store, ledger, tell=tell, log=log) as session:
                architecture = replayed(session.space, trace)
                if not any(e.body.get("checkpoint") and e.body["id"] == architecture.id for e in session.of("control")):
                    control.train_one(session, f"trial-{number}", architecture, course.forecasted(session))
                to = "model" if not winners or number == winners[-1] else f"model-trial-{number}"
                return course.exported(session, architecture, to, int8=int8)
        finally:
            opening.tidy(folder)


def _best_trial(log: Sequence[Event], folder: Path) -> int:
    best = facts(log).best
    if best is None:
        raise RunError("no trial has finished", where=str(folder), todo="Use `netwright resume` first.")
    return int(best["trial"])


def report(run: Run | Path | str) -> Path:
    """Write ``report.html`` of a run, whatever its state."""
    folder = Path(run.folder if isinstance(run, Run) else run)
    return course.reported(folder, opening.events_of(folder), opening.held(folder))


def predict(run: Path | str, files: Sequence[Path]) -> list[dict[str, Any]]:
    """``input``, ``prediction`` and, for classes, ``probabilities``, of every image or row in the files.

    ``run`` is a run's folder, or a model folder. Raises a :class:`~netwright.errors.UserError` for what cannot be read.
    """
    from netwright.export.predict import card
    from netwright.export.predict import predict as predicted

    place = Path(run)
    folder = place if (place / "card.json").is_file() else opening.find_run(place) / "model"
    names, raw = opening.raw_inputs(card(folder)["task"], files)
    return predicted(folder, names, raw)


# ---- before a search --------------------------------------------------------------------------------------------------


def lint(
    space: str,
    *,
    limits: Sequence[str] = (),
    inputs: Sequence[str] = (),
    outputs: int | None = None,
    data: str = "",
    target: str = "",
    settings: Mapping[str, Any] | None = None,
    members: int = 2000,
    seconds: float = 60.0,
    seed: int = 0,
    tell: Callable[[str, float], None] = lambda what, share: None,
) -> Lint:
    """What a space holds, by its name: see :mod:`netwright.lint`. ``inputs``: shapes, ``["3x32x32"]``, or those of ``data``."""
    from netwright.example import look
    from netwright.lint import lint as looked_over

    bounds = [parse_limit(text) for text in limits]
    if data:
        recipe = Recipe(data=data, target=target, space=space, options={"space": settings or {}})
        task = opening.loaded(recipe, None, None, Ledger())
        signature = task.signature
        found, _ = compose.build_space(recipe, signature)
    else:
        found, signature = look(space, inputs, outputs, settings)
    return looked_over(found, signature, bounds, members=members, seconds=seconds, seed=seed, tell=tell)


find_run, runs, self_test = opening.find_run, opening.runs, opening.self_test
