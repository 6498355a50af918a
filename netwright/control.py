"""After the search: the winner is fixed, a control arm is trained with the same recipe, and the sealed test is opened once.

What a search gains over random sampling is what Yang et al. 2020 (arXiv:1912.12522) and Li & Talwalkar 2019
(arXiv:1902.07638) ask every such tool to report.
"""

from __future__ import annotations

import importlib
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netwright import compose
from netwright.core.architecture import Architecture, framed
from netwright.core.contracts import Arrival, Job
from netwright.core.metrics import METRICS, shown
from netwright.core.picks import sample
from netwright.core.seeds import integer, stream
from netwright.core.trial import Fidelity, Trial
from netwright.errors import NoFeasible
from netwright.forecast import Forecast, settings
from netwright.layers.counts import count
from netwright.session import Session

__all__ = ["choose", "compare", "train_arms", "unseal"]

RESAMPLES = 1000


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
        return by_number[fixed[-1].body["number"]], dict(fixed[-1].body["values"])
    feasible = {trial.number: trial.values for trial in trials if session.goal.met(trial)}
    first = preferred(session, feasible)[:finalists]
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
            return by_number[number], values
    session.ledger.turn("idle")
    nearest = min((t for t in trials if t.values), key=lambda t: session.goal.excess(t.values), default=None)
    what = f"; the nearest is trial {nearest.number} with " + _values(nearest.values) if nearest else ""
    limits = ", ".join(str(limit) for limit in session.goal.limits) or "the objectives"
    raise NoFeasible(
        f"no trial of {len(trials)} met {limits}{what}",
        where=str(session.folder),
        todo="Loosen the limit, or go on with `netwright resume RUN --budget +5m`.",
    )


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
    references = importlib.import_module("netwright.references").NETWORKS if images else ()
    for name in references:
        network = importlib.import_module(f"netwright.references.{name}").architecture(session.task.signature)
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
    first = next((job for job in jobs if job.key.startswith("winner/")), None)
    if first is not None and not any(event.body["arm"] == "winner" for event in session.of("control")):
        jobs.remove(first)
        list(_trained(session, [first], arms, None))  # a search without its winner's weights is nothing: no deadline
    list(_trained(session, jobs, arms, until))


def _affordable(session: Session, winner: Trial, planned: Forecast, until: float | None) -> int:
    """Epochs of the final trainings: as planned, or what the winner's own speed leaves time for."""
    begun = [event.body["fidelity"]["epochs"] for event in session.of("control") if "fidelity" in event.body]
    if begun or until is None:
        return int(begun[0]) if begun else planned.final_epochs
    rows = session.task.describe().get("rows", {})
    grown = 1 + rows.get("validation", 0) / max(1, rows.get("train", 1))
    epoch_s = winner.seconds / planned.epochs / planned.data * grown
    return max(1, min(planned.final_epochs, int(0.7 * (until - time.monotonic()) / max(1e-6, epoch_s))))


def _trained(session: Session, jobs: Sequence[Job], arms: Mapping[str, Arm], until: float | None) -> Any:
    checkpoints: dict[str, Arrival] = {}
    for job, arrival in session.batch(jobs, "final", until):
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
    fidelity = session.estimator.inner.final()  # type: ignore[attr-defined]
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
    session.write("unsealed", **task.open_test())  # type: ignore[attr-defined]
    labels = task.rows("test")[1]  # type: ignore[attr-defined]
    found: list[tuple[str, str, int, NDArray[Any]]] = []
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
    plain = importlib.import_module("netwright.references").PLAIN
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


# ---- what it gained ---------------------------------------------------------------------------------------------------


def compare(session: Session, found: Sequence[tuple[str, str, int, NDArray[Any]]], labels: NDArray[Any]) -> dict[str, Any]:
    """The winner's test score and its gain over random, each with a 95 % interval, and a verdict in words.

    Bootstrap over test rows, the winner's seeds, and the random architectures and their seeds together, so that the interval
    covers all three sources of chance (Efron & Tibshirani 1993).
    """
    goal = session.goal.primary
    rng = np.random.default_rng(integer(session.recipe.seed, 0, "bootstrap"))
    winners = [k for k, entry in enumerate(found) if entry[0] == "winner"]
    randoms: dict[str, list[int]] = {}
    for k, (arm, name, _, _) in enumerate(found):
        if arm == "random":
            randoms.setdefault(name, []).append(k)
    table = _resampled(session, found, labels, goal.metric, rng)  # (resamples + 1, models); the first row is the whole test
    whole = table[0]
    exported = whole[winners[0]]
    result: dict[str, Any] = {
        "metric": goal.key,
        "score": float(exported),
        "interval": _interval(table[1:, winners[0]], float(exported), len(labels), goal.metric),
        "winner_mean": float(whole[winners].mean()),
    }
    best = max(
        ((float(whole[k]) * (1 if goal.maximize else -1), entry[1]) for k, entry in enumerate(found) if entry[0] == "reference"),
        default=None,
    )
    if randoms:
        drawn = []
        for row in table[1:]:
            ours = row[rng.choice(winners, len(winners))].mean()
            names = rng.choice(list(randoms), len(randoms))
            theirs = np.mean([row[rng.choice(randoms[name], len(randoms[name]))].mean() for name in names])
            drawn.append(ours - theirs)
        gain = float(whole[winners].mean() - np.mean([whole[ks].mean() for ks in randoms.values()]))
        low, high = np.quantile(drawn, [0.025, 0.975])
        result |= {"gain": gain, "gain_interval": [float(low), float(high)]}
    result["verdict"] = _verdict(goal, result, best)
    return result


def _resampled(
    session: Session, found: Sequence[Any], labels: NDArray[Any], name: str, rng: np.random.Generator
) -> NDArray[np.float64]:
    n = len(labels)
    if name == "accuracy":
        hits = np.stack([outputs.argmax(1) == labels for *_, outputs in found]).astype(np.float64)
        draws = np.concatenate(
            [np.ones((1, n)), rng.multinomial(n, np.full(n, 1 / n), size=max(100, min(RESAMPLES, 20_000_000 // n)))]
        )
        return np.asarray(draws @ hits.T / n)
    task: Any = session.task
    score = compose.scorer(task)
    resamples = max(50, min(RESAMPLES, 400_000 // max(1, n)))
    picks = [np.arange(n), *(rng.integers(0, n, n) for _ in range(resamples))]
    return np.array([[score(outputs[rows], labels[rows]).get(name, math.nan) for *_, outputs in found] for rows in picks])


def _interval(resampled: NDArray[np.float64], score: float, n: int, name: str) -> list[float]:
    """95 %: Wilson's where the score is a share of rows (a bootstrap of no errors knows no doubt), else the bootstrap's."""
    if name == "accuracy":
        z = 1.959964
        middle = (score + z * z / (2 * n)) / (1 + z * z / n)
        half = z * math.sqrt(score * (1 - score) / n + z * z / (4 * n * n)) / (1 + z * z / n)
        return [middle - half, min(1.0, middle + half)]
    low, high = np.nanquantile(resampled, [0.025, 0.975])
    return [float(low), float(high)]


def _verdict(goal: Any, result: Mapping[str, Any], best: tuple[float, str] | None) -> str:
    """What the figures say, in one or two sentences, also when it is nothing."""
    parts = []
    if "gain" in result:
        low, high = result["gain_interval"]
        better, worse = (low > 0, high < 0) if goal.maximize else (high < 0, low > 0)
        span = f"{result['gain']:+.4f} {goal.metric} (95 % interval {low:+.4f} to {high:+.4f})"
        if better:
            parts.append(f"The search gained {span} over random architectures trained alike.")
        elif worse:
            parts.append(f"The search lost to random architectures trained alike: {span}.")
        else:
            parts.append(f"No gain over random architectures trained alike can be shown: {span}.")
    else:
        parts.append("There was no time for a control arm: what the search gained is not known.")
    if best is not None and best[0] >= result["score"] * (1 if goal.maximize else -1):
        parts.append(f"No search is needed for the score alone, limits aside: {best[1]} reaches {abs(best[0]):.4f}.")
    return " ".join(parts)
