"""Training from fresh weights: SGD or AdamW, the rate up linearly and down along a cosine, a measurement at rungs of epochs.

Warm-up and cosine: Goyal et al. 2017, arXiv:1706.02677; Loshchilov & Hutter 2017, arXiv:1608.03983. The defaults are what
``benchmarks/recipes.py`` measured.
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

    ``epochs``: of a search trial; ``final_epochs``: of the winner. ``optimizer``: ``sgd`` with Nesterov's momentum, or
    ``adamw``; empty: SGD for images, AdamW for the rest. ``rate``: peak learning rate, 0 for the optimizer's own.
    ``bfloat16``: arithmetic in bfloat16 where the processor has it.
    """

    offers = frozenset({Need.TRAINING, Need.CURVE})

    def __init__(
        self,
        *,
        epochs: int = 12,
        final_epochs: int = 40,
        optimizer: str = "",
        rate: float = 0.0,
        weight_decay: float = 0.002,
        bfloat16: bool = False,
    ) -> None:
        if epochs < 1 or final_epochs < 1 or rate < 0 or weight_decay < 0:
            raise RecipeError(
                f"epochs {epochs}, final_epochs {final_epochs}, rate {rate}, weight_decay {weight_decay}",
                where="estimator train",
                todo="Make them positive.",
            )
        if optimizer not in ("", "adamw", "sgd"):
            raise RecipeError(f"unknown optimizer {optimizer!r}", where="estimator train", todo="Use adamw or sgd.")
        self.epochs, self.final_epochs, self.optimizer, self.rate = epochs, final_epochs, optimizer, rate
        self.weight_decay, self.bfloat16 = weight_decay, bfloat16

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
            scores = {} if final else dict(site.task.score(run.predict, "validation"))
            blob = save(run.net.tensors()) if final else b""
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
        nn.Module.to(self.net, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.steps_per_epoch = sum(1 for _ in self.task.batches("train", fidelity, self.seed("count")))
        self.total = max(1, self.steps_per_epoch * fidelity.epochs)
        self.optimizer, self.rate = _optimizer(settings, self.net, images=len(site.task.signature.inputs[0][1].shape) == 3)
        self.step, self.seconds = 0, 0.0
        self.autocast = torch.autocast("cpu", torch.bfloat16, enabled=settings.bfloat16)

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
            raise Diverged(f"the loss is {loss} in epoch {number}")
        return loss

    def _one(self, batch: object) -> Tensor:
        rate = schedule(self.step / self.total) * self.rate
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        with self.autocast:
            loss: Tensor = self.task.loss(self.net(batch.x), batch)  # type: ignore[attr-defined]
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        self.step += 1
        return loss.detach()

    def predict(self, x: Tensor) -> Tensor:
        self.net.eval()
        with torch.inference_mode():
            out: Tensor = self.net(x)
        return out


def schedule(done: float, warm: float = 0.15) -> float:
    """Share of the peak rate after ``done`` (0 to 1) of the steps: up linearly, down along a cosine."""
    return 0.05 + 0.95 * done / warm if done < warm else 0.5 * (1 + math.cos(math.pi * (done - warm) / (1 - warm)))


RATES = {"sgd": 0.2, "adamw": 0.005}


def _optimizer(settings: Train, net: nn.Module, *, images: bool) -> tuple[torch.optim.Optimizer, float]:
    """The optimizer and its peak rate. Biases and norms are not decayed."""
    params = list(net.parameters())
    groups = [
        {"params": [p for p in params if p.ndim > 1], "weight_decay": settings.weight_decay},
        {"params": [p for p in params if p.ndim <= 1], "weight_decay": 0.0},
    ]
    groups = [group for group in groups if group["params"]]
    if not groups:
        raise RecipeError("the architecture has no weights to train", where="estimator train", todo="Choose another space.")
    name = settings.optimizer or ("sgd" if images else "adamw")
    rate = settings.rate or RATES[name]
    if name == "sgd":
        return torch.optim.SGD(groups, lr=rate, momentum=0.9, nesterov=True, fused=True), rate
    return torch.optim.AdamW(groups, lr=rate, fused=True), rate
