"""One search of one strategy with one seed: the same loop that a run has, on the table's own values, and what it came to."""

from __future__ import annotations

import importlib
import math
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from netwright.bench.plan import Plan
from netwright.bench.problem import Problem, posed
from netwright.core.architecture import Architecture
from netwright.core.contracts import Event, Infeasible, Site, Store, Strategy, Verdict
from netwright.core.trial import Fidelity, History, Measurement, Proposal, Trial
from netwright.errors import DataError, NetwrightError, NoFeasible, RunError
from netwright.loop import Loop
from netwright.replay.opening import NoDevice

__all__ = ["REPEATS", "Played", "play", "worker"]

REPEATS = 20
"""Trials for each query of the budget after which a strategy that proposes what is known already is ended."""


@dataclass
class Played:
    """A search as columns, one entry for each step: a new query, or a measurement of one at a further fidelity.

    ``query``: queries so far. ``row``: the table's, -1 where it has none. ``values``: of the objectives at full fidelity, None
    before that and where one is missing or breaks a limit. ``cost``: spent so far. ``ask_ms``: the strategy's own time for it.
    """

    strategy: str
    seed: int
    query: list[int] = field(default_factory=list)
    row: list[int] = field(default_factory=list)
    values: list[list[float] | None] = field(default_factory=list)
    epochs: list[int | None] = field(default_factory=list)
    cost: list[float] = field(default_factory=list)
    ask_ms: list[float] = field(default_factory=list)
    trials: int = 0
    seconds: float = 0.0
    ended: str = ""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


class Timed(Strategy):
    """A strategy whose own time is added up: processor seconds of this process, so that a busy machine counts less."""

    def __init__(self, inner: Strategy) -> None:
        self.inner, self.spent = inner, 0.0

    def ask(self, history: History, slots: int) -> Sequence[Proposal]:
        began = time.process_time()
        found = self.inner.ask(history, slots)
        self.spent += time.process_time() - began
        return found

    def watch(self, trial: Trial, history: History) -> Verdict:
        began = time.process_time()
        verdict = self.inner.watch(trial, history)
        self.spent += time.process_time() - began
        return verdict

    def resumable(self, history: History) -> Collection[int]:
        return self.inner.resumable(history)


class Nowhere(Store):
    """A log that nobody will read."""

    def __init__(self) -> None:
        self.count = 0

    def append(self, event: Event) -> int:
        self.count += 1
        return self.count

    def events(self, since: int = 0) -> Iterator[Event]:
        return iter(())

    def put(self, blob: bytes) -> str:
        raise RunError("a table has no weights")

    def get(self, digest: str) -> bytes:
        raise RunError("a table has no weights")

    def remove(self, digest: str) -> None:
        return

    def close(self) -> None:
        return


class Search:
    """What is known of the search under way, by its runner and by whoever keeps the record."""

    def __init__(self, problem: Problem, text: str, seed: int) -> None:
        self.problem, self.seed = problem, seed
        self.strategy = Timed(problem.strategy(text, seed))
        self.played = Played(text, seed)
        self.history = History()
        self.settled = 0
        """Queries whose trials are over."""
        self.queried: dict[int | str, int] = {}
        """Architecture → the most epochs at which it was recorded."""
        self.values: dict[int, dict[str, float]] = {}
        self.names: dict[int, str] = {}
        self.runner: Any = importlib.import_module("netwright.runners.simulated").SimulatedRunner(
            f"{__name__}:handler", {"search": id(self)}
        )

    def name(self, architecture: Architecture) -> str:
        """Its row; that of an architecture that the table has not is nobody's."""
        try:
            return f"{self.problem.table.find(architecture)}"
        except DataError:
            return f"-{architecture.id}"

    def spent(self) -> float:
        """Of the budget."""
        if self.problem.plan.budget.unit != "queries":
            return float(self.runner.now)
        return float(self.settled) if self.settled < len(self.problem.costs) else math.inf  # nothing is left to be asked

    def noted(self, event: Event) -> None:
        """Keep what an event tells."""
        body, number = event.body, int(event.body["number"])
        if event.kind == "proposed":
            self.names[number] = body["id"]
            self.queried.setdefault(self._known(number), -1)
            continued = body.get("continues")
            self.values[number] = dict(self.values.get(continued, {})) if continued is not None else {}
        elif event.kind == "measured":
            self.values[number] |= body["values"]
            fidelity = body.get("fidelity")
            self._record(number, fidelity["epochs"] if fidelity else None, lost=False)
        elif event.kind == "ended":
            if body["state"] in ("failed", "infeasible"):
                self._record(number, None, lost=True)
            self.settled = len(self.queried)

    def _known(self, number: int) -> int | str:
        """The architecture of a trial, as queries count them."""
        name = self.names[number]
        return name if name.startswith("-") else self.problem.classes[self.problem.places[int(name)]]

    def _record(self, number: int, epochs: int | None, lost: bool) -> None:
        problem, played, name = self.problem, self.played, self.names[number]
        known, found = self._known(number), self.values[number]
        keys = [objective.key for objective in problem.goal.objectives]
        whole = all(key in found for key in keys) and not (problem.graded and epochs is not None and epochs < problem.epochs)
        if not whole and not lost and epochs is None:
            return  # what is known without a training comes first
        reached = epochs or problem.epochs
        if self.queried[known] >= reached:
            return  # asked for again
        self.queried[known] = reached
        played.query.append(len(self.queried))
        played.row.append(-1 if name.startswith("-") else int(name))
        played.values.append([found[key] for key in keys] if whole and not lost else None)
        played.epochs.append(epochs)
        played.cost.append(float(len(self.queried)) if problem.plan.budget.unit == "queries" else round(self.spent(), 6))
        played.ask_ms.append(round(1000 * self.strategy.spent, 4))
        self.strategy.spent = 0.0


_OPEN: dict[int, Search] = {}


def play(problem: Problem, text: str, seed: int) -> Played:
    """Search once. The budget counts queries, or what the simulated clock counts: epochs or seconds."""
    began = time.perf_counter()
    search = Search(problem, text, seed)
    budget = problem.plan.budget
    turned_away = problem.screener.turned_away if problem.screener else 0
    loop = Loop(
        problem.space, problem.goal, search.strategy, search.runner, Nowhere(), search.history, Fidelity(problem.epochs),
        trials=REPEATS * int(budget.amount) if budget.unit == "queries" else None, deadline=budget.amount, at_last=budget.amount,
        screened=lambda: problem.screener.turned_away - turned_away if problem.screener else 0,
        tell=search.noted, clock=search.spent, patience_s=math.inf, name=search.name, in_vain=math.inf,
    )  # fmt: skip
    _OPEN[id(search)] = search
    try:
        search.played.ended = {"deadline": "budget", "trials": "repeats"}.get(found := loop.run(), found)
    except NoFeasible as error:
        search.played.ended = f"no trial finished: {error.what}"
    finally:
        del _OPEN[id(search)]
        search.runner.close()
        del search.runner  # which knows the search: what it holds is freed now
    search.played.trials, search.played.seconds = len(search.history), round(time.perf_counter() - began, 4)
    return search.played


def handler(argument: Mapping[str, Any]) -> Any:
    """What the simulated runner calls once: returns what looks a trial up and says what it costs."""
    search = _OPEN[argument["search"]]
    problem, device, store = search.problem, NoDevice(), Nowhere()

    def work(kind: str, body: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        proposal = search.history.pending[int(body["number"])].proposal
        if "continues" in body:
            proposal = replace(proposal, notes={**proposal.notes, "continues": body["continues"]})
        site = Site(problem.task, device, store, problem.goal, search.seed, int(body.get("root", body["number"])))
        priced = Priced(problem, proposal)
        try:
            for measurement in problem.estimator.estimate(proposal, site):
                yield {"kind": "measured", "body": priced(measurement)}
        except Infeasible as broken:
            yield {"kind": "infeasible", "reason": str(broken), "body": priced(broken.measurement)}
        except NetwrightError as error:
            yield {"kind": "failed", "reason": str(error), "body": {}}
        else:
            yield {"kind": "finished", "body": {}}

    return work


class Priced:
    """Gives the measurements of a trial their cost in what the budget counts. Going on with a trial costs the rest of its
    training where the table has curves; budgets without a curve are trainings of their own, each paid in full."""

    def __init__(self, problem: Problem, proposal: Proposal) -> None:
        self.problem, self.proposal = problem, proposal
        self.curved = any(column.curve for each in problem.asked for column in each.columns)
        self.paid = int(proposal.notes.get("continues", {}).get("epochs", 0)) if self.curved else 0

    def __call__(self, measurement: Measurement) -> dict[str, Any]:
        told, unit = measurement.to_json(), self.problem.plan.budget.unit
        if unit == "seconds":
            return told
        told["cost"] = {}
        if unit == "epochs" and measurement.fidelity:
            table = self.problem.table
            whole = min(measurement.fidelity.epochs, table.schedule(table.find(self.proposal.architecture)))
            told["cost"] = {"epochs": max(0, whole - self.paid)}
            self.paid = max(self.paid, whole) if self.curved else 0
        return told


def worker(argument: Mapping[str, Any]) -> Any:
    """What a process of the bench calls once: opens the table, returns what does a chunk of seeds of one strategy."""
    problem = posed(Plan.from_json(argument))

    def work(kind: str, body: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        for seed in body["seeds"]:
            yield {"kind": "measured", "body": play(problem, body["strategy"], int(seed)).to_json()}
        yield {"kind": "finished", "body": {}}

    return work
