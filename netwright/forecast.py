"""What a search will cost, before it starts: a few candidates are timed, and the rest follows."""

from __future__ import annotations

import math
import time
from dataclasses import asdict, dataclass, fields
from typing import Any

from netwright import compose
from netwright.core.architecture import Architecture, framed
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

DRAWN = 24
"""Candidates drawn at most, to find those that keep a limit on latency."""

WORK = 4e9
"""FLOPs of one forward pass over the rows that a candidate is timed on."""

WANTED = 100
"""Trials that a search should have before epochs are added."""

SHORTEST = 4
"""Epochs below which a trial trains on part of the rows rather than fewer times."""

LATENCY_S = 0.1
"""Seconds for one measurement of latency."""

GROWN = 1.4
"""How much slower than random candidates those are that a search comes to, measured on digits."""

CLOSING_S = 12.0
"""Seconds for the references, the test, the export, the report and ending, measured on two cores with digits."""

IMPORTS_S = 4.0
"""Seconds that imports took on that machine: where they take longer, so will the closing."""


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

    ``epochs`` and ``data`` are the fidelity of a search trial, ``final_epochs`` that of a final training; ``finalists`` are
    trained twice. ``final_s`` covers these, the final trainings, test, export and report.
    """

    trials: int | None
    trial_s: float
    search_s: float | None
    final_s: float
    epochs: int
    data: float
    final_epochs: int
    finalists: int
    closing_s: float
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
    wanted = settings(session.recipe)
    weights = 4.4 * params * (1 + wanted.randoms) * wanted.seeds / 2**20
    raw = session.folder / "data"
    cache = sum(f.stat().st_size for f in raw.rglob("*") if f.is_file()) / 2**20 if raw.is_dir() else 0.0
    disk = weights + cache + 0.004 * (made.trials or 100) + 1.0
    return Forecast(**{**made.to_json(), "disk_mib": round(disk, 1), "memory_mib": round(memory, 0), "timed": tuple(timed)})


def _candidates(session: Session) -> list[Architecture]:
    """Architectures that keep the counted and the measured limits, as far as a bounded number of draws finds them."""
    frame, found = session.task.frame, []
    device = compose.build_device(session.recipe)
    limits = [limit for limit in session.goal.limits if limit.metric == "latency_ms"]
    session.ledger.turn("forecast")
    for k in range(DRAWN):
        drawn = sample(session.space, stream(session.recipe.seed, k, "forecast"))
        whole = framed(drawn, frame)
        if not limits or not session.goal.broken(device.profile(whole, frame.raw).values):
            found.append(drawn)
        if len(found) == TIMED:
            return found
    return found or [drawn]


def _timed(session: Session) -> tuple[list[dict[str, Any]], float]:
    """Seconds per row of each candidate, trained on as many rows as make about a tenth of a second; and MiB of memory."""
    rows = max(1, int(session.task.describe().get("rows", {}).get("train", 1)))
    jobs, drawn_by = [], {}
    for k, drawn in enumerate(_candidates(session)):
        counted = count(drawn, session.task.signature)
        share = min(1.0, min(2048.0, max(128.0, WORK / max(1, counted.flops))) / rows)
        fidelity = Fidelity(EPOCHS, round(share, 6)).to_json()
        body = {"number": k, "trace": drawn.to_json()["trace"], "fidelity": fidelity, "noisy": True}
        jobs.append(Job(f"forecast-{k}", "final", body, 120.0))
        drawn_by[jobs[-1].key] = (drawn, counted)
    found: dict[str, dict[str, Any]] = {}
    memory, problem = 0.0, ""
    until = time.monotonic() + min(120.0, max(10.0, 0.3 * session.left_s))
    for job, arrival in session.batch(jobs, "forecast", until):
        drawn, counted = drawn_by[job.key]
        if arrival.kind == "measured" and arrival.body.get("fidelity", {}).get("epochs") == EPOCHS:
            cost = arrival.body["cost"]
            row_s = cost["train"] / arrival.body["notes"]["rows"]
            found[job.key] = {"id": drawn.id, "params": counted.params, "row_s": row_s, "score_s": cost["score"]}
        elif arrival.kind == "finished":
            memory = max(memory, float(arrival.body.get("peak_mib", 0.0)))
        elif arrival.kind != "measured":
            problem = arrival.reason
    if not found:
        raise NetwrightError(
            f"none of {len(jobs)} candidates could be timed: {problem or 'the time was up'}",
            todo="Give it more time, or smaller networks with --limit.",
        )
    return list(found.values()), memory


def plan(session: Session, timed: list[dict[str, Any]], rows: int, validation: int, left_s: float) -> Forecast:
    """Share the time that is left between the search and its end, and choose how long trials train."""
    slots, asked, after = session.runner.slots(), session.recipe.budget.trials, settings(session.recipe)
    row_s = GROWN * sum(entry["row_s"] for entry in timed) / len(timed)
    score_s = sum(entry["score_s"] for entry in timed) / len(timed)
    own = (LATENCY_S if "latency_ms" in session.goal.metrics else 0.0) + 3 * score_s + 0.01
    epochs, data, finalists = session.estimator.full().epochs, 1.0, after.finalists
    final_epochs, epoch_s = session.estimator.final().epochs, row_s * (rows + validation)
    closing_s = CLOSING_S * min(4.0, max(1.0, session.ledger.totals().get("imports", 0.0) / IMPORTS_S))
    if math.isinf(left_s):
        search_s, trials = None, asked
        final_s = _final_s(after.randoms, after.seeds, final_epochs, epoch_s, slots) + closing_s
    else:
        closing_s = min(closing_s, 0.3 * left_s)
        final_epochs, final_s = _final_share(after, final_epochs, epoch_s, slots, left_s, closing_s)
        search_s = left_s - final_s
        affordable = max(0.05, search_s * slots / (min(WANTED, asked or WANTED) + 2 * finalists) - own) / (rows * row_s)  # epochs
        if affordable < SHORTEST:
            epochs, data = SHORTEST, max(min(1.0, 128 / rows), round(affordable / SHORTEST, 4))
        else:
            epochs = min(epochs, int(affordable))
        once_s = (own + epochs * data * rows * row_s) / slots
        finalists = max(1, min(finalists, int(0.3 * search_s / (2 * once_s))))  # each is trained again, for twice the epochs
        search_s, final_s = search_s - 2 * finalists * once_s, final_s + 2 * finalists * once_s
        trials = min(int(search_s / once_s), asked or 10**9)
    return Forecast(
        trials=trials,
        trial_s=own + epochs * data * rows * row_s,
        search_s=search_s,
        final_s=final_s,
        epochs=epochs,
        data=data,
        final_epochs=final_epochs,
        finalists=finalists,
        closing_s=closing_s,
        disk_mib=0.0,
        memory_mib=0.0,
        timed=tuple(timed),
    )


def _final_s(randoms: int, seeds: int, epochs: int, epoch_s: float, slots: int) -> float:
    """Seconds to train winner, randoms and the reference network (half a network's time) on all slots."""
    return (1.5 + randoms) * seeds * epochs * epoch_s / slots


SHORTER = (1.0, 0.75, 0.6)
"""Shares of the final epochs that are tried, in this order, so that the whole control arm fits."""


def _final_share(after: Settings, epochs: int, epoch_s: float, slots: int, left_s: float, closing_s: float) -> tuple[int, float]:
    """Epochs of the final trainings, and the seconds kept for the end: not much more than half of the time. First the epochs
    give way, then the control arm's seeds; what does not fit in the end is cut from the arm's end."""
    most = 0.55 * left_s
    arms = [(after.randoms, after.seeds), (after.randoms, 2), (after.randoms, 1), (1, 1), (0, 1)]
    for randoms, seeds in [(r, s) for r, s in arms if r <= after.randoms and s <= after.seeds]:
        for share in SHORTER:
            fewer = max(1, round(share * epochs))
            needed = _final_s(randoms, seeds, fewer, epoch_s, slots) + closing_s
            if needed <= most:
                return fewer, needed
    return max(1, min(epochs, int((most - closing_s) / (1.5 * epoch_s)))), most
