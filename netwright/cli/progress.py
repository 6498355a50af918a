"""How far a run has come, from its events: what the live display and the plain lines both read."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from typing import Any

from netwright.core.contracts import Event
from netwright.core.objectives import Goal
from netwright.core.trial import DONE, Fidelity
from netwright.report.facts import goal_of

__all__ = ["PHASES", "Progress"]

PHASES = ("forecast", "search", "final training", "test", "export", "report")

_AFTER = {
    "created": "forecast",
    "forecast": "search",
    "stopped": "final training",
    "finalist": "final training",
    "winner": "final training",
    "unsealed": "test",
    "result": "export",
    "exported": "report",
    "finished": "",
}
"""What goes on after an event of a kind; nothing after the last."""


@dataclass
class Progress:
    """Counts and the best so far. ``phase`` is one of :data:`PHASES`, or empty before the first and after the last."""

    phase: str = ""
    created: dict[str, Any] = field(default_factory=dict)
    goal: Goal | None = None
    budget: dict[str, Any] = field(default_factory=dict)
    folder: str = ""
    forecast: dict[str, Any] = field(default_factory=dict)
    states: dict[str, int] = field(default_factory=dict)
    running: set[int] = field(default_factory=set)
    best: dict[str, Any] | None = None
    trained: int = 0
    lasted: dict[str, float] = field(default_factory=dict)
    over: bool = False
    _values: dict[int, dict[str, float]] = field(default_factory=dict)
    _rank: tuple[float, float] = (math.inf, math.inf)
    _reach: dict[int, float] = field(default_factory=dict)
    _spent: float = 0.0
    _began: float | None = None
    _phase_began: float = 0.0
    _last: float = 0.0

    def take(self, event: Event) -> bool:
        """Take the next event in; True where there is a new best."""
        body, better = dict(event.body), False
        match event.kind:
            case "created":
                self.created, self.goal = body, goal_of(body)
            case "session":
                self._session(body, event.at)
            case "forecast":
                self.forecast = body
            case "started":
                self.running.add(body["number"])
                self._values[body["number"]] = {}
            case "measured":
                self._values.setdefault(body["number"], {}).update(body.get("values", {}))
                if body.get("fidelity"):
                    self._reach[body["number"]] = Fidelity.from_json(body["fidelity"]).reach
            case "ended" | "lost":
                better = self._ended(event.kind, body)
            case "control":
                self.trained += body.get("arm") in ("winner", "random")
            case "winner":
                self.trained = 0
            case "finished":
                self.over = True
        if event.kind in _AFTER and not (event.kind == "stopped" and body.get("reason") in ("interrupted", "infeasible")):
            self._turn(_AFTER[event.kind], event.at)
        self._last = event.at
        return better

    def _session(self, body: dict[str, Any], at: float) -> None:
        if self._began is not None:
            self._spent += self._last - self._began
            self._phase_began += at - self._last  # nobody worked on it in between
        self._began, self.budget = float(body.get("started", at)), dict(body.get("budget") or {})
        self.running.clear()
        if body.get("resumed"):
            again = self.over or self.phase in ("", "search", "forecast")
            self.over = False
            self._turn(("search" if self.forecast else "forecast") if again else self.phase, at)

    def _turn(self, phase: str, at: float) -> None:
        if phase != self.phase:
            if self.phase:
                self.lasted[self.phase] = self.lasted.get(self.phase, 0.0) + at - self._phase_began
            self.phase, self._phase_began = phase, at

    def _ended(self, kind: str, body: dict[str, Any]) -> bool:
        self.running.discard(body["number"])
        if kind == "lost":
            return False
        state = body["state"]
        self.states[state] = self.states.get(state, 0) + 1
        values, reach = self._values.pop(body["number"], {}), self._reach.pop(body["number"], math.inf)
        if self.goal is None or state not in ("finished", "stopped") or self.goal.broken(values):
            return False
        key = self.goal.primary.key
        if key not in values or values[key] != values[key]:
            return False
        found = (-reach, self.goal.primary.cost(values[key]))  # a longer training counts before a shorter one
        if found >= self._rank:
            return False
        self.best, self._rank = {"trial": body["number"], "values": values}, found
        return True

    @property
    def trials(self) -> int:
        """Trials that ended, whatever became of them."""
        return sum(count for state, count in self.states.items() if state in DONE)

    @property
    def trainings(self) -> int:
        """Final trainings that the forecast planned: winner and random architectures, seed by seed."""
        return int(self.forecast.get("seeds", 0)) * (1 + int(self.forecast.get("randoms", 0)))

    def elapsed(self, now: float | None = None) -> float:
        """Seconds worked on the run, earlier sessions included."""
        return self._spent + ((now or time.time()) - self._began if self._began is not None else 0.0)

    def left(self) -> float | None:
        """Seconds of the budget that are left; None without a bound in time."""
        seconds = self.budget.get("seconds")
        return None if seconds is None else max(0.0, float(seconds) - self.elapsed())

    def share(self) -> float | None:
        """How much of the budget is spent, 0 to 1: of the time, or of the trials where only they are bounded."""
        if self.budget.get("seconds"):
            return min(1.0, self.elapsed() / float(self.budget["seconds"]))
        if self.budget.get("trials"):
            return min(1.0, self.trials / int(self.budget["trials"]))
        return None

    def lasting(self) -> float:
        """Seconds since the phase began."""
        return max(0.0, time.time() - self._phase_began) if self._phase_began else 0.0
