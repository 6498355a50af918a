"""After the search: the winner is fixed, a control arm is trained with the same recipe, and the sealed test is opened once.

What a search gains over random sampling is what Yang et al. 2020 (arXiv:1912.12522) and Li & Talwalkar 2019
(arXiv:1902.07638) ask every such tool to report.
"""

from __future__ import annotations

import importlib
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netwright import compose
from netwright.core.architecture import Architecture, framed
from netwright.core.contracts import Arrival, Event, Job
from netwright.core.metrics import METRICS, shown
from netwright.core.picks import sample
from netwright.core.seeds import integer, stream
from netwright.core.trial import Fidelity, Trial, longest
from netwright.errors import NoFeasible
from netwright.forecast import Forecast, settings
from netwright.layers.canonical import canonical
from netwright.layers.counts import count
from netwright.session import Session
from netwright.verdict import Outputs, compare

__all__ = ["choose", "train_arms", "train_one", "unseal"]


@dataclass(frozen=True)
class Arm:
    """One architecture of the control arm, or a reference network."""

    arm: str
    name: str
    architecture: Architecture
    seed: int
    values: Mapping[str, float]

    @property
    def key(self) -> str:
        return f"{self.name}/{self.seed}"


# ---- the winner -------------------------------------------------------------------------------------------------------


def tolerance(session: Session, score: float) -> float:
    """One standard error of a validation score that is a share of rows; 0 for other scores."""
    rows = int(session.task.describe().get("rows", {}).get("validation", 0))
    if session.goal.primary.metric not in ("accuracy", "balanced_accuracy", "f1") or rows < 2 or not 0 <= score <= 1:
        return 0.0
    return math.sqrt(max(score * (1 - score), 0.25 / rows) / rows)


def preferred(session: Session, found: Mapping[int, Mapping[str, float]]) -> list[int]:
    """Numbers of feasible trials, best first, from their values.

    Scores within one standard error of the best cannot be told apart on so few rows (the one-standard-error rule of Breiman
    et al. 1984). Among those the second objective decides; with one objective, the loss on the same rows, which repeats better
    from seed to seed than the share of rows that are right (`benchmarks/recipes.py`).
    """
    objectives = session.goal.objectives
    costs = {number: [o.cost(values[o.key]) for o in objectives] for number, values in found.items()}
    best = min((cost[0] for cost in costs.values()), default=0.0)
    slack = tolerance(session, abs(best))

    def rank(number: int) -> tuple[Any, ...]:
        score, *others = costs[number]
        values = found[number]
        tie = (values.get("log_loss", 0.0), values.get("params", 0.0), number)
        if score <= best + slack and slack:
            return (0, *others, *tie)
        return (int(score > best + slack), score, *others, *tie)

    return sorted(found, key=rank)


def choose(session: Session, trials: Sequence[Trial], finalists: int) -> tuple[Trial, dict[str, float]]:
    """The winner and its values: scores averaged with those of a second training, latency measured while every slot is idle.

    A finalist that breaks a limit then is passed over, and said. Raises :class:`NoFeasible` where none is left.
    """
    by_number = {trial.number: trial for trial in trials}
    fixed = session.of("winner")
    if fixed:
        return _joined(by_number, fixed[-1].body["number"]), dict(fixed[-1].body["values"])
    feasible = {trial.number: trial.values for trial in longest([t for t in trials if session.goal.met(t)])}
    first = _apart([by_number[number] for number in preferred(session, feasible)])[:finalists]
    again = _second_look(session, [by_number[number] for number in first])
    looked = {number: {**feasible[number], **again.get(number, {})} for number in first}
    session.ledger.turn("busy")
    for number in preferred(session, looked):
        architecture = by_number[number].architecture
        values = {**again.get(number, {}), **ships(session, architecture)}
        broken = session.goal.broken(values)
        reason = "; ".join(f"{limit.key} {shown(limit.metric, values[limit.key])} breaks {limit}" for limit in broken)
        session.write("finalist", number=number, id=architecture.id, values=values, kept=not broken, reason=reason)
        if not broken:
            why = _why(session, {**looked[number], **values}, len(feasible), len(first))
            trace = architecture.to_json()["trace"]
            session.write("winner", number=number, id=architecture.id, trace=trace, values=values, why=why)
            session.ledger.turn("idle")
            return _joined(by_number, number), values
    session.ledger.turn("idle")
    nearest = min((t for t in trials if t.values), key=lambda t: session.goal.excess(t.values), default=None)
    what = f"; the nearest is trial {nearest.number} with " + _values(nearest.values) if nearest else ""
    limits = ", ".join(str(limit) for limit in session.goal.limits) or "the objectives"
    raise NoFeasible(
        f"no trial of {len(trials)} met {limits}{what}",
        where=str(session.folder),
        todo="Loosen the limit, or go on with `netwright resume RUN --budget +5m`.",
    )


def _joined(by_number: Mapping[int, Trial], number: int) -> Trial:
    """A trial with the seconds of those that it went on with."""
    trial, earlier = by_number[number], by_number[number].proposal.continues
    return replace(trial, seconds=trial.seconds + (0.0 if earlier is None else _joined(by_number, earlier).seconds))


def _apart(trials: Sequence[Trial]) -> list[int]:
    """Numbers, without those that compute the same as one before: one training would stand for both."""
    first: dict[str, int] = {}
    for trial in trials:
        first.setdefault(canonical(trial.architecture), trial.number)
    return list(first.values())


def _second_look(session: Session, finalists: Sequence[Trial]) -> dict[int, dict[str, float]]:
    """Train the finalists once more, from another seed and for twice the epochs: the mean of both scores is less a matter of
    luck. Number → averaged scores; a training that fails leaves its trial as it was."""
    jobs = []
    for trial in finalists:
        fidelity = trial.proposal.fidelity or session.estimator.full()
        body = {
            "number": trial.number,
            "trace": trial.architecture.to_json()["trace"],
            "fidelity": Fidelity(2 * fidelity.epochs, fidelity.data).to_json(),
            "seed": integer(session.recipe.seed, 1, "second look"),
            "noisy": True,
        }
        jobs.append(Job(f"{trial.number}", "final", body))
    seen: dict[int, dict[str, float]] = {}
    for job, arrival in session.batch(jobs, "busy"):
        if arrival.kind == "measured":
            seen[int(job.key)] = dict(arrival.body["values"])
    before = {trial.number: trial.values for trial in finalists}
    return {
        number: {name: (value + before[number][name]) / 2 for name, value in values.items() if name in METRICS}
        for number, values in seen.items()
    }


def _values(values: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {shown(name, value)}" for name, value in values.items() if name in METRICS)


def _why(session: Session, values: Mapping[str, float], feasible: int, finalists: int) -> str:
    """How the winner was chosen, in a sentence."""
    goal = session.goal
    score = f"{goal.primary.key} {shown(goal.primary.metric, values[goal.primary.key])} on validation, the mean of two trainings"
    tied = tolerance(session, abs(values[goal.primary.key])) > 0
    by = goal.objectives[1].key if len(goal.objectives) > 1 else "loss"
    how = f"within one standard error of the best, and of those the best by {by}" if tied else "the best"
    return f"{score}: {how} ({feasible} trials kept the limits, {finalists} were trained twice)"


def ships(session: Session, architecture: Architecture) -> dict[str, float]:
    """What an architecture costs as it ships, preprocessing included: counts, and latency measured now."""
    frame = session.task.frame
    whole = framed(architecture, frame)
    device = compose.build_device(session.recipe)
    return {**count(whole, frame.raw).values, **device.profile(whole, frame.raw).values}


# ---- the control arm --------------------------------------------------------------------------------------------------


def _randoms(session: Session, winner: Trial, wanted: int) -> list[Arm]:
    """Random architectures that meet every counted and measured limit, other than the winner."""
    arms: list[Arm] = []
    seen = {winner.architecture.id}
    for k in range(20 * wanted):
        if len(arms) == wanted:
            break
        try:
            drawn = sample(session.space, stream(session.recipe.seed, k, "control"))
        except NoFeasible:
            break
        values = ships(session, drawn)
        if drawn.id not in seen and not session.goal.broken(values):
            seen.add(drawn.id)
            arms.append(Arm("random", f"random-{len(arms) + 1}", drawn, 0, values))
    return arms


def _planned(session: Session, winner: Trial, values: Mapping[str, float]) -> list[Arm]:
    """Everything that is trained, the winner's first training first, then seed by seed."""
    session.ledger.turn("busy")
    wanted = settings(session.recipe)  # all that is asked for; what does not fit into the time is cut from the end
    lone = [Arm("winner", "winner", winner.architecture, 0, values), *_randoms(session, winner, wanted.randoms)]
    images = len(session.task.signature.inputs[0][1].shape) == 3 and wanted.references
    for name, network in (compose.reference_networks(session.task.signature) if images else {}).items():
        lone.append(Arm("reference", name, network, 0, ships(session, network)))
    session.ledger.turn("idle")
    seeds = [integer(session.recipe.seed, k, "final", 31) for k in range(wanted.seeds)]
    return [Arm(a.arm, a.name, a.architecture, seed, a.values) for seed in seeds for a in lone]


def train_arms(session: Session, winner: Trial, values: Mapping[str, float], planned: Forecast, until: float | None) -> None:
    """Train what the log does not hold yet; each finished training is an event with its checkpoint."""
    done = {f"{event.body['name']}/{event.body['seed']}" for event in session.of("control")}
    fidelity = Fidelity(_affordable(session, winner, planned, until), join_validation=True)
    arms = {arm.key: arm for arm in _planned(session, winner, values) if arm.key not in done}
    jobs = [_job(arm, fidelity) for arm in arms.values()]
    begun = any(event.body["arm"] == "winner" for event in session.of("control"))
    needed = jobs[0].key if jobs and not begun else ""  # a search without its winner's weights is nothing
    list(_trained(session, jobs, arms, until, needed))


def _affordable(session: Session, winner: Trial, planned: Forecast, until: float | None) -> int:
    """Epochs of the final trainings: all, or as many as leave time for the whole control arm, as far as that is half of them."""
    begun = [event.body["fidelity"]["epochs"] for event in session.of("control") if "fidelity" in event.body]
    most = session.estimator.final().epochs
    if begun or until is None:
        return int(begun[0]) if begun else most
    wanted, slots = settings(session.recipe), session.runner.slots()
    told = session.task.describe().get("rows", {})
    rows, grown = told.get("train", 1) + told.get("validation", 0), 1 + told.get("validation", 0) / max(1, told.get("train", 1))
    own_s = winner.seconds / planned.epochs / planned.data * grown
    other_s = sum(entry["row_s"] for entry in planned.timed) / len(planned.timed) * rows
    left_s = 0.75 * (until - time.monotonic())  # the speed of a machine varies
    whole = left_s * slots / (wanted.seeds * (own_s + (wanted.randoms + 0.5) * other_s))
    alone = 0.75 * left_s / own_s
    return max(1, min(most, int(alone), max(int(whole), round(0.6 * most))))


def _trained(
    session: Session, jobs: Sequence[Job], arms: Mapping[str, Arm], until: float | None, needed: str = ""
) -> Iterator[Event]:
    checkpoints: dict[str, Arrival] = {}
    for job, arrival in session.batch(jobs, "final", until, needed):
        arm = arms[job.key]
        if arrival.kind == "measured":
            checkpoints[job.key] = arrival
        elif arrival.kind == "finished" and job.key in checkpoints:
            yield session.write(
                "control", arm=arm.arm, name=arm.name, seed=arm.seed, id=arm.architecture.id, values=dict(arm.values),
                architecture=arm.architecture.to_json(), seconds=round(arrival.body["seconds"], 3),
                checkpoint=checkpoints[job.key].body["checkpoint"], fidelity=job.body["fidelity"],
            )  # fmt: skip
        else:
            yield session.write(
                "control", arm=arm.arm, name=arm.name, seed=arm.seed, id=arm.architecture.id, values=dict(arm.values),
                failed=arrival.reason,
            )  # fmt: skip


def train_one(session: Session, name: str, architecture: Architecture, planned: Forecast | None) -> None:
    """Train one architecture with the final recipe, for an export that the search did not choose."""
    fidelity = session.estimator.final()
    if planned is not None:
        fidelity = Fidelity(planned.final_epochs, join_validation=True)
    arm = Arm("trial", name, architecture, integer(session.recipe.seed, 0, "final", 31), ships(session, architecture))
    list(_trained(session, [_job(arm, fidelity)], {arm.key: arm}, None))


def _job(arm: Arm, fidelity: Fidelity) -> Job:
    body = {
        "number": 0,
        "architecture": arm.architecture.to_json(),
        "fidelity": fidelity.to_json(),
        "seed": arm.seed,
        "noisy": True,
    }
    return Job(arm.key, "final", body)


# ---- the test ---------------------------------------------------------------------------------------------------------


def unseal(session: Session, until: float | None) -> None:
    """Open the test split, once and on record, and score everything that was trained, and the plain references, on it."""
    task = session.task
    trained = [event.body for event in session.of("control") if event.body.get("checkpoint")]
    session.ledger.turn("test")
    opened = task.open_test()  # type: ignore[attr-defined]
    if not session.of("unsealed"):  # a conclusion that was killed half-way goes on with the test that it opened
        session.write("unsealed", **opened)
    labels = task.rows("test")[1]  # type: ignore[attr-defined]
    found: list[Outputs] = []
    for body in trained:
        model = compose.network(Architecture.from_json(body["architecture"]), task, session.store.get(body["checkpoint"]))
        found.append((body["arm"], body["name"], body["seed"], compose.outputs(model, task, "test")))
    for name, outputs in _references(session, until):
        found.append(("reference", name, 0, outputs))
    session.ledger.turn("test")
    for arm, name, seed, outputs in found:
        scores = _scores(task, outputs, "test")
        session.write("tested", arm=arm, name=name, seed=seed, values=scores)
    session.write("result", **compare(session, found, labels))
    session.ledger.turn("idle")


def _scores(task: Any, outputs: NDArray[Any], split: str) -> dict[str, float]:
    """The task's own scores of outputs that are there already."""
    torch = importlib.import_module("torch")
    given = torch.from_numpy(outputs)
    at = 0

    def predict(x: Any) -> Any:
        nonlocal at
        at += len(x)
        return given[at - len(x) : at]

    return dict(task.score(predict, split))


def _references(session: Session, until: float | None) -> list[tuple[str, NDArray[Any]]]:
    """Fit the plain references in the workers; what does not apply, fails or takes too long is on record with its reason."""
    if not settings(session.recipe).references:
        return []
    plain = compose.plain_references()
    place = session.folder / "data"
    place.mkdir(exist_ok=True)
    np.save(place / "reference_inputs.npy", compose.reference_inputs(session.task, "test"), allow_pickle=False)
    outputs = {name: place / f"reference_{name}.npy" for name in plain}
    jobs = [
        Job(
            name,
            "reference",
            {"name": name, "inputs": str(place / "reference_inputs.npy"), "outputs": str(path), "seed": session.recipe.seed},
            60.0,
        )
        for name, path in outputs.items()
    ]
    found = []
    waiting = set(plain)
    for job, arrival in session.batch(jobs, "final", until):
        waiting.discard(job.key)
        if arrival.kind == "finished":
            session.write(
                "control",
                arm="reference",
                name=job.key,
                seed=0,
                id="",
                values=arrival.body["values"],
                seconds=arrival.body["seconds"],
            )
            found.append((job.key, np.load(outputs[job.key], allow_pickle=False)))
        else:
            session.write("control", arm="reference", name=job.key, seed=0, id="", values={}, failed=arrival.reason)
    for name in sorted(waiting):
        session.write("control", arm="reference", name=name, seed=0, id="", values={}, failed="the time was up")
    return found
