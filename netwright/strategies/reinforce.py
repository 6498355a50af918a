"""REINFORCE: a recurrent controller answers hole by hole, and learns which answers pay (Zoph & Le 2017, arXiv:1611.01578)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from netwright.core.contracts import Strategy
from netwright.core.objectives import Goal
from netwright.core.space import Space
from netwright.core.trial import History, Proposal
from netwright.errors import RecipeError
from netwright.strategies.policy.controller import Array, Batch, Controller, Step
from netwright.strategies.policy.search import Learner, PolicySearch

__all__ = ["Reinforce"]


class Reinforce(Strategy):
    """Draw from the policy; after every ``batch`` trials, one step up the policy gradient (Williams 1992).

    ``rate``: of learning. ``entropy``: how much staying near a uniform draw is worth. ``decay``: of the moving mean of rewards
    that a reward is compared with. ``units``: of the controller.
    Failed trials, and those that break a limit, are the worst of all, so that the policy learns to keep away from them.
    """

    def __init__(
        self,
        space: Space,
        goal: Goal,
        seed: int,
        *,
        batch: int = 10,
        rate: float = 0.05,
        entropy: float = 0.1,
        decay: float = 0.9,
        units: int = 32,
    ) -> None:
        if min(batch, units) < 1 or rate <= 0 or entropy < 0 or not 0 <= decay < 1:
            raise RecipeError(
                f"batch {batch}, rate {rate}, entropy {entropy}, decay {decay}, units {units} do not fit",
                where="strategy reinforce",
                todo="Use batch and units >= 1, rate > 0, entropy >= 0 and 0 <= decay < 1.",
            )
        self.search = PolicySearch(
            space,
            goal,
            seed,
            "reinforce",
            lambda: _Reinforced(Controller(seed, units, rate), entropy, decay),
            batch=batch,
            shown=batch,
        )

    def ask(self, history: History, slots: int) -> Sequence[Proposal]:
        return self.search.ask(history, slots)


class _Reinforced(Learner):
    """The policy gradient with a baseline."""

    def __init__(self, controller: Controller, entropy: float, decay: float) -> None:
        self.controller, self.entropy, self.decay, self.baseline = controller, entropy, decay, 0.0

    def learn(self, steps: Sequence[Sequence[Step]], rewards: Array) -> None:
        gains = rewards - self.baseline
        self.baseline = self.decay * self.baseline + (1 - self.decay) * float(rewards.mean())
        self.controller.ascend(
            self.controller.gradient(Batch.of(steps), lambda logs: np.broadcast_to(gains[:, None], logs.shape), self.entropy)
        )
