"""How long a strategy takes to say what to try next, with 100, 1,000 and 10,000 trials of history, against random search.

The space has 20 holes of five options. Milliseconds are of processor time, the median of some questions, each with one more
trial in the history than the one before, as in a search; ``first`` is the first question to a strategy that knows nothing yet,
as when a search is resumed.

Usage: python benchmarks/asking.py [strategies] [trials], for instance "evolution,nsga2,bayes" 1000
"""

from __future__ import annotations

import inspect
import statistics
import sys
import time
import zlib
from collections.abc import Sequence

from netwright import compose
from netwright.core.architecture import Architecture
from netwright.core.contracts import Need, Prospect, Strategy
from netwright.core.metrics import parse_objective
from netwright.core.objectives import Goal
from netwright.core.picks import sample
from netwright.core.seeds import stream
from netwright.core.space import Choice, Seq, Space, op
from netwright.core.trial import Fidelity, History, Measurement, Proposal, Trial
from netwright.errors import UserError
from netwright.registry import listed, named, nested, part

__all__ = ["main"]

COUNTS = (100, 1_000, 10_000)

WANTED = {("evolution", 1, 10_000): 5.0, ("nsga2", 1, 10_000): 20.0, ("nsga2", 2, 10_000): 20.0, ("bayes", 1, 1_000): 500.0}
"""Milliseconds at most: strategy, objectives, trials."""

MOST = {"bayes": 1_000, "predictor": 1_000, "optuna": 1_000, "ppo": 1_000, "reinforce": 1_000}
"""Trials beyond which a strategy is not asked here: it would take minutes."""

_KINDS = ("relu", "gelu", "silu", "tanh", "sigmoid")


def _space() -> Space:
    layers = [op("linear", units=Choice(8, 16, 32, 64, 128)) for _ in range(10)]
    acts = [Choice(*(op("activation", kind=kind) for kind in _KINDS)) for _ in range(10)]
    return Space(Seq(*(part for pair in zip(layers, acts, strict=True) for part in pair)), name="twenty")


def _goal(objectives: int) -> Goal:
    return Goal(tuple(parse_objective(name) for name in ("accuracy", "latency_ms")[:objectives]))


def _ended(architecture: Architecture, number: int, proposed: Trial | None = None) -> Trial:
    worth = [zlib.crc32(f"{path} {answer}".encode()) / 2**32 for path, answer in architecture.trace]
    values = {"accuracy": sum(worth) / len(worth), "latency_ms": 1 + sum(w * w for w in worth[::2])}
    trial = proposed or Trial(number, Proposal(architecture))
    return trial.measured(Measurement(values, Fidelity(9))).ended("finished")


def _history(space: Space, count: int) -> History:
    rng = stream(0, 0, "asking")
    return History([_ended(sample(space, rng), number) for number in range(count)])


def _asked(strategy: Strategy, history: History, questions: int) -> list[float]:
    """Milliseconds of each question."""
    found = []
    for _ in range(questions):
        start = time.process_time()
        proposals = strategy.ask(history, 1)
        found.append(1000 * (time.process_time() - start))
        for proposal in proposals:
            trial = Trial(history.next_number, proposal)
            history.propose(trial)
            history.update(_ended(proposal.architecture, trial.number, trial))
    return found


def _serves(text: str, goal: Goal) -> bool:
    needs: set[Need] = set()
    for each in nested(text, "strategy"):
        needs |= part("strategies", each.name).needs
    return len(goal.objectives) == 1 or Need.ONE_OBJECTIVE not in needs


def _names() -> list[str]:
    """All but ``grid``, for which the space is too large."""
    wrappers = {name for name in listed("strategies") if "inner" in inspect.signature(part("strategies", name)).parameters}
    return [f"{name}(random)" if name in wrappers else name for name in listed("strategies") if name != "grid"]


def _row(text: str, objectives: int, counts: Sequence[int], base: dict[int, float]) -> str:
    """Milliseconds at each count."""
    name = nested(text, "strategy")[0].name
    space, goal, cells = _space(), _goal(objectives), []
    for count in counts:
        if count > MOST.get(name, count):
            cells.append(f"{'–':>28}")
            continue
        history = _history(space, count)
        strategy = compose.strategy_of(text, space, goal, 0, Prospect(Fidelity(9), (1, 3, 9), None, 1))
        (first,) = _asked(strategy, history, 1)
        middle = statistics.median(_asked(strategy, history, 5 if name in MOST else 21))
        base.setdefault(count, middle)
        wanted = WANTED.get((text, objectives, count))
        told = "" if wanted is None else f" of {wanted:g}" if middle <= wanted else f" OVER {wanted:g}"
        cells.append(f"{f'{middle:,.2f}{told} ({first:,.0f})':>20} {middle / base[count]:6,.0f}×")
    return f"{text:22} {objectives}  " + "".join(cells)


def main() -> None:
    texts = named(sys.argv[1]) if len(sys.argv) > 1 else _names()
    counts = [int(sys.argv[2])] if len(sys.argv) > 2 else COUNTS
    base: dict[int, float] = {}
    print("ms of one question (of the first), and how many times random's; for so many objectives and trials of history")
    print(f"{'strategy':22} n  " + "".join(f"{count:>28,}" for count in counts))
    for text in dict.fromkeys(["random", *texts]):
        for objectives in (1, 2):
            try:
                if text != "random" or objectives == 1:
                    print(_row(text, objectives, counts, base) if _serves(text, _goal(objectives)) else "", flush=True)
            except UserError as error:
                print(f"{text:22} {objectives}  {error}", flush=True)


if __name__ == "__main__":
    main()
