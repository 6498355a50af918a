"""Optuna's Gaussian process sampler: log expected improvement, or of the hypervolume for several objectives."""

from __future__ import annotations

from netwright.core.objectives import Goal
from netwright.core.space import Space
from netwright.peers._optuna import OptunaPeer

__all__ = ["OptunaGP"]


class OptunaGP(OptunaPeer):
    """``deterministic``: it is told that the same architecture gives the same value."""

    packages = ("optuna", "torch")
    sampler = "GPSampler"

    def __init__(self, space: Space, goal: Goal, seed: int, *, deterministic: bool = False) -> None:
        super().__init__(space, goal, seed, deterministic_objective=deterministic)
