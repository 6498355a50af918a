"""Small handlers that succeed, fail, hang, crash and eat memory on demand: what runners are tested with."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from typing import Any

from netwright.runners.handling import Handler

__all__ = ["broken", "workshop"]

Steps = Iterator[Mapping[str, Any]]


def workshop(argument: Mapping[str, Any]) -> Handler:
    """A handler that does what the job's ``do`` names, once per entry of ``n``."""

    def handle(kind: str, body: Mapping[str, Any]) -> Steps:
        yield from globals()[f"_{body['do']}"]({**argument, **body, "kind": kind})

    return handle


def broken(argument: Mapping[str, Any]) -> Handler:
    raise FileNotFoundError("the data is gone")


def _measured(**values: float) -> dict[str, Any]:
    return {"kind": "measured", "body": {"values": values}}


_DONE: dict[str, Any] = {"kind": "finished", "body": {}}


def _count(body: Mapping[str, Any]) -> Steps:
    for i in range(body.get("n", 3)):
        time.sleep(body.get("pause_s", 0.0))
        yield _measured(accuracy=i / 10)
    yield {"kind": "finished", "body": {"pid": os.getpid(), "kind": body["kind"], "greeting": body.get("greeting", "")}}


def _over(body: Mapping[str, Any]) -> Steps:
    yield _measured(params=30.0)
    yield {"kind": "infeasible", "body": {}, "reason": "params 30 > 20"}


def _error(body: Mapping[str, Any]) -> Steps:
    yield _measured(accuracy=0.5)
    raise RuntimeError("shapes\ndo not fit")


def _leave(body: Mapping[str, Any]) -> Steps:
    yield _measured(accuracy=0.5)
    sys.exit(3)


def _crash(body: Mapping[str, Any]) -> Steps:
    yield _measured(accuracy=0.5)
    sys.stderr.write(f"{body.get('say', 'about to crash')}\n")
    sys.stderr.flush()
    os.kill(os.getpid(), body.get("signal", signal.SIGKILL))
    yield _DONE


def _vanish(body: Mapping[str, Any]) -> Steps:
    yield _measured(accuracy=0.5)
    os._exit(7)


def _hang(body: Mapping[str, Any]) -> Steps:
    yield _measured(accuracy=0.5)
    time.sleep(3600)
    yield _DONE


def _nan(body: Mapping[str, Any]) -> Steps:
    yield _measured(accuracy=float("nan"))
    yield _DONE


def _strange(body: Mapping[str, Any]) -> Steps:
    yield {"kind": "measured", "body": {"values": {"accuracy": object()}}}
    yield _DONE


def _silent(body: Mapping[str, Any]) -> Steps:
    yield _measured(accuracy=0.5)


def _allocate(body: Mapping[str, Any]) -> Steps:
    yield _measured(accuracy=0.5)
    held = [bytearray(64 * 2**20) for _ in range(int(body["gib"] * 16))]
    yield {"kind": "finished", "body": {"held": len(held)}}


def _tensor(body: Mapping[str, Any]) -> Steps:
    import torch

    yield _measured(accuracy=0.5)
    held = [torch.ones(16 * 2**20) for _ in range(int(body["gib"] * 16))]
    yield {"kind": "finished", "body": {"held": len(held), "threads": torch.get_num_threads()}}


def _closing(body: Mapping[str, Any]) -> Steps:
    """Leaves a file behind when its stream is closed."""
    try:
        while True:
            time.sleep(0.02)
            yield _measured(accuracy=0.5)
    finally:
        with open(body["file"], "w", encoding="utf-8") as out:
            out.write("closed")
