"""Local workers: one process per slot, forked from a server that has torch loaded, one pipe each that carries JSON only."""

from __future__ import annotations

import importlib.util
import json
import math
import signal
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.connection import wait
from typing import Any

from netwright.core.contracts import Arrival, Job, Runner
from netwright.errors import WorkerError
from netwright.runners.handling import ENDS, encode, is_memory, out_of_memory
from netwright.runners.local import LocalWorker, fork_server, memory_share

__all__ = ["ProcessRunner"]

_POLITE_S = 0.8  # A job that was told to stop has this long to reach its next measurement.
_SETUP_S = 120.0  # The first job of a worker waits this long for its set-up: imports, data.


@dataclass
class _Slot:
    """A place for one worker, and what it is doing. It is killed at ``until``, for the reason ``why``.

    ``again``: its worker had idled before and has not begun; if it is found dead, the job goes to another.
    """

    worker: LocalWorker | None = None
    job: Job | None = None
    until: float = math.inf
    why: str = ""
    stopping: bool = False
    again: bool = False

    def free(self) -> None:
        self.job, self.until, self.stopping, self.again = None, math.inf, False, False


class ProcessRunner(Runner):
    """``setup`` is ``module:function``; each worker calls it once with ``argument`` (JSON) and has its handler.

    ``memory_gib`` limits each worker's data; None takes 80 % of what is free, shared out. A worker that dies, is killed at
    its job's time limit or runs out of memory is replaced. A job told to stop is let go on to its next measurement, for 0.8 s
    at most; that and the time limits are seen to inside :meth:`arrivals`, which is where the search spends its time.
    """

    def __init__(
        self,
        setup: str,
        argument: Mapping[str, Any],
        workers: int,
        memory_gib: float | None = None,
        threads: int = 1,
        preload: Sequence[str] = ("torch",),
    ) -> None:
        if workers < 1:
            raise WorkerError(f"{workers} workers cannot do any work", todo="Ask for one at least.")
        self.memory_gib = memory_gib or memory_share(workers)
        self._told: dict[str, Any] = {"setup": setup, "argument": dict(argument), "threads": threads}
        self._told["memory_gib"] = self.memory_gib
        encode(self._told)
        self._preload = [name for name in preload if _is_there(name)]
        self._slots = [_Slot() for _ in range(workers)]
        self._queue: deque[Job] = deque()
        self._arrived: list[Arrival] = []

    def slots(self) -> int:
        return len(self._slots)

    def busy(self) -> int:
        """How many slots are at work right now."""
        return sum(slot.job is not None for slot in self._slots)

    def prestart(self) -> None:
        """Have the imports done meanwhile: returns at once."""
        fork_server(self._preload, self._told["threads"])

    def submit(self, job: Job) -> None:
        encode(job.body)
        self._queue.append(job)
        self._tend()

    def arrivals(self, timeout_s: float) -> Sequence[Arrival]:
        """As the contract says; returns at once where there is no work, since nothing can come."""
        until = time.monotonic() + timeout_s
        while True:
            self._tend()
            left = until - time.monotonic()
            if self._arrived or left <= 0 or not (self.busy() or self._queue):
                arrived, self._arrived = self._arrived, []
                return arrived
            self._listen(min(left, 60.0, *(slot.until - time.monotonic() for slot in self._slots)))

    def stop(self, key: str) -> None:
        self._queue = deque(job for job in self._queue if job.key != key)
        self._arrived = [arrival for arrival in self._arrived if arrival.key != key]
        for slot in self._slots:
            if slot.job is not None and slot.job.key == key and slot.worker is not None:
                slot.stopping, slot.until = True, time.monotonic() + _POLITE_S
                slot.worker.send({"stop": key})

    def close(self) -> None:
        self._queue.clear()
        self._arrived.clear()
        workers = [slot.worker for slot in self._slots if slot.worker is not None]
        for each in workers:
            each.kill()
        for each in workers:
            each.end()
        self._slots = [_Slot() for _ in self._slots]

    # ---- what happens meanwhile ---------------------------------------------------------------------------------------

    def _tend(self) -> None:
        """See to the clock, then give the free slots work."""
        now = time.monotonic()
        for slot in self._slots:
            if slot.until <= now and slot.worker is not None:
                self._read(slot)  # It may have ended just in time.
                if slot.job is not None and slot.until <= now:
                    tail = slot.worker.tail()
                    self._replace(slot)
                    self._say(slot, "failed", slot.why, tail)
        for slot in self._slots:
            if slot.job is None and self._queue:
                self._give(slot, self._queue.popleft())

    def _give(self, slot: _Slot, job: Job) -> None:
        for _ in range(3):
            slot.again = slot.worker is not None
            if slot.worker is None:
                slot.worker = LocalWorker(self._told, self._preload)
            slot.until, slot.why = time.monotonic() + _SETUP_S, f"the worker was not set up within {_SETUP_S:g} s"
            if slot.worker.send({"job": {"key": job.key, "kind": job.kind, "body": dict(job.body)}}):
                slot.job = job
                return
            self._replace(slot)  # It died while idle.
        raise WorkerError("no worker could be started", todo="See `netwright doctor`.")

    def _listen(self, timeout_s: float) -> None:
        """Wait until a worker says something or dies, and take it in."""
        by_source: dict[Any, _Slot] = {}
        for slot in self._slots:
            if slot.worker is not None:
                by_source[slot.worker.channel] = by_source[slot.worker.process.sentinel] = slot
        ready = wait(list(by_source), max(0.0, timeout_s))
        for slot in {id(by_source[source]): by_source[source] for source in ready}.values():
            alive = self._read(slot)
            if slot.worker is not None and not (alive and slot.worker.alive()):
                self._read(slot)  # What it said before it died counts.
                self._bury(slot)

    def _read(self, slot: _Slot) -> bool:
        """Take in all that a worker has said. False where its pipe has ended."""
        while slot.worker is not None:
            try:
                if not slot.worker.channel.poll():
                    return True
                self._take(slot, json.loads(slot.worker.channel.recv_bytes()))
            except (EOFError, OSError):
                return False
        return True

    def _take(self, slot: _Slot, said: Mapping[str, Any]) -> None:
        job = slot.job
        if job is None or said["key"] != job.key:
            return
        kind = said["kind"]
        if kind == "began":
            slot.again = False
            if not slot.stopping:
                slot.until = time.monotonic() + (math.inf if job.limit_s is None else job.limit_s)
                slot.why = f"ran past its time limit of {job.limit_s:g} s" if job.limit_s is not None else ""
            return
        if said.get("retire"):
            self._replace(slot)
        if kind == "stopped":
            slot.free()
        elif kind in ENDS:
            self._say(slot, kind, said["reason"], body=said["body"])
        elif not slot.stopping:
            self._arrived.append(Arrival(job.key, "measured", said["body"], said["reason"]))

    def _bury(self, slot: _Slot) -> None:
        """A worker died by itself: say why, as far as that can be known."""
        dead = slot.worker
        assert dead is not None
        code, tail, starved = dead.exitcode(), dead.tail(), dead.starved()
        self._replace(slot)
        if slot.again and slot.job is not None and not slot.stopping:
            self._queue.appendleft(slot.job)
            slot.free()
            return
        last = tail.strip().rpartition("\n")[2][:200]
        if starved or is_memory(RuntimeError(tail)):
            self._say(slot, "failed", out_of_memory("", self.memory_gib), tail)
        elif code < 0:
            name = signal.Signals(-code).name if -code in set(signal.Signals) else "unknown"
            self._say(slot, "lost", f"worker killed by signal {-code} ({name})", tail)
        else:
            self._say(slot, "lost", f"worker ended by itself, exit code {code}" + (f": {last}" if last else ""), tail)

    def _say(self, slot: _Slot, kind: Any, reason: str, stderr: str = "", body: Mapping[str, Any] | None = None) -> None:
        """The job of a slot has come to its end."""
        if slot.job is not None and not slot.stopping:
            told = {"stderr": stderr} if stderr else {}
            self._arrived.append(Arrival(slot.job.key, kind, told if body is None else body, reason))
        slot.free()

    def _replace(self, slot: _Slot) -> None:
        """End a worker; the next job of its slot starts another."""
        if slot.worker is not None:
            slot.worker.kill()
            slot.worker.end()
            slot.worker = None


def _is_there(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False
