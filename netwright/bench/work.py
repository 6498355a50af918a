"""All searches of a bench, side by side in processes; each one is kept as soon as it is done."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from netwright.bench.log import Log
from netwright.bench.plan import Plan
from netwright.bench.play import Played
from netwright.core.contracts import Job
from netwright.errors import NetwrightError

__all__ = ["State", "searched"]

CHUNK_S = 4.0
"""About how long a piece of work given to a process should last."""


@dataclass
class State:
    """How far a bench has come. ``left_s``: seconds to go, None where nobody knows yet."""

    done: int
    total: int
    running: str = ""
    left_s: float | None = None


def searched(plan: Plan, log: Log, workers: int, tell: Callable[[State], None]) -> list[Played]:
    """Every search of the plan, those of an earlier session included."""
    _search(plan, log, workers, tell)
    return [log.done[text, seed] for text in plan.strategies for seed in range(plan.first, plan.first + plan.seeds)]


def _search(plan: Plan, log: Log, workers: int, tell: Callable[[State], None]) -> None:
    wanted = [(text, seed) for text in plan.strategies for seed in range(plan.first, plan.first + plan.seeds)]
    missing = [key for key in wanted if key not in log.done]
    if not missing:
        return
    pace = Pace(missing, workers)
    runner = importlib.import_module("netwright.runners.process").ProcessRunner(
        "netwright.bench.play:worker", plan.to_json(), min(workers, len(missing)), preload=("numpy", "netwright.bench.play")
    )
    under_way: dict[str, tuple[str, list[int]]] = {}
    try:
        chunks, number = pace.chunks(), 0
        while True:
            while runner.busy() < runner.slots() and (chunk := next(chunks, None)):
                number += 1
                under_way[f"{number}"] = chunk
                runner.submit(Job(f"{number}", "trial", {"strategy": chunk[0], "seeds": chunk[1]}))
            if not runner.busy():
                return
            for arrival in runner.arrivals(0.5):
                if arrival.kind == "measured":
                    played = Played(**arrival.body)
                    log.add(played)
                    pace.took(played)
                elif arrival.kind == "finished":
                    del under_way[arrival.key]
                else:
                    _failed(under_way[arrival.key], log, arrival.reason)
            texts = sorted({text for text, _ in under_way.values()})
            tell(State(len(wanted) - len(missing) + pace.done, len(wanted), ", ".join(texts), pace.left_s()))
    finally:
        runner.close()


def _failed(chunk: tuple[str, Sequence[int]], log: Log, reason: str) -> None:
    text, seeds = chunk
    seed = next(seed for seed in seeds if (text, seed) not in log.done)
    raise NetwrightError(reason, where=f"strategy {text}, seed {seed}")


class Pace:
    """What is still to do, dealt out in chunks of seeds that last about :data:`CHUNK_S`, strategy after strategy in turn, and
    how long it will take."""

    def __init__(self, missing: Sequence[tuple[str, int]], workers: int) -> None:
        self.waiting: dict[str, list[int]] = {}
        for text, seed in missing:
            self.waiting.setdefault(text, []).append(seed)
        self.workers, self.done, self.spent = workers, 0, dict[str, list[float]]()
        self.open = {text: len(seeds) for text, seeds in self.waiting.items()}
        self.began = time.monotonic()

    def chunks(self) -> Iterator[tuple[str, list[int]]]:
        while any(self.waiting.values()):
            for text, seeds in self.waiting.items():
                if not seeds:
                    continue
                size = 1 if text not in self.spent else max(1, int(CHUNK_S / max(self.mean(text), 1e-3)))
                size = min(size, max(1, -(-len(seeds) // self.workers)))
                chunk, self.waiting[text] = seeds[:size], seeds[size:]
                yield text, chunk

    def mean(self, text: str) -> float:
        known = self.spent.get(text) or [each for some in self.spent.values() for each in some]
        return sum(known) / len(known)

    def took(self, played: Played) -> None:
        self.done += 1
        self.open[played.strategy] -= 1
        self.spent.setdefault(played.strategy, []).append(played.seconds)

    def left_s(self) -> float | None:
        """Seconds to go, from what searches have taken so far; None while there is a strategy of which none has ended."""
        if any(count and text not in self.spent for text, count in self.open.items()):
            return None
        return sum(count * self.mean(text) for text, count in self.open.items()) / self.workers
