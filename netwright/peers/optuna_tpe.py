"""Optuna's tree-structured Parzen estimator (Watanabe 2023, arXiv:2304.11127)."""

from __future__ import annotations

from netwright.core.objectives import Goal
from netwright.core.space import Space
from netwright.peers._optuna import OptunaPeer

__all__ = ["OptunaTPE"]


class OptunaTPE(OptunaPeer):
    """As Optuna sets it: over all parameters at once for one objective, one by one for several."""

    sampler = "TPESampler"

    def __init__(self, space: Space, goal: Goal, seed: int) -> None:
        super().__init__(space, goal, seed)
