"""Proximal policy optimisation of the controller of ``reinforce`` (Schulman et al. 2017, arXiv:1707.06347)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from netwright.core.contracts import Strategy
from netwright.core.objectives import Goal
from netwright.core.seeds import stream
from netwright.core.space import Space
from netwright.core.trial import History, Proposal
from netwright.errors import RecipeError
from netwright.strategies.policy.controller import Array, Batch, Controller, Step
from netwright.strategies.policy.search import Learner, PolicySearch

__all__ = ["Ppo"]


class Ppo(Strategy):
    """Draw from the policy; after every ``batch`` trials, learn from the latest ``shown``: ``epochs`` times, in ``parts``
    minibatches each.

    No answer's probability is moved further than by the factor 1 ± ``clip`` for the sake of one trial. ``rate``: of learning.
    ``entropy``: how much staying near a uniform draw is worth. ``units``: of the controller.
    Failed trials, and those that break a limit, are the worst of all, so that the policy learns to keep away from them.
    """

    def __init__(
        self,
        space: Space,
        goal: Goal,
        seed: int,
        *,
        batch: int = 20,
        shown: int = 20,
        epochs: int = 4,
        parts: int = 4,
        clip: float = 0.2,
        rate: float = 0.02,
        entropy: float = 0.02,
        units: int = 32,
    ) -> None:
        if min(batch, epochs, parts, units) < 1 or shown < batch or rate <= 0 or entropy < 0 or not 0 < clip < 1:
            raise RecipeError(
                f"batch {batch}, shown {shown}, epochs {epochs}, parts {parts}, clip {clip}, rate {rate}, entropy {entropy}, "
                f"units {units} do not fit",
                where="strategy ppo",
                todo="Use shown >= batch >= 1, epochs, parts and units >= 1, 0 < clip < 1, rate > 0 and entropy >= 0.",
            )

        def learner() -> Learner:
            return _Proximal(Controller(seed, units, rate), seed, epochs, parts, clip, entropy)

        self.search = PolicySearch(space, goal, seed, "ppo", learner, batch=batch, shown=shown)

    def ask(self, history: History, slots: int) -> Sequence[Proposal]:
        return self.search.ask(history, slots)


class _Proximal(Learner):
    """The clipped objective, over minibatches."""

    def __init__(self, controller: Controller, seed: int, epochs: int, parts: int, clip: float, entropy: float) -> None:
        self.controller, self.seed, self.epochs, self.parts = controller, seed, epochs, parts
        self.clip, self.entropy, self.times = clip, entropy, 0

    def learn(self, steps: Sequence[Sequence[Step]], rewards: Array) -> None:
        whole = Batch.of(steps)
        gains = rewards - rewards.mean()
        before = self.controller.likelihood(whole)
        rng, order = stream(self.seed, self.times, "minibatches"), list(range(len(steps)))
        self.times += 1
        for _ in range(self.epochs):
            rng.shuffle(order)
            for part in np.array_split(np.array(order), min(self.parts, len(order))):
                merit = clipped(gains[part, None], before[part], self.clip)
                self.controller.ascend(self.controller.gradient(whole.only(part), merit, self.entropy))


def clipped(gains: Array, before: Array, clip: float) -> Callable[[Array], Array]:
    """What the clipped objective pays for a higher logarithm of an answer's probability: nothing once it has moved far enough.

    ``before``: the logarithms that it had when the trials were drawn.
    """

    def merit(logs: Array) -> Array:
        ratio = np.exp(logs - before)
        far = np.where(gains > 0, ratio > 1 + clip, ratio < 1 - clip)
        return np.where(far, 0.0, ratio * gains)

    return merit
