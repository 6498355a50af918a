"""One pass over the log of a run: what its events leave behind, whatever the event at which it breaks off."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from netwright.core.architecture import Architecture
from netwright.core.contracts import Event
from netwright.core.trial import DONE, Fidelity, Measurement, Proposal, Trial
from netwright.report.clock import Clock

__all__ = ["Body", "Log"]

Body = dict[str, Any]

_UNBUILT = Architecture((), ())
"""Stands in for architectures, which comparing trials never looks at."""


@dataclass
class Log:
    """What one pass over the events leaves."""

    clock: Clock = field(default_factory=Clock)
    state: str = "empty"
    over: bool = False  # the search is, the finish may not be
    extended: bool = False  # a finished run goes on; what comes of it takes the old result's place
    created: Body = field(default_factory=dict)
    trials: dict[int, Body] = field(default_factory=dict)
    stages: dict[str, float] = field(default_factory=dict)
    screened: int = 0
    twins: int = 0
    lost: int = 0
    simulated_s: float | None = None
    forecast: Body | None = None
    stopped: Body | None = None
    finished: Body | None = None
    finalists: dict[int, Body] = field(default_factory=dict)
    winner: Body | None = None
    arms: dict[tuple[str, str, int], Body] = field(default_factory=dict)
    tested: dict[tuple[str, str, int], Body] = field(default_factory=dict)
    unsealed: list[Body] = field(default_factory=list)
    result: Body | None = None
    exported: Body | None = None

    def read(self, event: Event) -> None:
        """Take the next event in."""
        now, body = self.clock.tick(event), dict(event.body)
        if "clock" in body:
            self.simulated_s = max(self.simulated_s or 0.0, body["clock"])
        match event.kind:
            case "created":
                self.created, self.state = {**body, "at": event.at}, "searching"
            case "session":
                self.state = "finishing" if self.over and self.finished is None else "searching"
                self.extended = self.extended or self.finished is not None
                self.finished = self.stopped = None
            case "forecast":
                self.forecast = body
            case "proposed" | "started" | "measured" | "ended" | "lost":
                self._trial(event.kind, body, now)
            case _:
                self._finish(event.kind, body, event.at)

    def _trial(self, kind: str, body: Body, now: float) -> None:
        if kind == "proposed":
            self.state, self.over = "searching", False
            self.screened += int((body.get("notes") or {}).get("screened", 0))
            row = self.trials.setdefault(body["number"], {"number": body["number"]})
            row.update(_fresh(body))
            return
        row = self.trials.setdefault(body["number"], {"number": body["number"], **_fresh(body)})
        match kind:
            case "started":
                row.update(state="running", attempt=body.get("attempt", 1), metrics={}, reason="", started_s=now)
            case "measured":
                row["metrics"].update(body.get("values", {}))
                row["fidelity"] = body.get("fidelity") or row["fidelity"]
                self.twins += "twin" in (body.get("notes") or {})
                row["noisy"] = row["noisy"] or bool((body.get("notes") or {}).get("noisy"))
                for stage, seconds in (body.get("cost") or {}).items():
                    self.stages[stage] = self.stages.get(stage, 0.0) + seconds
            case "ended":
                ended = body.get("clock", now)  # a table's clock, where there is one
                row.update(state=body["state"], reason=body.get("reason", ""), seconds=body.get("seconds", 0.0), ended_s=ended)
            case "lost":
                self.lost += 1
                row.update(state="lost", reason=body.get("reason", ""), ended_s=now)

    def _finish(self, kind: str, body: Body, at: float) -> None:
        if kind in ("finalist", "winner"):
            self._superseded(body)
        key = (body.get("arm", ""), str(body.get("name") or body.get("id", "")), body.get("seed", 0))
        match kind:
            case "stopped":
                self.stopped = body
                self.over = body.get("reason") != "interrupted" or self.over
                self.state = {"interrupted": "interrupted", "infeasible": "infeasible"}.get(body.get("reason", ""), "finishing")
                return
            case "finished":
                self.finished = body
            case "finalist":
                self.finalists[body["number"]] = body
            case "winner":
                self.winner = body
                self.finalists.setdefault(body["number"], body)
            case "control":
                self.arms[key] = body
            case "unsealed":
                self.unsealed.append({**body, "at": at})
            case "tested":
                self.tested[key] = body
            case "result":
                self.result = body
            case "exported":
                self.exported = body
            case _:
                return  # an event of a later version
        self.state, self.over = "finishing" if self.finished is None else "finished", True

    def _superseded(self, body: Body) -> None:
        """Forget the result of a search that was extended since, or of another winner."""
        if self.extended:
            self.finalists, self.winner, self.extended = {}, None, False
        elif self.winner is None or self.winner["number"] == body["number"]:
            return
        self.arms, self.tested, self.result, self.exported = {}, {}, None, None

    def cut(self) -> None:
        """The search is over, or stands still: what was under way ended with it."""
        for row in self.trials.values():
            if row["state"] in ("pending", "running"):
                row.update(state="cut", reason="the search ended first")

    def values(self, row: Body) -> dict[str, float]:
        """A trial's metrics, as measured again where it was a finalist."""
        again = self.finalists.get(row["number"], {}).get("values", {})
        return {**row["metrics"], **again} if again else row["metrics"]

    def as_trials(self) -> list[Trial]:
        """The ended trials in the shape in which the core compares them."""
        proposal = Proposal(_UNBUILT)
        ended = (row for row in self.trials.values() if row["state"] in DONE)
        return [Trial(row["number"], proposal, row["state"], (Measurement(self.values(row), _reached(row)),)) for row in ended]


def _reached(row: Body) -> Fidelity | None:
    return Fidelity.from_json(row["fidelity"]) if row["fidelity"] else None


def _fresh(body: Body) -> Body:
    return {
        "state": "pending",
        "architecture": body.get("id", ""),
        "metrics": {},
        "reason": "",
        "seconds": 0.0,
        "attempt": body.get("attempt", 1),
        "fidelity": body.get("fidelity"),
        "parent": body.get("parent"),
        "continues": body.get("continues"),
        "noisy": False,
        "started_s": None,
        "ended_s": None,
    }
