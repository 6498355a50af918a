"""DeepHyper's regularized evolution, or its Bayesian optimisation with extremely randomised trees (Egele et al. 2023)."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any

from netwright.core.objectives import Goal
from netwright.core.space import Space
from netwright.errors import RecipeError
from netwright.peers._peer import Peer, Values, quiet, scratch

__all__ = ["DeepHyper"]

SEARCHES = {"bayes": "CBO", "evolution": "RegularizedEvolution"}


class DeepHyper(Peer):
    """``search``: evolution, or bayes, which takes seconds for each proposal. ``population``, ``sample``: of evolution."""

    packages = ("deephyper", "ConfigSpace")

    def __init__(
        self, space: Space, goal: Goal, seed: int, *, search: str = "evolution", population: int = 100, sample: int = 10
    ) -> None:
        super().__init__(space, goal, seed)
        if search not in SEARCHES:
            raise RecipeError(f"unknown search {search!r}", where="peer deephyper", todo=f"Known: {', '.join(SEARCHES)}.")
        if search == "evolution" and len(goal.objectives) > 1:
            raise RecipeError("its evolution serves one objective", where="peer deephyper", todo="Choose search=bayes.")
        sizes = {"population_size": population, "sample_size": sample} if search == "evolution" else {}
        with quiet(self.packages):
            hpo = importlib.import_module("deephyper.hpo")
            problem = hpo.HpProblem()
            self.names = {f"p{i}": name for i, name in enumerate(self.counts)}
            for short, name in self.names.items():
                problem.add_hyperparameter([str(k) for k in range(self.counts[name])], short)
            self.search = getattr(hpo, SEARCHES[search])(
                problem, random_state=self.number, log_dir=str(scratch(self)), checkpoint_history_to_csv=False, **sizes
            )

    def suggest(self) -> tuple[Any, Values]:
        (config,) = self.search.ask(1)
        return config, {self.names[short]: int(value) for short, value in config.items()}

    def hear(self, token: Any, values: Values, costs: Sequence[float] | None, excess: float) -> None:
        config = {short: str(values[name]) for short, name in self.names.items()}
        good = [-cost for cost in costs] if costs is not None and excess <= 0 else ["F"] * len(self.goal.objectives)
        self.search.tell([(config, tuple(good) if len(good) > 1 else good[0])])
