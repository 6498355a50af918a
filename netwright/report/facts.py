"""Facts about a run as a pure function of its log: what ``netwright show`` prints and the report draws."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from statistics import fmean
from typing import Any

from netwright.core.contracts import Event
from netwright.core.metrics import METRICS, Metric, Objective, parse_limit, parse_objective
from netwright.core.objectives import Goal
from netwright.core.trial import DONE, longest
from netwright.report.clock import renamed
from netwright.report.log import Body, Log

__all__ = ["Facts", "facts", "goal_of"]

_BROKEN = re.compile(r"\b([a-z]\w*(?:@[\w.-]+)?) [-+\d.,eEkMG]+(?: ?[A-Za-z%]+)? ([<>])")
"""A broken limit inside a reason, ``latency_ms 31.2 > 20``: trials that broke the same limit failed for one reason."""

_CHUNK = 256


@dataclass(frozen=True)
class Facts:
    """Everything known about a run. All but ``goal`` and ``network`` is plain JSON, under its own name in :meth:`to_json`."""

    state: str
    """``empty``, ``searching``, ``finishing``, ``finished``, ``interrupted`` or ``infeasible``."""
    goal: Goal
    network: Body | None
    """The winner's graph, once it was trained."""
    recipe: Body
    best: Body | None
    front: list[Body]
    test: Body | None
    table: Body | None
    """Of a search over a table: the winner beside the table's best and beside random search."""
    control: Body
    spent: Body
    failures: dict[str, int]
    screened: int
    twins: int
    lost: int
    forecast: Body | None
    stopped: Body | None
    finalists: list[Body]
    exported: Body | None
    task: Body
    space: Body
    machine: Body
    created: Body
    trials: list[Body]

    def to_json(self) -> Body:
        """The object that ``netwright show --json`` prints; numbers that JSON cannot hold are null."""
        return {f.name: _plain(getattr(self, f.name)) for f in fields(self) if f.name not in ("goal", "network")}


def facts(events: Iterable[Event], *, running: bool | None = None) -> Facts:
    """Read the log, or any beginning of one. ``running`` False: nobody works on the run now."""
    log = Log()
    for event in events:
        log.read(event)
    goal = goal_of(log.created)
    state = "interrupted" if running is False and log.state in ("searching", "finishing") else log.state
    if state != "searching":
        log.cut()
    control, front = _control(log, goal), _front(log, goal)
    return Facts(
        state=state,
        goal=goal,
        network=next((b["architecture"] for b in log.arms.values() if b.get("arm") == "winner" and b.get("architecture")), None),
        recipe=log.created.get("recipe", {}),
        best=_best(log, goal, front),
        front=[_point(row, log.values(row)) for row in front],
        test=_test(log, goal, control),
        table=(log.result or {}).get("table"),
        control=control,
        spent=_spent(log),
        failures=_failures(log),
        screened=log.screened,
        twins=log.twins,
        lost=log.lost,
        forecast=log.forecast,
        stopped=log.stopped,
        finalists=[{"trial": body["number"], **_without(body, "number", "trace")} for body in log.finalists.values()],
        exported=log.exported,
        task=log.created.get("task", {}),
        space=log.created.get("space", {}),
        machine=log.created.get("machine", {}),
        created=_without(log.created, "recipe", "task", "space", "machine"),
        trials=list(log.trials.values()),
    )


def goal_of(created: Mapping[str, Any]) -> Goal:
    """The goal that a run was created with. A run whose recipe names no objective is after its task's score."""
    recipe = created.get("recipe", {})
    texts = [text.removeprefix("maximize ").removeprefix("minimize ") for text in recipe.get("objectives", ())]
    if own := created.get("task", {}).get("metrics"):  # those of a table
        known = {name: Metric(name, told["direction"], "tabled", told["unit"]) for name, told in own.items()}.__getitem__
        limits = tuple(parse_limit(text, known) for text in recipe.get("limits", ()))
        return Goal(tuple(parse_objective(text, None, known) for text in texts), limits)
    objectives = [parse_objective(text) for text in texts]
    if not any(METRICS[objective.metric].source == "scored" for objective in objectives):
        score = "r2" if created.get("task", {}).get("kind") == "regression" else "accuracy"
        objectives.insert(0, Objective(score, METRICS[score].maximize))
    return Goal(tuple(objectives), tuple(parse_limit(text) for text in recipe.get("limits", ())))


def _without(body: Mapping[str, Any], *keys: str) -> Body:
    return {key: value for key, value in body.items() if key not in keys}


def _point(row: Body, values: Mapping[str, float]) -> Body:
    return {"trial": row["number"], "architecture": row["architecture"], "metrics": dict(values)}


def _front(log: Log, goal: Goal) -> list[Body]:
    """The front of all trials is the front of the fronts of some: so it stays quick with many."""
    rest = longest([trial for trial in log.as_trials() if goal.met(trial)])
    while len(rest) > _CHUNK:
        fewer = [t for i in range(0, len(rest), _CHUNK) for t in goal.front(rest[i : i + _CHUNK])]
        if len(fewer) > len(rest) // 2:
            break
        rest = sorted(fewer, key=lambda t: t.number)
    return [log.trials[t.number] for t in goal.front(rest)]


def _best(log: Log, goal: Goal, front: Sequence[Body]) -> Body | None:
    """The winner, once there is one; until then the best by the first objective, or what comes nearest to the limits."""
    if log.winner is not None and log.winner["number"] in log.trials:
        row = log.trials[log.winner["number"]]
        final, why = True, log.winner.get("why", "")
    else:
        ended = [t for t in log.as_trials() if math.isfinite(goal.costs(t)[0])] if not front else []
        if not front and not ended:
            return None
        row = front[0] if front else log.trials[goal.ranked(ended)[0].number]
        final, why = False, ""
    values = log.values(row)
    known = all(limit.key in values for limit in goal.limits)
    return {**_point(row, values), "limits_met": known and not goal.broken(values), "final": final, "why": why}


def _control(log: Log, goal: Goal) -> Body:
    """Each arm's networks with size, latency and the sealed test's score for each seed (null until the test is open)."""
    metric = (log.result or {}).get("metric") or goal.primary.metric
    arms: dict[str, dict[str, Body]] = {"winner": {}, "random": {}, "reference": {}}
    for key in sorted({**log.arms, **log.tested}, key=lambda key: key[2]):
        arm, name, seed = key
        trained, tested = log.arms.get(key, {}), log.tested.get(key, {}).get("values", {})
        entry = arms.setdefault(arm, {}).setdefault(name, {"name": name, "id": "", "seeds": [], "scores": [], "seconds": 0.0})
        entry.update({"id": trained.get("id") or entry["id"], **trained.get("values", {})})
        if trained.get("failed"):
            entry["failed"] = trained["failed"]
        entry["seeds"].append(seed)
        entry["scores"].append(tested.get(metric))
        entry["seconds"] += trained.get("seconds") or 0.0
    for entry in (entry for arm in arms.values() for entry in arm.values()):
        known = [score for score in entry["scores"] if score is not None]
        entry["score"] = fmean(known) if known else None
    winner = next(iter(arms["winner"].values()), None)
    result = log.result or {}
    score = result.get("score", winner["score"] if winner else None)
    return {
        "metric": metric,
        "winner": winner,
        "random": list(arms["random"].values()),
        "random_scores": [score for entry in arms["random"].values() for score in entry["scores"]],
        "reference": list(arms["reference"].values()),
        "beaten_by": _beaten_by(score, arms["reference"].values(), metric),
        **{name: result.get(name) for name in ("gain", "gain_interval", "verdict")},
    }


def _beaten_by(winner: float | None, references: Iterable[Body], metric: str) -> list[str]:
    """Names of the references that score at least as well as the exported winner, the best first."""
    if winner is None:
        return []
    known = [entry for entry in references if entry["score"] is not None]
    sign = 1.0 if known and METRICS[metric].maximize else -1.0
    scored = [(sign * entry["score"], entry["name"]) for entry in known]
    return [name for score, name in sorted(scored, reverse=True) if score >= sign * winner]


def _test(log: Log, goal: Goal, control: Body) -> Body | None:
    """The sealed score, or null while the test split is sealed."""
    if not log.unsealed:
        return None
    first, result, winner = log.unsealed[0], log.result or {}, control["winner"]
    scores: Sequence[float | None] = winner["scores"] if winner else []
    return {
        "metric": control["metric"],
        "score": result.get("score", winner["score"] if winner else None),
        "interval": result.get("interval"),
        "scores": scores,
        "rows": first.get("rows"),
        "fingerprint": first.get("fingerprint"),
        "opened_at": first["at"],
        "openings": len(log.unsealed),
    }


def _spent(log: Log) -> Body:
    phases, own = log.clock.phases, log.finished or {}
    return {
        "wall_s": own.get("wall_s", log.clock.elapsed),
        "search_s": own.get("search_s", phases["search"] + phases["overhead"]),
        "overhead_s": own.get("overhead_s", phases["overhead"]),
        "trials": sum(row["state"] in DONE for row in log.trials.values()),
        "states": dict(Counter(row["state"] for row in log.trials.values())),
        "simulated_s": log.simulated_s,
        "sessions": log.clock.sessions,
        "phases": renamed(own["spent"]) if own.get("spent") and log.clock.sessions == 1 else phases,
        "stages": dict(log.stages),
    }


def _failures(log: Log) -> dict[str, int]:
    """Reason → trials that failed or were infeasible for it, the most frequent first."""
    reasons = (row["reason"] for row in log.trials.values() if row["state"] in ("failed", "infeasible", "lost"))
    return dict(Counter(_BROKEN.sub(r"\1 \2", reason.strip()) or "no reason given" for reason in reasons).most_common())


def _plain(value: Any) -> Any:
    """As JSON holds it."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value
