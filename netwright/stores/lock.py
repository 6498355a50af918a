"""One run is worked on by one process: a lock that the operating system releases when its holder dies, however it dies."""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from netwright.errors import RunError

__all__ = ["RunLock", "held"]

_FAR = 2**30  # Windows locks bytes and forbids reading them: lock one that nobody reads.


class RunLock:
    """``with RunLock(folder): …`` The file ``lock`` stays; who holds it is written inside, for the message only."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            self._fd = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            todo = "Copy the folder to where you may write." if folder.is_dir() else ""
            raise RunError(f"the run cannot be written ({error.strerror})", where=str(folder), todo=todo) from None
        if not (_locked(self._fd) or _locked(self._fd, after_s=0.05)):  # Twice: somebody may just be asking.
            holder = self._holder()
            os.close(self._fd)
            raise RunError(f"the run is in use by {holder}", where=str(folder), todo="Wait for it, or stop it.")
        text = json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "since": time.time()})
        try:
            os.ftruncate(self._fd, 0)
            os.pwrite(self._fd, text.encode(), 0) if hasattr(os, "pwrite") else os.write(self._fd, text.encode())
        except OSError:
            pass  # A full disk: the lock holds all the same.

    def _holder(self) -> str:
        try:
            told = json.loads(os.read(self._fd, 4096))
            return f"process {told['pid']} on {told['host']}"
        except (OSError, ValueError, KeyError, TypeError):
            return "another process"

    def release(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.release()


def held(folder: Path) -> bool:
    """Whether a process is working on the run."""
    try:
        fd = os.open(folder / "lock", os.O_RDONLY)
    except OSError:
        return False
    try:
        return not _locked(fd)
    finally:
        os.close(fd)


def _locked(fd: int, after_s: float = 0.0) -> bool:
    """Take the lock if it is free."""
    time.sleep(after_s)
    try:
        if sys.platform == "win32":
            import msvcrt

            os.lseek(fd, _FAR, os.SEEK_SET)
            msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
            os.lseek(fd, 0, os.SEEK_SET)
        else:
            import fcntl

            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        if sys.platform == "win32":
            os.lseek(fd, 0, os.SEEK_SET)
        return False
    return True
