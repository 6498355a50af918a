"""Why the training defaults are what they are: recipes compared on digits, and which search score agrees with the final one.

    python benchmarks/recipes.py             # about twenty minutes on one core
    python benchmarks/recipes.py --quick     # about two

The first table trains fixed small networks on training and validation rows with one setting changed at a time, and scores
the test rows of several splits. The second trains random architectures as a search does, and prints the rank correlation
of what the search sees (validation accuracy, validation loss, one look or the mean of two) with the mean final test score.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from typing import Any

import torch
from scipy.stats import kendalltau

from netwright.core.architecture import Architecture
from netwright.core.contracts import Site
from netwright.core.metrics import parse_objective
from netwright.core.objectives import Goal
from netwright.core.picks import sample
from netwright.core.seeds import stream
from netwright.core.trial import Fidelity, Proposal
from netwright.devices.cpu import Cpu
from netwright.estimators.train import Train
from netwright.layers.counts import count
from netwright.nets.net import Net
from netwright.registry import module
from netwright.stores.memory import MemoryStore
from netwright.tasks.load import load

GOAL = Goal((parse_objective("accuracy"),))
RECIPES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    # name → settings of the estimator, options of the task
    "default": ({}, {}),
    "20 epochs": ({"final_epochs": 20}, {}),
    "60 epochs": ({"final_epochs": 60}, {}),
    "rate 0.1": ({"rate": 0.1}, {}),
    "weight decay 0.0005": ({"weight_decay": 0.0005}, {}),
    "AdamW": ({"optimizer": "adamw", "rate": 0.02, "weight_decay": 0.05}, {}),
    "no warp": ({}, {"warp": 0}),
    "shift by a pixel": ({}, {"warp": 0, "shift": 1}),
    "no smoothing": ({}, {"smoothing": 0.0}),
}


def architectures(task: Any, n: int, most: int = 5_000, least: int = 1_500) -> list[Architecture]:
    """Random members of the chain within the demo's limit."""
    space = module("spaces", "chain").space(task.signature)
    found: list[Architecture] = []
    number = 0
    while len(found) < n:
        drawn = sample(space, stream(0, number, "recipes"))
        number += 1
        if least <= count(drawn, task.signature).params <= most:
            found.append(drawn)
    return found


def trained(task: Any, architecture: Architecture, settings: dict[str, Any], fidelity: Fidelity | None, seed: int) -> Any:
    """The last measurement of a training, and the store that holds its weights."""
    store = MemoryStore()
    estimator = Train(**settings)
    site = Site(task, Cpu(), store, GOAL, seed)
    *_, last = estimator.estimate(Proposal(architecture, fidelity or estimator.final()), site)
    return last, store


def tested(task: Any, architecture: Architecture, settings: dict[str, Any], seed: int) -> float:
    """Accuracy on the test rows after a final training; NaN where it diverged."""
    from safetensors.torch import load as read

    try:
        last, store = trained(task, architecture, settings, None, seed)
    except ArithmeticError:
        return float("nan")
    net = Net(architecture, task.signature)
    net.load_tensors(read(store.get(last.checkpoint)))
    net.eval()
    with torch.inference_mode():
        return float(task.score(net, "test")["accuracy"])


def compared(splits: int, networks: int) -> list[dict[str, Any]]:
    rows = []
    for name, (settings, options) in RECIPES.items():
        start, scores = time.perf_counter(), []
        for split in range(splits):
            task = load("digits", seed=split, options=options)
            task.open_test()
            scores += [tested(task, a, settings, split) for a in architectures(task, networks)]
        scores = [score for score in scores if score == score]
        error = statistics.stdev(scores) / len(scores) ** 0.5
        seconds = (time.perf_counter() - start) / (splits * networks)
        rows.append({"recipe": name, "mean": statistics.mean(scores), "error": error, "min": min(scores), "seconds": seconds})
        print(f"{name:22} {rows[-1]['mean']:.4f} ± {error:.4f}   min {min(scores):.4f}   {seconds:.1f} s each", file=sys.stderr)
    return rows


def ranked(networks: int, seeds: int) -> list[dict[str, Any]]:
    task = load("digits", seed=0)
    task.open_test()
    chosen = architectures(task, networks)
    final = [statistics.mean(tested(task, a, {}, seed) for seed in range(seeds)) for a in chosen]
    rows = []
    for epochs in (6, 12, 24):
        start = time.perf_counter()
        looks = [[trained(task, a, {}, Fidelity(epochs), seed)[0].values for seed in (11, 12)] for a in chosen]
        seconds = (time.perf_counter() - start) / (2 * networks)
        row: dict[str, Any] = {"epochs": epochs, "seconds": seconds}
        for name, sign in (("accuracy", 1), ("log_loss", -1)):
            row[name] = kendalltau([sign * look[0][name] for look in looks], final).statistic
            row[f"{name}, mean of two"] = kendalltau([sign * (look[0][name] + look[1][name]) for look in looks], final).statistic
        rows.append(row)
        print(json.dumps(row), file=sys.stderr)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args()
    torch.set_num_threads(1)
    recipes = compared(*((2, 2) if given.quick else (10, 3)))
    ranks = ranked(*((6, 1) if given.quick else (24, 4)))
    if given.json:
        print(json.dumps({"recipes": recipes, "ranks": ranks}))


if __name__ == "__main__":
    main()
