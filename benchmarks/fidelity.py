"""Epochs until a search is within 0.2 points of the best: strategies that train the promising longer beside full trainings.

    python benchmarks/fidelity.py [--table nasbench101_20k] [--seeds 20] [--epochs 20000] [--inner bayes] [--strategies LIST]

What counts is the incumbent at full fidelity, by validation. Of a curve, going on costs the rest; separate trainings are paid in
full each time. Searches that do not come so near within the budget count as infinite.
"""

from __future__ import annotations

import argparse
import math
import statistics
from dataclasses import replace

from netwright.bench.plan import Budget, Plan
from netwright.bench.play import Played, play
from netwright.bench.problem import Problem, posed
from netwright.registry import named

NEAR = 0.2


def spent(problem: Problem, played: Played) -> float:
    """Epochs until the first value at full fidelity within :data:`NEAR` points of the best there is."""
    points = 1.0 if abs(problem.best) > 1.5 else 100.0  # a share, or per cent
    for values, cost in zip(played.values, played.cost, strict=True):
        if values is not None and points * (problem.goal.primary.cost(values[0]) - problem.best) <= NEAR + 1e-9:
            return cost
    return math.inf


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--table", action="append")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--epochs", type=int, default=20_000)
    parser.add_argument("--inner", default="bayes")
    parser.add_argument("--strategies", default="")
    given = parser.parse_args()
    for table in given.table or ["nasbench101_20k", "spikenas"]:
        others = named(given.strategies) if given.strategies else [f"{name}({given.inner})" for name in ("asha", "hyperband")]
        problem = posed(Plan(table, (given.inner, *others), ("maximize val_acc",), budget=Budget(given.epochs, "epochs")))
        medians: dict[str, float] = {}
        for text in (given.inner, *others):
            found = sorted(spent(problem, play(replace(problem), text, seed)) for seed in range(given.seeds))
            medians[text] = statistics.median(found)
            reached = sum(map(math.isfinite, found))
            ratio = medians[text] / medians[given.inner] if math.isfinite(medians[given.inner]) else math.nan
            quarters = f"{found[len(found) // 4]:,.0f} to {found[3 * len(found) // 4]:,.0f}"
            print(
                f"{table} {text}: {medians[text]:,.0f} epochs ({quarters}), {reached}/{len(found)} came near; ratio {ratio:.2f}"
            )


if __name__ == "__main__":
    main()
