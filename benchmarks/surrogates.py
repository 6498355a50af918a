"""How well the surrogates order architectures they have not seen, after learning from 20, 50 and 150 random rows of a table.

    python benchmarks/surrogates.py TABLE [COLUMN] [--models gp,forest:path] [--seeds 5] [--rows 2500]

Prints for each surrogate, and encoding where it is not its own: Kendall's tau over the unseen rows; the share of the best
hundredth of them that is among the hundredth predicted best; processor seconds of learning from 150 and of predicting the rest.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np
import torch
from scipy.stats import kendalltau, norm, rankdata

from netwright.core.picks import replayed
from netwright.core.seeds import integer
from netwright.registry import part
from netwright.surrogates.encode import encoded
from netwright.tables.read import read

__all__ = ["main"]

SIZES = (20, 50, 150)
MODELS = "gp,gp:onehot,gp:path,gp:wl,forest,forest:onehot,forest:path,forest:wl"
MODELS += ",ensemble,ensemble:onehot,ensemble:graph,ensemble:wl,gnn"


def rows_of(name: str, column: str, count: int) -> tuple[Any, list[Any], Any]:
    """A table's space, some of its architectures, and their costs."""
    table = read(name)
    column = column or table.default
    costs = np.asarray(table.everywhere(table.asked(column)), dtype=float)
    costs = -costs if table.metric(column).direction.startswith("max") else costs
    known = np.flatnonzero(np.isfinite(costs))
    chosen = np.sort(np.random.default_rng(integer(0, 0, "rows")).permutation(known)[:count])
    space = table.whole_space()
    return space, [replayed(space, table.traces[row]) for row in chosen], costs[chosen]


def measured(model: str, codes: Any, costs: Any, seed: int, size: int) -> tuple[float, float, float, float]:
    """Kendall's tau, the share of the best that is found, seconds to learn, seconds to predict."""
    order = np.random.default_rng(integer(seed, size, "split")).permutation(len(costs))
    taught, asked = order[:size], np.sort(order[size:])
    ranks = rankdata(costs[taught])
    made = part("surrogates", model)(seed)
    began = time.thread_time()
    made.fit(codes[taught], norm.ppf((ranks - 0.5) / size))
    learned = time.thread_time()
    mean = made.predict(codes[asked]).mean
    ended = time.thread_time()
    top = max(1, len(asked) // 100)
    best, guessed = (set(np.argsort(values, kind="stable")[:top].tolist()) for values in (costs[asked], mean))
    return float(kendalltau(mean, costs[asked])[0]), len(best & guessed) / top, learned - began, ended - learned


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table")
    parser.add_argument("column", nargs="?", default="")
    parser.add_argument("--models", default=MODELS)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--rows", type=int, default=2500)
    given = parser.parse_args()
    torch.set_num_threads(1)
    space, architectures, costs = rows_of(given.table, given.column, given.rows)
    print(f"{given.table}: {len(costs):,} rows, {given.seeds} seeds; tau and share of the best 1 % found, after learning from")
    print(f"{'':18}" + "".join(f"{size:>14}" for size in SIZES) + f"{'learn s':>10}{'predict s':>11}")
    for text in given.models.split(","):
        model, _, encoding = text.partition(":")
        codes = encoded(space, encoding or part("surrogates", model).encoding)(architectures)
        line, learn, predict = f"{text:18}", 0.0, 0.0
        for size in SIZES:
            figures = np.mean([measured(model, codes, costs, seed, size) for seed in range(given.seeds)], axis=0)
            line += f"{figures[0]:8.3f} {figures[1]:5.2f}"
            learn, predict = figures[2], figures[3]
        print(f"{line}{learn:10.3f}{predict:11.3f}", flush=True)


if __name__ == "__main__":
    main()
