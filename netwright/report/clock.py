"""Where the wall-clock time of a run went, from the instants in its log alone."""

from __future__ import annotations

from collections.abc import Mapping

from netwright.core.contracts import Event

__all__ = ["PHASES", "Clock", "renamed"]

_OF_KIND = {
    "created": "start",
    "forecast": "forecast",
    "finalist": "finalists",
    "winner": "finalists",
    "control": "final training",
    "unsealed": "test",
    "tested": "test",
    "result": "test",
    "exported": "export",
    "finished": "report",
}

PHASES = ("start", "forecast", "search", "overhead", "finalists", "final training", "test", "export", "report")
"""In the order in which a run goes through them. ``overhead``: during the search, while no slot trains or measures."""

_LEDGER = {"busy": "search", "idle": "overhead", "start": "overhead", "data": "overhead", "final": "final training"}
"""What the run's own ledger calls them, where that differs."""

_ORDER = {
    kind: place
    for place, kind in enumerate(("imports", "forecast", "busy", "idle", "start", "data", "final", "export", "report"))
}


class Clock:
    """Adds up the time between events, by phase. The time between two sessions, when nobody worked on the run, is left out."""

    def __init__(self) -> None:
        self.elapsed = 0.0
        self.sessions = 0
        self.phases = dict.fromkeys(PHASES, 0.0)
        self._last: float | None = None
        self._running = False
        self._busy: set[int] = set()

    def tick(self, event: Event) -> float:
        """Take the next event in; returns the seconds worked on the run until then."""
        gap = event.at - self._last if self._running and self._last is not None else 0.0
        if event.kind == "session":  # what lies before it is nobody's work, but for its own start
            gap = event.at - float(event.body.get("started", event.at if self.sessions else self._last or event.at))
            self.sessions += 1
            self._running = True
            self._busy.clear()
        gap = max(0.0, gap)  # clocks are set back at times
        self._last = event.at
        self.elapsed += gap
        self.phases[self._phase(event.kind)] += gap
        if event.kind == "started":
            self._busy.add(event.body["number"])
        elif event.kind in ("ended", "lost"):
            self._busy.discard(event.body["number"])
        elif event.kind == "finished" or (event.kind == "stopped" and event.body.get("reason") == "interrupted"):
            self._running = False
        return self.elapsed

    def _phase(self, kind: str) -> str:
        """What was going on until an event of this kind."""
        if kind == "session":
            return "start"
        return _OF_KIND.get(kind) or ("search" if self._busy else "overhead")


def renamed(ledger: Mapping[str, float]) -> dict[str, float]:
    """The ledger of a run that finished, in the words used here."""
    phases: dict[str, float] = {}
    order = {kind: place for place, kind in enumerate(_ORDER)}
    ledger = dict(sorted(ledger.items(), key=lambda entry: order.get(entry[0], len(order))))
    for kind, seconds in ledger.items():
        name = _LEDGER.get(kind, kind)
        phases[name] = phases.get(name, 0.0) + seconds
    return phases
