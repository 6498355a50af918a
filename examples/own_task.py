"""A task of your own: where neither arrays nor files will do, say what a batch, the loss and the score are.

python examples/own_task.py [BUDGET]
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence

import torch

import netwright
from netwright.core.architecture import Signature, Tensor


class Parity(netwright.Task):
    """Whether the number of ones among eight bits is even. Wrong alarms cost three times as much as misses."""

    signature = Signature((("x", Tensor((8,))),), (("y", Tensor((2,))),))
    name = "parity"
    classes = ("odd", "even")

    def metrics(self) -> Sequence[str]:
        return ["accuracy"]

    def batches(self, split: str, fidelity: object, seed: int | None = None) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        all_x = (torch.arange(256)[:, None] >> torch.arange(8)) & 1
        x = all_x[torch.randperm(256, generator=torch.Generator().manual_seed(0))]
        x = {"train": x[:160], "validation": x[160:208], "test": x[208:]}[split]
        if seed is not None:
            x = x[torch.randperm(len(x), generator=torch.Generator().manual_seed(seed % 2**63))]
        yield from ((part.float(), 1 - part.sum(1) % 2) for part in x.split(32))

    def loss(self, output: torch.Tensor, batch: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
        return torch.nn.functional.cross_entropy(output, batch[1], weight=torch.tensor([3.0, 1.0]))

    def score(self, predict: Callable[[torch.Tensor], torch.Tensor], split: str) -> Mapping[str, float]:
        hits = [(predict(x).argmax(1) == y).float() for x, y in self.batches(split, None)]
        return {"accuracy": float(torch.cat(hits).mean())}


def main(budget: str = "60s") -> None:
    run = netwright.search(Parity(), limits=["params<=5k"], budget=budget)
    print(run.best, run.facts.test["score"])


if __name__ == "__main__":
    main(*sys.argv[1:2])
