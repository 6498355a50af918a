"""The loop: replay the log, ask the strategy, write, submit, take what arrives, write, let the strategy watch."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from netwright.core.architecture import Architecture, trace_from_json
from netwright.core.contracts import Arrival, Event, Job, Runner, Store, Strategy, Verdict
from netwright.core.objectives import Goal
from netwright.core.picks import replayed
from netwright.core.space import Space
from netwright.core.trial import Fidelity, History, Measurement, Proposal, State, Trial
from netwright.errors import NoFeasible
from netwright.layers.canonical import canonical

__all__ = ["ATTEMPTS", "Ledger", "Loop", "read_history"]

DOUBLES = 300
"""So many proposals in a row that compute what was known already: the space, or the strategy, is exhausted."""

VERDICTS = {Verdict.PAUSE: "paused", Verdict.STOP: "stopped"}

ATTEMPTS = 2
"""How often a trial is begun before the death of its worker counts as its failure."""


def read_history(events: Iterable[Event], space: Space) -> History:
    """The history that a log tells: what was proposed, and what came of it. A restarted attempt starts empty."""
    history = History()
    for event in events:
        body = event.body
        if event.kind == "proposed":
            history.propose(_read_trial(body, space))
        elif event.kind in ("measured", "ended", "lost") and body["number"] in history.pending:
            trial = history.pending[body["number"]]
            if event.kind == "measured":
                history.update(trial.measured(Measurement.from_json(body)))
            elif event.kind == "ended":
                history.update(trial.ended(body["state"], body.get("reason", ""), body.get("seconds", 0.0)))
            else:
                history.update(replace(trial, measurements=(), attempt=body["attempt"] + 1))
    return history


def _read_trial(body: Mapping[str, Any], space: Space) -> Trial:
    fidelity = Fidelity.from_json(body["fidelity"]) if body.get("fidelity") else None
    architecture = replayed(space, dict(trace_from_json(body["trace"])))
    proposal = Proposal(
        architecture, fidelity, body.get("continues"), body.get("parent"), body.get("moves", {}), body.get("notes", {})
    )
    return Trial(body["number"], proposal, attempt=body.get("attempt", 1))


def _trace(proposal: Proposal) -> dict[str, Any]:
    return {path: list(a) if isinstance(a, tuple) else a for path, a in proposal.architecture.trace}


@dataclass
class Ledger:
    """Where the wall-clock went, in seconds by kind of work; ``idle`` is what no slot worked in."""

    spent: dict[str, float] = field(default_factory=dict)
    _since: float = field(default_factory=time.monotonic)
    _kind: str = "start"

    def turn(self, kind: str) -> None:
        """From now on the time goes to ``kind``."""
        now = time.monotonic()
        self.spent[self._kind] = self.spent.get(self._kind, 0.0) + now - self._since
        self._since, self._kind = now, kind

    def totals(self) -> dict[str, float]:
        self.turn(self._kind)
        return {kind: round(seconds, 3) for kind, seconds in self.spent.items()}


@dataclass
class Loop:
    """One search under way. ``deadline``: time by ``clock`` after which no trial may run, unless none has finished yet: then
    ``at_last``. ``patience_s``: how long arrivals are waited for at once. ``name``: what an architecture is called in the log.
    ``twins``: what computes the same as a finished trial is not trained again. ``in_vain``: trials after which it is given up
    where none succeeded. ``tell``: called after each event."""

    space: Space
    goal: Goal
    strategy: Strategy
    runner: Runner
    store: Store
    history: History
    fidelity: Fidelity
    trials: int | None = None
    deadline: float | None = None
    at_last: float | None = None
    trial_limit_s: float | None = None
    first: list[Proposal] = field(default_factory=list)
    screened: Callable[[], int] = lambda: 0
    ledger: Ledger = field(default_factory=Ledger)
    tell: Callable[[Event], None] = lambda event: None
    clock: Callable[[], float] = time.monotonic
    patience_s: float = 0.5
    name: Callable[[Architecture], str] = lambda architecture: architecture.id
    twins: bool = False
    in_vain: float = 100
    _known: dict[tuple[str, Fidelity], Trial] = field(default_factory=dict)
    _checkpoints: dict[int, str] = field(default_factory=dict)
    _doubles: int = 0

    def write(self, kind: str, /, **body: Any) -> None:
        event = Event(kind, body, time.time())
        self.tell(replace(event, number=self.store.append(event)))

    def run(self) -> str:
        """Search until the budget or the strategy is done; returns why: ``trials``, ``deadline`` or ``done``."""
        for trial in sorted(self.history.pending.values(), key=lambda t: t.number):  # under way when the last session ended
            self.write("lost", number=trial.number, attempt=trial.attempt, reason="interrupted")
            self.history.update(replace(trial, measurements=(), attempt=trial.attempt + 1))
        waiting = sorted(self.history.pending)
        for trial in self.history.finished:
            self._learn(trial)
        self._sweep()
        twins = [bool(t.measurements and "twin" in t.measurements[-1].notes) for t in self.history.ended]
        self._doubles = next((n for n, twin in enumerate(reversed(twins)) if not twin), len(twins))
        while True:
            until = self.deadline if self.history.finished else self.at_last
            if until is not None and self.clock() >= until:
                return self._cut()
            asked = self._fill(waiting)
            if not self.runner.busy():
                return asked or "done"
            self.ledger.turn("busy" if self.runner.busy() else "idle")
            patience = self.patience_s if until is None else min(self.patience_s, max(0.0, until - self.clock()))
            arrivals = self.runner.arrivals(patience)
            self.ledger.turn("busy" if self.runner.busy() else "idle")
            for arrival in arrivals:
                self._arrived(arrival, waiting)

    def _fill(self, waiting: list[int]) -> str:
        """Give every free slot a trial; says why where it cannot."""
        while (free := self.runner.slots() - self.runner.busy()) > 0:
            if waiting:
                self._submit(self.history.pending[waiting.pop(0)])
                continue
            left = None if self.trials is None else self.trials - len(self.history)
            if left is not None and left <= 0:
                return "trials"
            if self._doubles >= DOUBLES:
                return "done"
            before = self.screened()
            proposals = self._proposals(free if left is None else min(free, left))
            if not proposals:
                return "done"
            for k, proposal in enumerate(proposals):
                self._propose(proposal, self.screened() - before if k == 0 else 0)
        return ""

    def _proposals(self, slots: int) -> list[Proposal]:
        if self.first and len(self.history) < len(self.first):
            return [self.first[len(self.history)]]
        return list(self.strategy.ask(self.history, slots))

    def _propose(self, proposal: Proposal, screened: int) -> None:
        """Written before anything runs: a crash can lose work, never a decision."""
        number = self.history.next_number
        notes = {**proposal.notes, **({"screened": screened} if screened else {})}
        trial = Trial(number, replace(proposal, fidelity=proposal.fidelity or self.fidelity, notes=notes))
        self.write(
            "proposed",
            number=number,
            id=self.name(proposal.architecture),
            trace=_trace(proposal),
            fidelity=trial.proposal.fidelity.to_json() if trial.proposal.fidelity else None,
            notes=notes,
            parent=proposal.parent,
            continues=proposal.continues,
            attempt=1,
        )
        self.history.propose(trial)
        self._submit(trial)

    def _submit(self, trial: Trial) -> None:
        fidelity = trial.proposal.fidelity or self.fidelity
        body = {
            "number": trial.number,
            "attempt": trial.attempt,
            "trace": _trace(trial.proposal),
            "fidelity": fidelity.to_json(),
            "noisy": self.runner.slots() > 1,
        }
        if trial.proposal.continues is not None:
            before = self.history[trial.proposal.continues]
            told = {"number": before.number, "epochs": before.epochs, "checkpoint": before.checkpoint, "values": before.values}
            body |= {"root": self.history.root(trial.number), "continues": told}
        twin = self._known.get((canonical(trial.architecture), fidelity)) if self.twins else None
        self._doubles = self._doubles + 1 if twin else 0
        if twin:
            body["twin"] = {"number": twin.number, "values": dict(twin.measurements[-1].values)}
        self.write("started", number=trial.number, attempt=trial.attempt)
        self.runner.submit(Job(f"{trial.number}", "trial", body, self.trial_limit_s))

    def _arrived(self, arrival: Arrival, waiting: list[int]) -> None:
        trial = self.history.pending.get(int(arrival.key))
        if trial is None:
            return  # a verdict ended it while this was on its way
        if "values" in arrival.body:
            measurement = Measurement.from_json(arrival.body)
            trial = trial.measured(measurement)
            self.write("measured", number=trial.number, attempt=trial.attempt, **measurement.to_json())
            self.history.update(trial)
        if arrival.kind == "measured":
            verdict = self.strategy.watch(trial, self.history)
            if verdict is not Verdict.GO:
                self.runner.stop(arrival.key)
                self._end(trial, "stopped", f"the strategy {VERDICTS[verdict]} it", arrival)
        elif arrival.kind == "lost":
            if trial.attempt < ATTEMPTS:
                self.write("lost", number=trial.number, attempt=trial.attempt, reason=arrival.reason)
                self.history.update(replace(trial, measurements=(), attempt=trial.attempt + 1))
                waiting.append(trial.number)
            else:
                self._end(trial, "failed", f"{arrival.reason}, {trial.attempt} times", arrival)
        else:
            self._end(trial, arrival.kind, arrival.reason, arrival)

    def _end(self, trial: Trial, state: State, reason: str, arrival: Arrival) -> None:
        seconds = round(float(arrival.body.get("seconds", 0.0)), 4)
        clock = {"clock": arrival.body["clock"]} if "clock" in arrival.body else {}
        self.write("ended", number=trial.number, attempt=trial.attempt, state=state, reason=reason, seconds=seconds, **clock)
        ended = trial.ended(state, reason, seconds)
        self.history.update(ended)
        self._learn(ended)
        self._sweep()
        if not self.history.finished and len(self.history.ended) >= self.in_vain:
            raise NoFeasible(
                f"the first {len(self.history.ended)} trials all failed or broke a limit; the last: {reason}",
                where="search",
                todo="Loosen the limit, or see why with `netwright show`.",
            )

    def _learn(self, trial: Trial) -> None:
        """Keep what a training found, for its twins."""
        if self.twins and trial.state == "finished" and trial.measurements and trial.measurements[-1].fidelity:
            self._known.setdefault((canonical(trial.architecture), trial.proposal.fidelity or self.fidelity), trial)
        if trial.checkpoint:
            self._checkpoints[trial.number] = trial.checkpoint

    def _sweep(self) -> None:
        """Remove the checkpoints that nobody will go on from."""
        if not self._checkpoints:
            return
        wanted = {*self.strategy.resumable(self.history), *(t.proposal.continues for t in self.history.pending.values())}
        for number in [number for number in self._checkpoints if number not in wanted]:
            self.store.remove(self._checkpoints.pop(number))

    def _cut(self) -> str:
        """The time is up: what runs stays pending in the log, so that a resumed run begins it again."""
        for number in list(self.history.pending):
            self.runner.stop(f"{number}")
        return "deadline"
