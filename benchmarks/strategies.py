"""What each family of strategies, and each peer, needs on real tables: the figures of docs/strategies and of the README.

    python benchmarks/strategies.py [--seeds 200] [--only CASE ...] [--strategies LIST] [--out FOLDER] [--workers N]

Every case is one `netwright bench`, whose command is printed and whose folder is gone on with if it is there. The last column is
the median of queries to the best (for several objectives the regret after the budget) beside random search in the same run.
"""

from __future__ import annotations

import argparse
import json
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

OURS = "random,local,evolution,nsga2,reinforce,ppo,optuna,predictor,bayes,auto"
PEERS = "peers/optuna_tpe,peers/optuna_gp,peers/optuna_nsga2,peers/pymoo,peers/deephyper,peers/syne_tune"

_CELLS = "--table nasbench201 --distinct unique_graph --objective cifar10."
_DEVICE = "--table nasbench201 --objective cifar10.test_acc@200 --objective latency_ms@{0}"
_SEVERAL = "random,nsga2,predictor,bayes"
_POLICIES = "random,reinforce,ppo"
_TABLES = ("nasbench201", "nasbench101_20k", "spikenas", "nasbench_macro", "nasbench_graph", "transnas_micro", "minibench")

CASES: dict[str, tuple[str, int, str]] = {
    "test": (f"{_CELLS}test_acc@200", 300, OURS),
    "validation": (f"{_CELLS}val_acc@200", 300, OURS),
    **{table: (f"--table {table}", 150, OURS) for table in _TABLES},
    **{f"policy-{table}": (f"--table {table}", 500, _POLICIES) for table in _TABLES},
    **{
        device: (f"{_DEVICE} --objective energy_mj@{{0}}".format(device), 150, _SEVERAL)
        for device in ("edgegpu", "eyeriss", "fpga")
    },
    **{
        device: (_DEVICE.format(device), 150, _SEVERAL)
        for device in ("edgetpu", "pixel3", "1080ti_1", "essential_ph_1", "gold_6240", "samsung_s7", "titanx_1")
    },
}
"""Name → what of which table, queries, strategies."""


def measured(case: str, strategies: str, seeds: int, out: Path, workers: int) -> dict[str, Any]:
    """What the bench of a case says."""
    problem, budget, usual = CASES[case]
    words = ["netwright", "bench", *shlex.split(problem), "--strategies", strategies or usual, "--budget", str(budget)]
    words += ["--seeds", str(seeds)]
    print(f"\n{case}: {shlex.join(words)}", flush=True)
    words += ["--json", "--out", str(out / case), *(["--workers", str(workers)] if workers else [])]
    done = subprocess.run([sys.executable, "-m", *words], stdout=subprocess.PIPE, text=True, check=True)
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def row(found: Mapping[str, Any], base: Mapping[str, Any], several: bool) -> str:
    regret = {int(queries): value for queries, value in found["regret_mean"].items()}
    last = max(regret)
    text = f"{found['strategy']:28} ask {found['ask_ms']:8.2f} ms  regret {regret[last]:.4f}"
    if several:
        near = found["share"]
        text += "".join(f"  {float(share):.1%} after {near[share]['median_queries'] or '> budget'}" for share in near)
        first = min((queries for queries in regret if queries >= 50), default=last)
        return text + f"  hypervolume {1 - regret[first]:.4f} after {first}, {1 - regret[last]:.4f} after {last}"
    median, least = found["median_queries"], base["median_queries"]
    told = [f"{value:g}" if value else "-" for value in (median, found["p90_queries"])]
    ratio = f"  {median / least:.2f} of random" if median and least else ""
    return text + f"  found {found['found_share']:.0%}, median {told[0]}, p90 {told[1]}{ratio}"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--only", nargs="*", choices=list(CASES), default=list(CASES))
    parser.add_argument("--strategies", default="", help=f'instead of those of the case; "peers": {PEERS}')
    parser.add_argument("--out", type=Path, default=Path("runs/strategies"))
    parser.add_argument("--workers", type=int, default=0)
    given = parser.parse_args()
    strategies = f"random,{PEERS}" if given.strategies == "peers" else given.strategies
    for case in given.only:
        told = measured(case, strategies, given.seeds, given.out, given.workers)
        base = next((each for each in told["strategies"] if each["strategy"] == "random"), told["strategies"][0])
        for found in told["strategies"]:
            print(row(found, base, len(told["problem"]["objectives"]) > 1), flush=True)


if __name__ == "__main__":
    main()
