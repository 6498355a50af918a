"""The inside of a local worker process: takes jobs as JSON from a pipe, answers in JSON, and dies with the search."""

from __future__ import annotations

import contextlib
import faulthandler
import json
import multiprocessing
import os
import signal
import sys
from collections.abc import Mapping
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from netwright.runners.handling import ENDS, Handler, encode, failure, resolve, steps

__all__ = ["main"]


def main(channel: Connection, text: str) -> None:
    """Serve until the pipe ends. ``text``: JSON with setup, argument, threads, memory_gib, log."""
    told = json.loads(text)
    _settle(told)
    handler: Handler | None = None
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        while True:
            order = json.loads(channel.recv_bytes())
            if "job" not in order:  # A stop that crossed with the end of its job.
                continue
            os.ftruncate(2, 0)
            job = order["job"]
            try:
                if handler is None:
                    handler = resolve(told["setup"])(told["argument"])
            except (Exception, SystemExit) as error:
                end = failure(error, told["memory_gib"])
                end["reason"] = f"the worker could not be set up: {end['reason']}"
                channel.send_bytes(encode({"key": job["key"], **end}))
            else:
                _serve(channel, handler, job, told["memory_gib"])


def _serve(channel: Connection, handler: Handler, job: Mapping[str, Any], limit_gib: float | None) -> None:
    """One job, until its end or until it is told to stop."""
    key = job["key"]
    channel.send_bytes(encode({"key": key, "kind": "began"}))
    with contextlib.closing(steps(handler, job["kind"], job["body"], limit_gib)) as stream:
        for step in stream:
            channel.send_bytes(encode({"key": key, **step}))
            if step["kind"] in ENDS:
                return
            while channel.poll():
                if json.loads(channel.recv_bytes()).get("stop") == key:
                    stream.close()
                    channel.send_bytes(encode({"key": key, "kind": "stopped"}))
                    return


def _settle(told: Mapping[str, Any]) -> None:
    """Make this process one that Ctrl-C does not reach, that has its own limits, and that cannot outlive the search."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if told["log"]:
        log = os.open(told["log"], os.O_WRONLY | os.O_APPEND)
        with contextlib.suppress(OSError):
            os.unlink(told["log"])  # It lives on as an open file: nothing is left behind.
        os.dup2(log, 1)
        os.dup2(log, 2)
        faulthandler.enable()
    _keep_memory()
    if sys.platform != "win32":
        os.setpgid(0, 0)
        _die_with_parent()
        _limit(told["memory_gib"])
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(told["threads"])


def _die_with_parent() -> None:
    """Ask for a signal at the end-of-file of the pipe that the search holds: it comes even while the work hangs in C code.

    The parent to the kernel is the fork server, which outlives the search as long as a worker lives: PR_SET_PDEATHSIG
    would wait for it in vain.
    """
    import fcntl

    parent = multiprocessing.parent_process()
    if parent is None or not hasattr(os, "O_ASYNC"):
        return
    lifeline = parent.sentinel
    signal.signal(signal.SIGIO, signal.SIG_DFL)  # Ends the process.
    fcntl.fcntl(lifeline, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(lifeline, fcntl.F_SETFL, fcntl.fcntl(lifeline, fcntl.F_GETFL) | os.O_ASYNC)


def _keep_memory() -> None:
    """Have glibc keep what is freed: giving it back costs a training hundreds of page faults a step (10 to 20 % of its time)."""
    import ctypes

    with contextlib.suppress(OSError, AttributeError):  # another C library has no mallopt, and needs none
        library = ctypes.CDLL(None)
        library.mallopt(-3, 1 << 30)  # M_MMAP_THRESHOLD
        library.mallopt(-1, 1 << 30)  # M_TRIM_THRESHOLD


def _limit(memory_gib: float | None) -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if memory_gib:
        # Data, not address space: libraries map far more than they touch.
        size = int(memory_gib * 2**30)
        resource.setrlimit(resource.RLIMIT_DATA, (size, size))
    with contextlib.suppress(OSError):  # If the machine runs short, the kernel shall take a worker, not the search.
        Path("/proc/self/oom_score_adj").write_text("700")
