"""A runner in this very process, one job at a time: for tests, notebooks and debuggers."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Generator, Mapping, Sequence
from typing import Any

from netwright.core.contracts import Arrival, Job, Runner
from netwright.runners.handling import ENDS, Handler, Step, encode, failure, resolve, steps

__all__ = ["InlineRunner"]


class InlineRunner(Runner):
    """``setup`` is ``module:function``, called once with ``argument`` for the handler.

    Nothing happens until :meth:`arrivals` is called, which works up to the next step of the current job. A time limit is
    looked at between two steps only, and what kills or hangs a job kills or hangs the search: :class:`ProcessRunner` isolates.
    """

    def __init__(self, setup: str, argument: Mapping[str, Any]) -> None:
        self._setup, self._argument = setup, argument
        self._handler: Handler | None = None
        self._queue: deque[Job] = deque()
        self._job: Job | None = None
        self._stream: Generator[Step, None, None] | None = None
        self._began = 0.0

    def slots(self) -> int:
        return 1

    def busy(self) -> int:
        """Whether there is a job, begun or waiting."""
        return int(self._job is not None or bool(self._queue))

    def prestart(self) -> None:
        """Nothing to start."""

    def submit(self, job: Job) -> None:
        encode(job.body)
        self._queue.append(job)

    def arrivals(self, timeout_s: float) -> Sequence[Arrival]:
        """One step of the current job, however long it takes."""
        if self._job is None:
            if not self._queue:
                return ()
            self._begin(self._queue.popleft())
        job, stream = self._job, self._stream
        assert job is not None
        assert stream is not None
        step = next(stream)
        if job.limit_s is not None and time.monotonic() - self._began > job.limit_s:
            step = {"kind": "failed", "reason": f"ran past its time limit of {job.limit_s:g} s"}
        if step["kind"] in ENDS:
            self._end()
        return (Arrival(job.key, step["kind"], step.get("body", {}), step.get("reason", "")),)

    def stop(self, key: str) -> None:
        if self._job is not None and self._job.key == key:
            self._end()
        self._queue = deque(job for job in self._queue if job.key != key)

    def close(self) -> None:
        self._queue.clear()
        self._end()

    def _begin(self, job: Job) -> None:
        self._job = job
        try:
            if self._handler is None:
                self._handler = resolve(self._setup)(self._argument)
            self._stream = steps(self._handler, job.kind, json.loads(encode(job.body)))
        except Exception as error:
            self._stream = (step for step in [failure(error)])
        self._began = time.monotonic()

    def _end(self) -> None:
        stream, self._stream, self._job = self._stream, None, None
        if stream is not None:
            stream.close()
