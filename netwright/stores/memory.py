"""A store that lives as long as the program: for tests and notebooks."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from threading import Lock

from netwright.core.contracts import Event, Store
from netwright.errors import RunError
from netwright.stores.vault import digest_of

__all__ = ["MemoryStore"]


class MemoryStore(Store):
    """The log is a list, the vault a dictionary. Bodies go through JSON, as they would on disk."""

    def __init__(self) -> None:
        self._lines: list[tuple[str, str, float]] = []
        self._blobs: dict[str, bytes] = {}
        self._lock = Lock()

    def append(self, event: Event) -> int:
        line = event.kind, json.dumps(dict(event.body), allow_nan=False), event.at or time.time()
        with self._lock:
            self._lines.append(line)
            return len(self._lines)

    def events(self, since: int = 0) -> Iterator[Event]:
        while since < len(self._lines):
            kind, body, at = self._lines[since]
            since += 1
            yield Event(kind, json.loads(body), at, since)

    def put(self, blob: bytes) -> str:
        digest = digest_of(blob)
        self._blobs[digest] = bytes(blob)
        return digest

    def get(self, digest: str) -> bytes:
        if digest not in self._blobs:
            raise RunError(f"no blob has the digest {digest!r}")
        return self._blobs[digest]

    def remove(self, digest: str) -> None:
        self._blobs.pop(digest, None)

    def close(self) -> None:
        """Nothing to do: the log is still there to be read."""
