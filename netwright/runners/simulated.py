"""A table's clock: work is done at once in this process, and arrives at the simulated time at which it would have been done."""

from __future__ import annotations

import heapq
import json
import math
from collections import deque
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from netwright.core.contracts import Arrival, Job, Runner
from netwright.runners.handling import ENDS, Handler, Step, encode, failure, resolve, steps

__all__ = ["SimulatedRunner"]


@dataclass
class _Work:
    """A job under way. ``at``: the simulated time that it has come to."""

    job: Job
    stream: Generator[Step, None, None]
    began: float
    at: float


class SimulatedRunner(Runner):
    """``setup`` is ``module:function``, called once with ``argument`` for the handler. So many ``workers`` work side by side.

    A step takes the seconds of its ``cost``; arrivals come in the order of simulated time, those of one instant in the order
    in which their jobs were submitted. Nothing waits: a ``timeout_s`` is simulated too. ``now`` begins at ``start``; a job whose
    key is in ``began`` starts at that time, which may be past: so a resumed search goes on as if nothing had happened.
    """

    def __init__(
        self,
        setup: str,
        argument: Mapping[str, Any],
        workers: int = 1,
        *,
        start: float = 0.0,
        began: Mapping[str, float] | None = None,
    ) -> None:
        self._setup, self._argument, self._workers = setup, argument, workers
        self._handler: Handler | None = None
        self._queue: deque[Job] = deque()
        self._under_way: dict[str, _Work] = {}
        self._waiting: list[tuple[float, int, str, Step]] = []
        self._idle: deque[str] = deque()
        """Jobs whose next step is done when somebody waits for it: after the last they may have been told to stop."""
        self._submitted = 0
        self._order: dict[str, int] = {}
        self._began = dict(began or {})
        self.now = start

    def slots(self) -> int:
        return self._workers

    def busy(self) -> int:
        return len(self._under_way) + len(self._queue)

    def submit(self, job: Job) -> None:
        encode(job.body)
        self._queue.append(job)
        self._begin()

    def arrivals(self, timeout_s: float) -> Sequence[Arrival]:
        """The next arrival, at its time; none where it lies more than ``timeout_s`` ahead, which then have passed."""
        while self._idle:
            self._step(self._idle.popleft())
        if not self._waiting:
            return ()
        at, order, key, step = heapq.heappop(self._waiting)
        if at > self.now + timeout_s:
            heapq.heappush(self._waiting, (at, order, key, step))
            self.now += timeout_s
            return ()
        self.now = max(self.now, at)
        work = self._under_way[key]
        if step["kind"] in ENDS:
            self._end(key)
        else:
            self._idle.append(key)
        body = {**step.get("body", {}), "seconds": round(at - work.began, 6), "clock": round(at, 6)}
        return (Arrival(key, step["kind"], body, step.get("reason", "")),)

    def stop(self, key: str) -> None:
        if key in self._under_way:
            self._waiting = [entry for entry in self._waiting if entry[2] != key]
            heapq.heapify(self._waiting)
            self._end(key)
        self._queue = deque(job for job in self._queue if job.key != key)

    def close(self) -> None:
        self._queue.clear()
        for key in list(self._under_way):
            self.stop(key)

    def _begin(self) -> None:
        """Give every free worker a job."""
        while self._queue and len(self._under_way) < self._workers:
            job = self._queue.popleft()
            began = self._began.pop(job.key, self.now)
            try:
                if self._handler is None:
                    self._handler = resolve(self._setup)(self._argument)
                stream = steps(self._handler, job.kind, json.loads(encode(job.body)))
            except Exception as error:
                stream = (step for step in [failure(error)])
            self._under_way[job.key] = _Work(job, stream, began, began)
            self._order[job.key] = self._submitted = self._submitted + 1
            self._idle.append(job.key)

    def _step(self, key: str) -> None:
        """Do the next step of a job; it arrives when its cost is paid."""
        work = self._under_way.get(key)
        if work is None:
            return
        step = next(work.stream)
        cost = sum(step.get("body", {}).get("cost", {}).values())
        limit = math.inf if work.job.limit_s is None else work.began + work.job.limit_s
        if work.at + cost > limit:
            step = {"kind": "failed", "reason": f"ran past its time limit of {work.job.limit_s:g} s"}
            work.at = limit
        else:
            work.at += cost
        heapq.heappush(self._waiting, (work.at, self._order[key], key, step))

    def _end(self, key: str) -> None:
        self._under_way.pop(key).stream.close()
        del self._order[key]
        self._begin()
