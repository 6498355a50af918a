"""A few small graph networks that read the architecture's graph both ways (GIN, Xu et al. 2019, arXiv:1810.00826).

As predictors of architectures: NPENAS (Wei et al. 2020, arXiv:2003.12857) and BONAS (Shi et al. 2020, arXiv:1911.09336).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from netwright.core.contracts import Belief, Surrogate
from netwright.core.seeds import integer
from netwright.errors import RecipeError

__all__ = ["Gnn"]

LABELS = 65
"""As many as the encoding ``nodes`` has, 0 for none among them."""

CHUNK = 512
"""Architectures predicted at once."""


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    """Tensors this small are slower with several, and sums come out the same with one."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


class Gnn(Surrogate):
    """``members``: how many networks, trained side by side; how far they disagree is the doubt. ``width``, ``rounds``: of each.
    ``steps``, ``rate``, ``decay``: of training, each step on all architectures."""

    encoding = "nodes"

    def __init__(
        self,
        seed: int,
        *,
        members: int = 3,
        width: int = 24,
        rounds: int = 3,
        steps: int = 120,
        rate: float = 0.01,
        decay: float = 0.01,
        batch: int = 48,
    ) -> None:
        if members < 2 or min(width, rounds, steps, batch) < 1 or not 0 < rate < 1 or not 0 <= decay < 1:
            raise RecipeError(
                f"members {members}, width {width}, rounds {rounds}, steps {steps}, rate {rate}, decay {decay} do not fit",
                where="surrogate gnn",
                todo="Use members >= 2, width, rounds and steps >= 1, 0 < rate < 1 and 0 <= decay < 1.",
            )
        self.seed, self.members, self.width, self.rounds = seed, members, width, rounds
        self.steps, self.rate, self.decay, self.batch = steps, rate, decay, batch

    def fit(self, x: Any, y: Any) -> None:
        with _one_thread():
            self._fit(x, y)

    def _fit(self, x: Any, y: Any) -> None:
        import torch

        target = torch.as_tensor(np.asarray(y, dtype=np.float32))
        self._mean, self._std = float(np.mean(y)), float(np.std(y)) or 1.0
        target = (target - self._mean) / self._std
        weights = self._drawn(integer(self.seed, len(x), "gnn"))
        shuffle = torch.Generator().manual_seed(integer(self.seed, len(x), "gnn order"))
        optimizer = torch.optim.AdamW(weights, lr=self.rate, weight_decay=self.decay)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, self.rate, total_steps=self.steps + 1, pct_start=0.2)
        whole = _Graphs(x)
        for _ in range(self.steps):
            optimizer.zero_grad(set_to_none=True)
            rows = torch.randperm(len(target), generator=shuffle)[: self.batch]
            found = _forward(weights, whole.only(rows), self.rounds)
            loss = torch.nn.functional.smooth_l1_loss(found, target[rows].expand(self.members, -1), beta=0.3)
            (loss * self.members).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
        self._weights = [weight.detach() for weight in weights]

    def _drawn(self, seed: int) -> list[Any]:
        """Weights of all members: of the labels, of each round (to itself, from what it reads, from its readers), of the end."""
        import torch

        generator = torch.Generator().manual_seed(seed)

        def drawn(*shape: int, fan: int) -> Any:
            made = torch.randn(self.members, *shape, generator=generator) * (2 / fan) ** 0.5
            return made.requires_grad_()

        w = self.width
        found = [drawn(LABELS + 1, w, fan=4)]
        for _ in range(self.rounds):
            found += [drawn(3 * w, w, fan=3 * w), torch.zeros(self.members, 1, w).requires_grad_()]
        found += [drawn(2 * w, w, fan=2 * w), torch.zeros(self.members, 1, w).requires_grad_()]
        found += [drawn(w, 1, fan=2 * w), torch.zeros(self.members, 1, 1).requires_grad_()]
        return found

    def predict(self, x: Any) -> Belief:
        import torch

        if not len(x):
            return Belief(np.zeros(0), np.zeros(0))
        with _one_thread(), torch.inference_mode():
            pieces = [_forward(self._weights, _Graphs(x[i : i + CHUNK]), self.rounds) for i in range(0, len(x), CHUNK)]
        each = torch.cat(pieces, dim=1).double().numpy() * self._std + self._mean
        return Belief(each.mean(axis=0), np.maximum(each.std(axis=0), 1e-6 * self._std))


class _Graphs:
    """Codes as tensors: what each node is, what it reads and who reads it, and which nodes there are."""

    def __init__(self, x: Any) -> None:
        import torch

        codes = self.codes = torch.as_tensor(np.asarray(x, dtype=np.uint8))
        self.labels = codes[:, :, 0].long()
        self.sizes = codes[:, :, 1:2].float() / 64
        reads = codes[:, :, 2:].float()
        self.reads, self.readers = reads, reads.transpose(1, 2)
        there = (self.labels > 0).float()[..., None]
        self.mean = there / there.sum(dim=1, keepdim=True).clamp(min=1)
        self.there = there

    def only(self, rows: Any) -> _Graphs:
        return _Graphs(self.codes[rows])


def _forward(weights: list[Any], graphs: _Graphs, rounds: int) -> Any:
    """Shape (members, n): each member's prediction."""
    import torch

    table = weights[0]
    members, n, nodes, w = len(table), *graphs.labels.shape, table.shape[-1]
    h = table[:, graphs.labels] + graphs.sizes * table[:, -1:].unsqueeze(1)
    h = h * graphs.there
    for k in range(rounds):
        heard = torch.cat([h, graphs.reads @ h, graphs.readers @ h], dim=-1).reshape(members, n * nodes, 3 * w)
        out = torch.baddbmm(weights[2 * k + 2], heard, weights[2 * k + 1]).relu().reshape(members, n, nodes, w)
        h = (h + out) * graphs.there if k else out * graphs.there
    read = torch.cat([(h * graphs.mean).sum(dim=2), h.amax(dim=2)], dim=-1)
    end = torch.baddbmm(weights[-3], read, weights[-4]).relu()
    return torch.baddbmm(weights[-1], end, weights[-2])[..., 0]
