"""What a search will cost, before it starts: a few candidates are timed, and the rest follows."""

from __future__ import annotations

import math
import time
from dataclasses import asdict, dataclass
from typing import Any

from netwright.core.picks import sample
from netwright.core.seeds import stream
from netwright.core.trial import Fidelity
from netwright.layers.counts import count
from netwright.session import Session
from netwright.core.contracts import Job
from netwright.errors import NetwrightError

__all__ = ["Forecast", "forecast", "plan"]

TIMED = 4
"""Candidates timed."""

EPOCHS = 3
"""Passes that each is timed over; the first warms up and does not count."""

ROWS = 1024
"""Training rows it is timed on, where there are more."""

WANTED = 100
"""Trials that a search should at least have before epochs are added: `benchmarks/recipes.py`."""

SHORTEST = 4
"""Epochs below which a trial trains on part of the rows rather than fewer times."""

CLOSING_S = 11.0
"""Seconds for the references, the export, the report and ending, measured on two cores with digits."""


@dataclass(frozen=True)
class Forecast:
    """``trials`` that fit in ``search_s`` seconds; what each costs; the final trainings; disk and memory.

    ``epochs`` and ``data`` are the fidelity of a search trial, ``final_epochs``, ``seeds`` and ``randoms`` the final share's.
    """

    trials: int | None
    trial_s: float
    search_s: float | None
    final_s: float
    epochs: int
    data: float
    final_epochs: int
    seeds: int
    randoms: int
    disk_mib: float
    memory_mib: float
    timed: tuple[dict[str, Any], ...]

    @property
    def fidelity(self) -> Fidelity:
        return Fidelity(self.epochs, self.data)

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "timed": list(self.timed)}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Forecast:
        return cls(**{**data, "timed": tuple(data["timed"])})


def forecast(session: Session) -> Forecast:
    """Time a few feasible candidates on all slots and plan the budget. Raises where all of them fail."""
    timed, memory = _timed(session)
    rows = max(1, int(session.task.describe().get("rows", {}).get("train", 1)))
    validation = int(session.task.describe().get("rows", {}).get("validation", 0))
    made = plan(session, timed, rows, validation, session.left_s)
    params = max(entry["params"] for entry in timed)
    weights = 4.4 * params * (1 + made.randoms) * made.seeds / 2**20
    raw = session.folder / "data"
    cache = sum(f.stat().st_size for f in raw.rglob("*") if f.is_file()) / 2**20 if raw.is_dir() else 0.0
    disk = weights + cache + 0.004 * (made.trials or 100) + 1.0
    return Forecast(**{**made.to_json(), "disk_mib": round(disk, 1), "memory_mib": round(memory, 0), "timed": tuple(timed)})


def _timed(session: Session) -> tuple[list[dict[str, Any]], float]:
    rows = max(1, int(session.task.describe().get("rows", {}).get("train", 1)))
    fidelity = Fidelity(EPOCHS, min(1.0, ROWS / rows))
    jobs = []
    for k in range(TIMED):
        drawn = sample(session.space, stream(session.recipe.seed, k, "forecast"))
        body = {"number": k, "trace": drawn.to_json()["trace"], "fidelity": fidelity.to_json(), "noisy": True}
        jobs.append((Job(f"forecast-{k}", "final", body, 120.0), drawn))
    found: dict[str, dict[str, Any]] = {}
    memory, problem = 0.0, ""
    until = time.monotonic() + min(120.0, max(5.0, 0.3 * session.left_s))
    by_key = {job.key: drawn for job, drawn in jobs}
    for job, arrival in session.batch([job for job, _ in jobs], "forecast", until):
        drawn = by_key[job.key]
        if arrival.kind == "measured":
            cost, reached = arrival.body["cost"], arrival.body["fidelity"]["epochs"]
            if reached == EPOCHS:
                found[job.key] = {
                    "id": drawn.id,
                    "params": count(drawn, session.task.signature).params,
                    "row_s": cost["train"] / (EPOCHS - 1) / (fidelity.data * rows),
                    "score_s": cost["score"],
                }
        elif arrival.kind == "finished":
            memory = max(memory, float(arrival.body.get("peak_mib", 0.0)))
        else:
            problem = arrival.reason
    if not found:
        raise NetwrightError(
            f"none of {TIMED} candidates could be timed: {problem or 'the time was up'}", todo="Give it more time, or a smaller space."
        )
    return list(found.values()), memory


def plan(session: Session, timed: list[dict[str, Any]], rows: int, validation: int, left_s: float) -> Forecast:
    """Share the time that is left between the search and its end, and choose how long trials train."""
    slots = session.runner.slots()
    row_s = sum(entry["row_s"] for entry in timed) / len(timed)
    score_s = sum(entry["score_s"] for entry in timed) / len(timed)
    latency_s = 0.1 if any(p.metric == "latency_ms" for p in (*session.goal.objectives, *session.goal.limits)) else 0.0
    inner = session.estimator.inner  # type: ignore[attr-defined]
    own = latency_s + 3 * score_s + 0.01
    epochs, final_epochs = inner.full().epochs, inner.final().epochs
    fixed = {"trials": session.recipe.budget.trials, "disk_mib": 0.0, "memory_mib": 0.0, "timed": tuple(timed)}
    if math.isinf(left_s):
        trial_s = own + epochs * rows * row_s
        final_s = _final_s(3, 3, final_epochs, row_s * (rows + validation), slots)
        return Forecast(
            trial_s=trial_s, search_s=None, final_s=final_s, epochs=epochs, data=1.0,
            final_epochs=final_epochs, seeds=3, randoms=3, **fixed,
        )  # fmt: skip
    randoms, seeds, final_epochs, final_s = _arms(final_epochs, row_s * (rows + validation), slots, left_s)
    search_s = max(0.0, left_s - final_s)
    affordable = max(0.05, search_s * slots / WANTED - own) / (rows * row_s)  # epochs
    most = inner.full().epochs
    data = 1.0
    if affordable < SHORTEST:
        epochs = SHORTEST
        data = max(min(1.0, 64 / rows), round(affordable / SHORTEST, 4))
    else:
        epochs = min(most, int(affordable))
    trial_s = own + epochs * data * rows * row_s
    fit = int(search_s * slots / trial_s)
    fixed["trials"] = min(fit, session.recipe.budget.trials or fit)
    return Forecast(
        trial_s=trial_s, search_s=search_s, final_s=final_s, epochs=epochs, data=data,
        final_epochs=final_epochs, seeds=seeds, randoms=randoms, **fixed,
    )  # fmt: skip


def _final_s(randoms: int, seeds: int, epochs: int, epoch_s: float, slots: int) -> float:
    """Seconds of the end: winner and randoms, and the reference network, on all slots; a quarter more for what is larger."""
    return 1.25 * (2 + randoms) * seeds * epochs * epoch_s / slots + CLOSING_S


def _arms(epochs: int, epoch_s: float, slots: int, left_s: float) -> tuple[int, int, int, float]:
    """The fullest control arm that leaves more than half of the time to the search: randoms, seeds, epochs, seconds."""
    for randoms, seeds in ((3, 3), (2, 2), (1, 1), (0, 1)):
        for share in (1.0, 0.75, 0.5):
            tried = max(1, int(epochs * share))
            needed = _final_s(randoms, seeds, tried, epoch_s, slots)
            if needed <= 0.5 * left_s:
                return randoms, seeds, tried, needed
    rest = max(1.0, 0.5 * left_s - min(CLOSING_S, 0.3 * left_s))
    tried = max(1, min(epochs, int(rest / epoch_s)))
    return 0, 1, tried, min(0.8 * left_s, _final_s(0, 1, tried, epoch_s, 1))
