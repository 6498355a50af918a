"""What a search will cost, before it starts: a few candidates are timed, and the rest follows."""

from __future__ import annotations

import math
import time
from dataclasses import asdict, dataclass, fields
from typing import Any

from netwright.core.contracts import Job
from netwright.core.picks import sample
from netwright.core.seeds import stream
from netwright.core.trial import Fidelity
from netwright.errors import NetwrightError, RecipeError
from netwright.layers.counts import count
from netwright.recipe import Recipe
from netwright.session import Session

__all__ = ["Forecast", "Settings", "forecast", "plan", "settings"]

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

LATENCY_S = 0.1
"""Seconds for one measurement of latency."""

CLOSING_S = 11.0
"""Seconds for the references, the export, the report and ending, measured on two cores with digits."""


@dataclass(frozen=True)
class Settings:
    """What comes after the search, at most: ``finalists`` trained a second time before the winner is chosen, ``randoms``
    random architectures in the control arm, final trainings of each (``seeds``), and whether there are ``references``."""

    finalists: int = 6
    randoms: int = 3
    seeds: int = 3
    references: bool = True


def settings(recipe: Recipe) -> Settings:
    """The recipe's options of ``control``. Raises :class:`RecipeError` for what cannot be."""
    given = recipe.of("control")
    known = [f.name for f in fields(Settings)]
    for name, value in given.items():
        if name not in known:
            raise RecipeError(f"control has no setting {name!r}", todo=f"Its settings: {', '.join(known)}.")
        if not isinstance(value, int) or value < (1 if name in ("finalists", "seeds") else 0):
            raise RecipeError(f"control.{name} cannot be {value!r}", todo="Use a whole number.")
    return Settings(**given)


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
            f"none of {TIMED} candidates could be timed: {problem or 'the time was up'}",
            todo="Give it more time, or a smaller space.",
        )
    return list(found.values()), memory


def plan(session: Session, timed: list[dict[str, Any]], rows: int, validation: int, left_s: float) -> Forecast:
    """Share the time that is left between the search and its end, and choose how long trials train."""
    slots, asked, after = session.runner.slots(), session.recipe.budget.trials, settings(session.recipe)
    row_s = sum(entry["row_s"] for entry in timed) / len(timed)
    score_s = sum(entry["score_s"] for entry in timed) / len(timed)
    own = (LATENCY_S if "latency_ms" in session.goal.metrics else 0.0) + 3 * score_s + 0.01
    inner = session.estimator.inner  # type: ignore[attr-defined]
    epochs, data, final_epochs = inner.full().epochs, 1.0, inner.final().epochs
    final_row_s = row_s * (rows + validation)
    if math.isinf(left_s):
        randoms, seeds, search_s, trials = after.randoms, after.seeds, None, asked
        final_s = _final_s(randoms, seeds, final_epochs, final_row_s, slots)
    else:
        randoms, seeds, final_epochs, final_s = _arms(after, final_epochs, final_row_s, slots, left_s)
        search_s = max(0.0, left_s - final_s)
        looks = 2 * after.finalists  # each finalist is trained again, for twice the epochs
        affordable = max(0.05, search_s * slots / (WANTED + looks) - own) / (rows * row_s)  # epochs
        if affordable < SHORTEST:
            epochs, data = SHORTEST, max(min(1.0, 64 / rows), round(affordable / SHORTEST, 4))
        else:
            epochs = min(epochs, int(affordable))
        again_s = looks * (own + epochs * data * rows * row_s) / slots
        search_s, final_s = max(0.0, search_s - again_s), final_s + again_s
        fit = int(search_s * slots / (own + epochs * data * rows * row_s))
        trials = fit if asked is None else min(fit, asked)
    trial_s = own + epochs * data * rows * row_s
    return Forecast(
        trials,
        trial_s,
        search_s,
        final_s,
        epochs,
        data,
        final_epochs,
        seeds,
        randoms,
        disk_mib=0.0,
        memory_mib=0.0,
        timed=tuple(timed),
    )


def _final_s(randoms: int, seeds: int, epochs: int, epoch_s: float, slots: int) -> float:
    """Seconds of the end: winner and randoms, and the reference network, on all slots; a quarter more for what is larger."""
    return 1.25 * (2 + randoms) * seeds * epochs * epoch_s / slots + CLOSING_S


def _arms(after: Settings, epochs: int, epoch_s: float, slots: int, left_s: float) -> tuple[int, int, int, float]:
    """The fullest control arm that leaves more than half of the time to the search: randoms, seeds, epochs, seconds."""
    plans = [(after.randoms, after.seeds), (2, 2), (1, 1), (0, 1)]
    for randoms, seeds in [(r, s) for r, s in plans if r <= after.randoms and s <= after.seeds]:
        for share in (1.0, 0.75, 0.5):
            tried = max(1, int(epochs * share))
            needed = _final_s(randoms, seeds, tried, epoch_s, slots)
            if needed <= 0.5 * left_s:
                return randoms, seeds, tried, needed
    rest = max(1.0, 0.5 * left_s - min(CLOSING_S, 0.3 * left_s))
    tried = max(1, min(epochs, int(rest / epoch_s)))
    return 0, 1, tried, min(0.8 * left_s, _final_s(0, 1, tried, epoch_s, 1))
