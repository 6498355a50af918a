"""Training from fresh weights: AdamW or SGD with a one-cycle rate, weights averaged over the last steps, rungs of epochs.

One-cycle: Smith & Topin 2018, arXiv:1708.07120. Averaged weights: Polyak & Juditsky 1992; as an exponential average in
Tarvainen & Valpola 2017, arXiv:1703.01780. What the defaults are is what ``benchmarks/recipes.py`` measured.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence

import torch
from safetensors.torch import save
from torch import Tensor, nn

from netwright.core.architecture import Architecture
from netwright.core.contracts import Estimator, Need, Site
from netwright.core.metrics import METRICS, Metric
from netwright.core.seeds import integer
from netwright.core.trial import Fidelity, Measurement, Proposal
from netwright.errors import RecipeError
from netwright.nets.net import Net

__all__ = ["Diverged", "Train"]


class Diverged(ArithmeticError):
    """The loss stopped being a number."""


class Train(Estimator):
    """Train alone, score on validation.

    ``epochs``: of a search trial; ``final_epochs``: of the winner. ``rate``: peak learning rate. ``optimizer``: ``adamw`` or
    ``sgd``. ``average``: decay of the weights' running average, 0 for none. ``bfloat16``: arithmetic in bfloat16 where the
    processor has it.
    """

    offers = frozenset({Need.TRAINING, Need.CURVE})

    def __init__(
        self,
        *,
        epochs: int = 12,
        final_epochs: int = 60,
        rate: float = 0.01,
        weight_decay: float = 0.02,
        optimizer: str = "adamw",
        average: float = 0.98,
        bfloat16: bool = False,
    ) -> None:
        if epochs < 1 or final_epochs < 1 or rate <= 0:
            raise RecipeError(
                f"epochs {epochs}, final_epochs {final_epochs}, rate {rate}", where="estimator train", todo="Make them positive."
            )
        if optimizer not in ("adamw", "sgd"):
            raise RecipeError(f"unknown optimizer {optimizer!r}", where="estimator train", todo="Use adamw or sgd.")
        self.epochs, self.final_epochs, self.rate, self.weight_decay = epochs, final_epochs, rate, weight_decay
        self.optimizer, self.average, self.bfloat16 = optimizer, average, bfloat16

    def metrics(self) -> Sequence[Metric]:
        return [metric for metric in METRICS.values() if metric.source == "scored"]

    def full(self) -> Fidelity:
        return Fidelity(self.epochs)

    def final(self) -> Fidelity:
        """What the winner and the control arm are trained with."""
        return Fidelity(self.final_epochs, join_validation=True)

    def estimate(self, proposal: Proposal, site: Site) -> Iterator[Measurement]:
        """One measurement at a ninth, a third and the whole of the epochs; a final training yields its weights' digest."""
        fidelity = proposal.fidelity or self.full()
        final = fidelity.join_validation
        rungs = {fidelity.epochs} if final else {math.ceil(fidelity.epochs / 3**k) for k in range(3)}
        run = _Training(self, proposal.architecture, fidelity, site)
        for epoch in range(1, fidelity.epochs + 1):
            start = time.perf_counter()
            loss = run.epoch(epoch)
            run.seconds += time.perf_counter() - start
            if epoch not in rungs:
                continue
            start = time.perf_counter()
            with run.averaged():
                scores = {} if final else dict(site.task.score(run.predict, "validation"))
                blob = save({name: tensor.contiguous() for name, tensor in run.net.tensors().items()}) if final else b""
            yield Measurement(
                {"train_loss": loss, **scores},
                Fidelity(epoch, fidelity.data, final),
                {"train": run.seconds, "score": time.perf_counter() - start},
                checkpoint=site.vault.put(blob) if final else "",
            )
            run.seconds = 0.0


class _Training:
    """State of one training. Leaves torch's global random state as it was: dropout draws inside a fork of it."""

    def __init__(self, settings: Train, architecture: Architecture, fidelity: Fidelity, site: Site) -> None:
        self.task, self.fidelity, self.site = site.task, fidelity, site
        self.net = Net(architecture, site.task.signature, seed=self.seed("weights"))
        self.net.to(memory_format=torch.channels_last)
        self.params = [p for p in self.net.parameters() if p.requires_grad]
        self.steps_per_epoch = sum(1 for _ in self.task.batches("train", fidelity, self.seed("count")))
        self.total = max(1, self.steps_per_epoch * fidelity.epochs)
        self.optimizer = _optimizer(settings, self.params)
        self.rate, self.step, self.seconds = settings.rate, 0, 0.0
        self.autocast = torch.autocast("cpu", torch.bfloat16, enabled=settings.bfloat16)
        self.decay = settings.average
        self.average = [p.detach().clone() for p in self.params] if self.decay else []

    def seed(self, purpose: str) -> int:
        return integer(self.site.seed, self.site.number, purpose)

    def epoch(self, number: int) -> float:
        """One pass; returns the mean training loss. Raises :class:`Diverged`."""
        total = torch.zeros(())
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed(f"dropout{number}"))
            self.net.train()
            for batch in self.task.batches("train", self.fidelity, self.seed(f"epoch{number}")):
                total += self._one(batch)
        loss = float(total) / max(1, self.steps_per_epoch)
        if not math.isfinite(loss):
            raise Diverged(f"the loss is {loss} in epoch {number}: training diverged")
        return loss

    def _one(self, batch: object) -> Tensor:
        rate = one_cycle(self.step / self.total) * self.rate
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        with self.autocast:
            loss: Tensor = self.task.loss(self.net(batch.x), batch)  # type: ignore[attr-defined]
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        self.step += 1
        if self.average:
            decay = min(self.decay, self.step / (self.step + 10))  # a young average forgets its random start
            torch._foreach_lerp_(self.average, [p.detach() for p in self.params], 1 - decay)
        return loss.detach()

    def averaged(self) -> _Swapped:
        return _Swapped(self.params, self.average)

    def predict(self, x: Tensor) -> Tensor:
        self.net.eval()
        with torch.inference_mode():
            out: Tensor = self.net(x)
        return out


class _Swapped:
    """Inside, the network has its averaged weights."""

    def __init__(self, params: Sequence[nn.Parameter], average: Sequence[Tensor]) -> None:
        self.params, self.average = params, average

    def _swap(self) -> None:
        with torch.no_grad():
            for param, mean in zip(self.params, self.average, strict=bool(self.average)):
                held = param.detach().clone()
                param.copy_(mean)
                mean.copy_(held)

    def __enter__(self) -> None:
        self._swap()

    def __exit__(self, *error: object) -> None:
        self._swap()


def one_cycle(done: float, warm: float = 0.15) -> float:
    """Share of the peak rate after ``done`` (0 to 1) of the steps: up linearly, down along a cosine."""
    return 0.05 + 0.95 * done / warm if done < warm else 0.5 * (1 + math.cos(math.pi * (done - warm) / (1 - warm)))


def _optimizer(settings: Train, params: Sequence[nn.Parameter]) -> torch.optim.Optimizer:
    groups = [
        {"params": [p for p in params if p.ndim > 1], "weight_decay": settings.weight_decay},
        {"params": [p for p in params if p.ndim <= 1], "weight_decay": 0.0},  # biases and norms are not decayed
    ]
    groups = [group for group in groups if group["params"]]
    if not groups:
        raise RecipeError("the architecture has no weights to train", where="estimator train", todo="Choose another space.")
    if settings.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=settings.rate, momentum=0.9, nesterov=True, fused=True)
    return torch.optim.AdamW(groups, lr=settings.rate, fused=True)
