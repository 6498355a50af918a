"""Optuna's NSGA-II (Deb et al. 2002)."""

from __future__ import annotations

from netwright.core.objectives import Goal
from netwright.core.space import Space
from netwright.peers._optuna import OptunaPeer

__all__ = ["OptunaNSGA2"]


class OptunaNSGA2(OptunaPeer):
    """``population``: of a generation."""

    sampler = "NSGAIISampler"

    def __init__(self, space: Space, goal: Goal, seed: int, *, population: int = 50) -> None:
        super().__init__(space, goal, seed, population_size=population)
