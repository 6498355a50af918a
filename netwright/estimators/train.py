"""Training from fresh weights or a network's: SGD or AdamW, the rate up linearly, down along a cosine, a measurement at rungs.

Warm-up and cosine: Goyal et al. 2017, arXiv:1706.02677; Loshchilov & Hutter 2017, arXiv:1608.03983. The defaults are what
``benchmarks/recipes.py`` measured.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from safetensors.torch import save
from torch import Tensor, nn

from netwright.core.architecture import Architecture
from netwright.core.contracts import Estimator, Need, Site
from netwright.core.metrics import METRICS, Metric
from netwright.core.seeds import integer
from netwright.core.trial import Fidelity, Measurement, Proposal
from netwright.errors import RecipeError, RunError
from netwright.nets.checkpoint import pack, unpack
from netwright.nets.inherit import read_origin
from netwright.nets.net import Net

__all__ = ["Diverged", "Train"]


OWN = {"sgd": (0.2, 0.002), "adamw": (0.008, 1.5)}
"""Peak rate and weight decay of each optimizer. AdamW decays by rate × decay a step: at a few hundred steps less does nothing."""


CLIP = 5.0
"""Largest norm of a gradient in the first third of the steps (Pascanu et al. 2013, arXiv:1211.5063)."""


class Diverged(ArithmeticError):
    """The loss stopped being a number."""


class Train(Estimator):
    """Train alone, score on validation.

    ``epochs``: of a search trial; ``final_epochs``: of the winner. ``optimizer``: ``sgd`` with Nesterov's momentum, or
    ``adamw``. ``rate``: peak learning rate, and ``weight_decay``: None for the optimizer's own, see :data:`OWN`.
    ``bfloat16``: arithmetic in it, where the processor can. ``start``: a file of weights that members of its space begin with.
    """

    offers = frozenset({Need.TRAINING, Need.CURVE})

    def __init__(
        self,
        *,
        epochs: int = 12,
        final_epochs: int = 40,
        optimizer: str = "sgd",
        rate: float | None = None,
        weight_decay: float | None = None,
        bfloat16: bool = False,
        start: str = "",
    ) -> None:
        if optimizer not in OWN:
            raise RecipeError(f"unknown optimizer {optimizer!r}", where="estimator train", todo=f"Use {' or '.join(OWN)}.")
        own_rate, own_decay = OWN[optimizer]
        self.rate = own_rate if rate is None else rate
        self.weight_decay = own_decay if weight_decay is None else weight_decay
        if epochs < 1 or final_epochs < 1 or self.rate <= 0 or self.weight_decay < 0:
            raise RecipeError(
                f"epochs {epochs}, final_epochs {final_epochs}, rate {self.rate}, weight_decay {self.weight_decay}",
                where="estimator train",
                todo="Make them positive.",
            )
        self.epochs, self.final_epochs = epochs, final_epochs
        self.optimizer, self.bfloat16, self.start = optimizer, bfloat16, start
        if start:
            read_origin(start)  # what cannot be read is said before any money is spent

    def metrics(self) -> Sequence[Metric]:
        return [metric for metric in METRICS.values() if metric.source == "scored"]

    def full(self) -> Fidelity:
        return Fidelity(self.epochs)

    def final(self) -> Fidelity:
        return Fidelity(self.final_epochs, join_validation=True)

    def estimate(self, proposal: Proposal, site: Site) -> Iterator[Measurement]:
        """One measurement at a ninth, a third and the whole of the epochs, or at every so many (``notes["every"]``); a final
        training yields its weights' digest. A beginning (``Fidelity.of``) is measured at its end, and leaves a checkpoint there:
        going on from it is, bit for bit, training on."""
        fidelity = proposal.fidelity or self.full()
        run = _Training(self, proposal.architecture, fidelity, site)
        earlier = proposal.notes.get("continues", {})
        done = run.resumed(earlier)
        rungs = {e for e in _rungs(fidelity, int(proposal.notes.get("every", 0))) if e > earlier.get("epochs", 0)}
        for epoch in range(done + 1, fidelity.epochs + 1):
            start = time.perf_counter()
            loss = run.epoch(epoch)
            run.seconds += time.perf_counter() - start
            if epoch not in rungs:
                continue
            start = time.perf_counter()
            scores = {} if fidelity.join_validation else dict(site.task.score(run.predict, "validation"))
            cost = {"train": run.seconds, "score": time.perf_counter() - start}
            reached = replace(fidelity, epochs=epoch, of=fidelity.planned)
            told = {"train_loss": loss, "rows": run.rows}
            yield Measurement(scores, reached, cost, told, run.kept() if epoch == fidelity.epochs else "")
            run.seconds, run.rows = 0.0, 0


def _rungs(fidelity: Fidelity, every: int) -> set[int]:
    """After which epochs is measured."""
    if fidelity.join_validation or (fidelity.of and not every):
        return {fidelity.epochs}
    between = range(every, fidelity.epochs, every) if every else (math.ceil(fidelity.epochs / 3**k) for k in (1, 2))
    return {*between, fidelity.epochs}


class _Training:
    """State of one training. Leaves torch's global random state as it was: dropout draws inside a fork of it."""

    def __init__(self, settings: Train, architecture: Architecture, fidelity: Fidelity, site: Site) -> None:
        self.task, self.fidelity, self.site = site.task, fidelity, site
        self.net = Net(architecture, site.task.signature, seed=self.seed("weights"))
        if settings.start and architecture.trace:  # a fixed network is no member of the space
            taken = read_origin(settings.start).pieces(architecture, site.task.signature)
            self.net.load_tensors({**self.net.tensors(), **taken})
        nn.Module.to(self.net, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.steps_per_epoch = sum(1 for _ in self.task.batches("train", fidelity, self.seed("count")))
        self.total = max(1, self.steps_per_epoch * fidelity.planned)
        self.params = list(self.net.parameters())
        self.optimizer, self.rate = _optimizer(settings, self.params), settings.rate
        self.step, self.rows, self.seconds = 0, 0, 0.0
        self.autocast = torch.autocast("cpu", torch.bfloat16, enabled=settings.bfloat16)

    def resumed(self, earlier: Mapping[str, Any]) -> int:
        """Go on from the checkpoint of an earlier trial; returns the epochs that are done: 0 where it is gone."""
        if not earlier.get("checkpoint"):
            return 0
        try:
            unpack(self.site.vault.get(earlier["checkpoint"]), self.net, self.optimizer)
        except RunError:
            return 0
        self.step = self.steps_per_epoch * int(earlier["epochs"])
        return int(earlier["epochs"])

    def kept(self) -> str:
        """The digest of what must outlive the training: the weights of a final one, the checkpoint of a beginning."""
        if self.fidelity.join_validation:
            return self.site.vault.put(save(self.net.tensors()))
        if not self.fidelity.of:
            return ""
        try:
            return self.site.vault.put(pack(self.net, self.optimizer, self.fidelity.epochs))
        except OSError:  # the disk is full: what was measured counts, and who goes on begins anew
            return ""

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
                self.rows += len(batch.x)
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
        if self.step < self.total / 3:  # where the rate is high, one network in eight diverges without
            nn.utils.clip_grad_norm_(self.params, CLIP, foreach=True)
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


def _optimizer(settings: Train, params: Sequence[nn.Parameter]) -> torch.optim.Optimizer:
    """Biases and norms are not decayed."""
    groups = [
        {"params": [p for p in params if p.ndim > 1], "weight_decay": settings.weight_decay},
        {"params": [p for p in params if p.ndim <= 1], "weight_decay": 0.0},
    ]
    groups = [group for group in groups if group["params"]]
    if not groups:
        raise RecipeError("the architecture has no weights to train", where="estimator train", todo="Choose another space.")
    if settings.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=settings.rate, momentum=0.9, nesterov=True, fused=True)
    return torch.optim.AdamW(groups, lr=settings.rate, fused=True)
