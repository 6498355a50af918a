"""The search's end of one local worker: how it is started, spoken to, watched and ended, and how much memory it may have."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from multiprocessing import forkserver, resource_tracker
from pathlib import Path
from types import ModuleType
from typing import Any

from netwright.errors import WorkerError
from netwright.runners import worker
from netwright.runners.handling import encode

__all__ = ["LocalWorker", "fork_server", "memory_share"]


class LocalWorker:
    """The search's end of one worker process."""

    def __init__(self, told: Mapping[str, Any], preload: Sequence[str]) -> None:
        self._log, log = tempfile.mkstemp(prefix="netwright-worker-", suffix=".log")
        self.channel, theirs = multiprocessing.Pipe()
        context: Any = fork_server(preload, told["threads"])
        text = encode({**told, "log": log}).decode()
        self.process = context.Process(target=worker.main, args=(theirs, text), daemon=True, name="netwright worker")
        self._starved = _kernel_kills()
        try:
            with _no_main():
                self.process.start()
        except (EOFError, OSError) as error:
            os.close(self._log)
            os.unlink(log)
            raise WorkerError(f"a worker could not be started ({error})", todo="See `netwright doctor`.") from error
        finally:
            theirs.close()

    def send(self, message: Mapping[str, Any]) -> bool:
        """False where the worker is gone."""
        try:
            self.channel.send_bytes(encode(message))
        except OSError:
            return False
        return True

    def alive(self) -> bool:
        return bool(self.process.is_alive())

    def exitcode(self) -> int:
        self.process.join(1)
        return int(self.process.exitcode or 0)

    def starved(self) -> bool:
        """Whether it was killed, and the kernel has killed somebody for want of memory since it started."""
        return self.exitcode() == -9 and _kernel_kills() > self._starved

    def tail(self) -> str:
        """The end of what it wrote to standard output and error, without Python's long list of loaded modules."""
        size = os.fstat(self._log).st_size
        os.lseek(self._log, max(0, size - 65536), os.SEEK_SET)
        lines = os.read(self._log, 65536).decode(errors="replace").splitlines(keepends=True)
        return "".join(line for line in lines if not line.startswith("Extension modules:"))[-4000:]

    def kill(self) -> None:
        """With all that it started."""
        with contextlib.suppress(OSError, AttributeError):
            os.killpg(self.process.pid, signal.SIGKILL)
        with contextlib.suppress(OSError):
            self.process.kill()

    def end(self) -> None:
        self.process.join(2)
        self.channel.close()
        os.close(self._log)


def memory_share(workers: int) -> float:
    """GiB for each worker: 80 % of what is free, in this container where there is one, shared out."""
    import psutil

    free = float(psutil.virtual_memory().available)
    with contextlib.suppress(OSError, ValueError):
        group = Path("/sys/fs/cgroup")
        free = min(free, int((group / "memory.max").read_text()) - int((group / "memory.current").read_text()))
    return max(0.25, 0.8 * free / workers / 2**30)


def _kernel_kills() -> int:
    """How many processes the kernel has killed for want of memory; 0 where it does not say."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/vmstat").read_text().splitlines():
            if line.startswith("oom_kill "):
                return int(line.split()[1])
    return 0


def fork_server(preload: Sequence[str], threads: int) -> Any:
    """The way to start processes; where it can be, a fork server that has the modules loaded, started now if it was not."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(preload))
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, str(threads)))
    resource_tracker.ensure_running()  # Or it would be started below, and unblock the signal.
    # Ctrl-C shall reach neither the server nor what it forks: both inherit the mask.
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        with _no_main():
            forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
    return context


@contextlib.contextmanager
def _no_main() -> Iterator[None]:
    """Keep a started process from running the script at hand once more: a worker needs nothing from it."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main
