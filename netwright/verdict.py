"""What a search gained over random sampling, with an interval, and in words: also where it is nothing."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netwright import compose
from netwright.core.metrics import Objective
from netwright.core.seeds import integer
from netwright.session import Session

__all__ = ["Outputs", "compare"]

RESAMPLES = 1000

Outputs = tuple[str, str, int, NDArray[Any]]
"""Arm, name, seed, and what the model gives for every test row: shape (rows, …)."""


def compare(session: Session, found: Sequence[Outputs], labels: NDArray[Any]) -> dict[str, Any]:
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
    session: Session, found: Sequence[Outputs], labels: NDArray[Any], name: str, rng: np.random.Generator
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


def _verdict(goal: Objective, result: Mapping[str, Any], best: tuple[float, str] | None) -> str:
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
