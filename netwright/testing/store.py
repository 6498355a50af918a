"""What every store must do, as classes of tests; run as a program, a writer that the tests kill."""

from __future__ import annotations

import importlib
import json
import math
import sys
import time
from abc import ABC, abstractmethod
from contextlib import closing
from pathlib import Path
from subprocess import PIPE, Popen

from netwright.core.contracts import Event, Store
from netwright.core.seeds import stream
from netwright.errors import RunError

__all__ = ["DurableStoreKit", "StoreKit", "sqlite"]


class StoreKit(ABC):
    """For any store."""

    @abstractmethod
    def make(self, folder: Path) -> Store:
        """A new store, in ``folder`` where it needs one."""

    def test_events_come_back_in_order_and_since(self, tmp_path: Path) -> None:
        with closing(self.make(tmp_path)) as store:
            assert list(store.events()) == []
            bodies = [{"number": i, "values": {"accuracy": i / 7}, "text": "é\n\udc80 '\"", "none": None} for i in range(5)]
            numbers = [store.append(Event("measured", body, at=1.5 + i)) for i, body in enumerate(bodies)]
            assert numbers == [1, 2, 3, 4, 5]
            assert list(store.events()) == [Event("measured", b, 1.5 + i, i + 1) for i, b in enumerate(bodies)]
            assert [event.number for event in store.events(since=3)] == [4, 5]
            assert list(store.events(since=5)) == []

    def test_a_reader_sees_what_is_appended_meanwhile(self, tmp_path: Path) -> None:
        with closing(self.make(tmp_path)) as store:
            total = 2500  # More than a reader takes at once.
            for i in range(total):
                store.append(Event("started", {"number": i}))
            reader = store.events()
            assert next(reader).body == {"number": 0}
            store.append(Event("ended", {}))
            assert [event.number for event in reader] == list(range(2, total + 2))

    def test_the_time_is_noted(self, tmp_path: Path) -> None:
        with closing(self.make(tmp_path)) as store:
            before = time.time()
            store.append(Event("started", {}))
            assert before <= next(store.events()).at <= time.time()

    def test_a_body_is_strict_json(self, tmp_path: Path) -> None:
        with closing(self.make(tmp_path)) as store:
            for bad in (math.nan, math.inf, {1, 2}):
                try:
                    store.append(Event("measured", {"value": bad}))
                except (TypeError, ValueError):
                    continue
                raise AssertionError(f"{bad} was taken")
            assert store.append(Event("measured", {"value": 1})) == 1

    def test_blobs_come_back_by_digest(self, tmp_path: Path) -> None:
        with closing(self.make(tmp_path)) as store:
            blobs = [b"", b"weights", bytes(range(256)) * 1000]
            digests = [store.put(blob) for blob in blobs]
            assert len(set(digests)) == 3
            assert store.put(b"weights") == digests[1]
            assert [store.get(digest) for digest in digests] == blobs

    def test_only_a_digest_names_a_blob(self, tmp_path: Path) -> None:
        with closing(self.make(tmp_path)) as store:
            for name in ("0" * 32, "../run", "", "0" * 31 + "g"):
                try:
                    store.get(name)
                except RunError:
                    continue
                raise AssertionError(f"{name!r} gave something")


def sqlite(folder: Path) -> Store:
    """The store that runs are kept in, made if need be."""
    from netwright.stores.sqlite import SqliteStore

    return SqliteStore(folder, create=True)


class DurableStoreKit(StoreKit):
    """For a store that outlives its process. ``opener`` is ``module:function``: folder → the store there, made if need be."""

    opener: str

    def make(self, folder: Path) -> Store:
        return opened(self.opener, folder)

    def test_it_is_there_when_opened_again(self, tmp_path: Path) -> None:
        with closing(self.make(tmp_path)) as store:
            store.append(Event("created", {"seed": 3}, 2.0))
            digest = store.put(b"weights")
        with closing(self.make(tmp_path)) as store:
            assert list(store.events()) == [Event("created", {"seed": 3}, 2.0, 1)]
            assert store.get(digest) == b"weights"
            assert store.append(Event("session", {})) == 2

    def test_two_writers_lose_nothing(self, tmp_path: Path) -> None:
        self.make(tmp_path).close()
        writers = [self.writer(tmp_path, name, 300) for name in "ab"]
        printed = [[int(line) for line in writer.communicate()[0].split()] for writer in writers]
        assert [writer.returncode for writer in writers] == [0, 0]
        with closing(self.make(tmp_path)) as store:
            log = {event.number: event.body["writer"] for event in store.events()}
        assert sorted(log) == list(range(1, 601))
        for name, numbers in zip("ab", printed, strict=True):
            assert [number for number in sorted(log) if log[number] == name] == numbers

    def test_what_was_appended_survives_kill_9(self, tmp_path: Path) -> None:
        self.make(tmp_path).close()
        promised: set[int] = set()
        for i in range(10):
            writer = self.writer(tmp_path, str(i), 10**6)
            assert writer.stdout is not None
            first = writer.stdout.readline()
            time.sleep(stream(0, i, "kill").random() * 0.1)
            writer.kill()
            lines = (first + writer.communicate()[0]).split(b"\n")[:-1]  # The last may be cut short.
            promised.update(int(line) for line in lines)
            with closing(self.make(tmp_path)) as store:
                log = list(store.events())
            assert [event.number for event in log] == list(range(1, len(log) + 1))
            assert promised <= {event.number for event in log}
            assert all(json.loads(json.dumps(event.body))["blob"] for event in log)
        assert len(promised) >= 10

    def writer(self, folder: Path, name: str, count: int) -> Popen[bytes]:
        return Popen([sys.executable, "-m", "netwright.testing.store", self.opener, str(folder), name, str(count)], stdout=PIPE)


def opened(opener: str, folder: Path) -> Store:
    """The store that ``module:function`` opens."""
    module, _, name = opener.partition(":")
    made: Store = getattr(importlib.import_module(module), name)(folder)
    return made


def main(opener: str, folder: str, name: str, count: str) -> None:
    """Append events that name their writer; print the number of each once it is written for good."""
    store = opened(opener, Path(folder))
    for i in range(int(count)):
        blob = store.put(f"{name} {i % 3}".encode())
        number = store.append(Event("measured", {"writer": name, "i": i, "blob": blob}))
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()
    store.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
