"""Seconds for 10,000 trials of random search over a table, and how much of them is the strategy's own.

python benchmarks/simulated.py [--table nasbench201] [--trials 10000] [--workers 4] [--profile]
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from netwright.core.trial import History, Proposal
from netwright.recipe import Budget, Recipe
from netwright.registry import part
from netwright.replay import run as replay


def main() -> None:
    given = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    given.add_argument("--table", default="nasbench201")
    given.add_argument("--strategy", default="random")
    given.add_argument("--trials", type=int, default=10_000)
    given.add_argument("--workers", type=int, default=4)
    given.add_argument("--profile", action="store_true", help="where the time goes")
    told = given.parse_args()
    own = timed(told.strategy)
    recipe = Recipe(table=told.table, strategy=told.strategy, budget=Budget(trials=told.trials), workers=told.workers)
    profile = cProfile.Profile()
    with tempfile.TemporaryDirectory() as place:
        start, busy = time.perf_counter(), time.process_time()
        if told.profile:
            profile.enable()
        replay.search(recipe, out=Path(place) / "run", tell=lambda event: None, started=time.time())
        profile.disable()
        seconds, busy = time.perf_counter() - start, time.process_time() - busy
    print(f"table {told.table}, {told.trials:,} trials, {told.workers} workers: {seconds:.2f} s, of which {busy:.2f} s of work")
    print(f"  strategy {told.strategy}: {own[0]:.2f} s of work")
    print(f"  the rest: {busy - own[0]:.2f} s of work")
    if told.profile:
        pstats.Stats(profile).sort_stats("tottime").print_stats(25)


def timed(strategy: str) -> list[float]:
    """Have a strategy add up the time that it takes to answer."""
    made, spent = part("strategies", strategy), [0.0]
    ask = made.ask

    def timed_ask(self: object, history: History, slots: int) -> Sequence[Proposal]:
        start = time.process_time()
        found: Sequence[Proposal] = ask(self, history, slots)
        spent[0] += time.process_time() - start
        return found

    made.ask = timed_ask
    return spent


if __name__ == "__main__":
    main()
