"""Pymoo's genetic algorithm for mixed variables; with ranks and crowding for several objectives: NSGA-II (Blank & Deb 2020)."""

from __future__ import annotations

import importlib
import math
from collections.abc import Sequence
from typing import Any

from netwright.core.objectives import Goal
from netwright.core.space import Space
from netwright.peers._peer import Peer, Values, quiet

__all__ = ["Pymoo"]

FAILED = 1e12
"""The cost of what failed."""


class Pymoo(Peer):
    """``population``: of a generation, which it wants to see whole: with several trials side by side some slots wait at its end.

    Limits are its constraints. What it did not propose itself it is not told of.
    """

    packages = ("pymoo",)

    def __init__(self, space: Space, goal: Goal, seed: int, *, population: int = 50) -> None:
        super().__init__(space, goal, seed)
        with quiet(self.packages):
            choice = importlib.import_module("pymoo.core.variable").Choice
            problems, mixed = importlib.import_module("pymoo.core.problem"), importlib.import_module("pymoo.core.mixed")
            crowding = importlib.import_module("pymoo.operators.survival.rank_and_crowding").RankAndCrowding
            variables = {name: choice(options=list(range(count))) for name, count in self.counts.items()}
            several = {"survival": crowding()} if len(goal.objectives) > 1 else {}
            problem = problems.Problem(vars=variables, n_obj=len(goal.objectives), n_ieq_constr=int(bool(goal.limits)))
            self.algorithm = mixed.MixedVariableGA(pop_size=population, **several)
            self.algorithm.setup(problem, seed=self.number, termination=("n_gen", 10**9), verbose=False)
        self.offspring: Any = ()
        self.asked = self.told = 0

    def suggest(self) -> tuple[Any, Values] | None:
        if self.asked == len(self.offspring):
            if self.told < self.asked:
                return None
            if self.asked:
                self.algorithm.tell(infills=self.offspring)
            self.offspring, self.asked, self.told = self.algorithm.ask(), 0, 0
            if self.offspring is None or not len(self.offspring):
                self.offspring = ()
                return None
        token = self.offspring[self.asked]
        self.asked += 1
        return token, {name: int(value) for name, value in token.X.items()}

    def hear(self, token: Any, values: Values, costs: Sequence[float] | None, excess: float) -> None:
        if token is None:
            return
        numpy = importlib.import_module("numpy")
        token.X = dict(values)
        token.set("F", numpy.array(costs if costs is not None else [FAILED] * len(self.goal.objectives), dtype=float))
        if self.goal.limits:
            token.set("G", numpy.array([excess if math.isfinite(excess) else FAILED]))
        token.evaluated.update(["F", "G"])
        self.told += 1
