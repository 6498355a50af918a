"""One process's work on a run: the parts a recipe was composed into, the clock, and a way to do a batch of jobs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from netwright.core.contracts import Arrival, Estimator, Event, Job, Runner, Store, Strategy, Task
from netwright.core.objectives import Goal
from netwright.core.space import Space
from netwright.loop import Ledger
from netwright.recipe import Recipe

__all__ = ["Session"]


@dataclass
class Session:
    """Everything that is open while a run is worked on. ``deadline``: monotonic end of the budget, None without one."""

    recipe: Recipe
    folder: Path
    task: Task
    space: Space
    goal: Goal
    strategy: Strategy
    estimator: Estimator
    store: Store
    runner: Runner
    ledger: Ledger
    deadline: float | None = None
    tell: Callable[[Event], None] = lambda event: None
    screened: Callable[[], int] = lambda: 0
    log: list[Event] = field(default_factory=list)

    def write(self, kind: str, /, **body: Any) -> Event:
        """Append an event to the log, and tell whoever watches."""
        event = Event(kind, body, time.time())
        event = replace(event, number=self.store.append(event))
        self.noted(event)
        return event

    def noted(self, event: Event) -> None:
        self.log.append(event)
        self.tell(event)

    def of(self, kind: str) -> list[Event]:
        """The events of a kind so far, those of earlier sessions included."""
        return [event for event in self.log if event.kind == kind]

    @property
    def left_s(self) -> float:
        """Seconds of the budget that are left; infinite without one."""
        return float("inf") if self.deadline is None else self.deadline - time.monotonic()

    def batch(
        self, jobs: Sequence[Job], kind: str, until: float | None = None, needed: str = ""
    ) -> Iterator[tuple[Job, Arrival]]:
        """Do jobs on all slots, in their order; yields every arrival. At ``until`` (monotonic) what is left is stopped, but for
        the first job where its key is ``needed``."""
        waiting, under_way = list(jobs), dict[str, Job]()
        while waiting or under_way:
            late = until is not None and time.monotonic() >= until
            if late:
                waiting = [job for job in waiting if job.key == needed]
                if not waiting and needed not in under_way:
                    break
            while waiting and self.runner.busy() < self.runner.slots():
                job = waiting.pop(0)
                under_way[job.key] = job
                self.runner.submit(job)
            self.ledger.turn(kind if self.runner.busy() else "idle")
            patience = 0.5 if until is None or late else max(0.0, min(0.5, until - time.monotonic()))
            for arrival in self.runner.arrivals(patience):
                yield under_way[arrival.key], arrival
                if arrival.kind != "measured":
                    del under_way[arrival.key]
        for key in under_way:
            self.runner.stop(key)
        self.ledger.turn("idle")
