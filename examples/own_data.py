"""Data of your own as a pair of PyTorch data sets: the second one is the test set.

python examples/own_data.py [BUDGET]
"""

from __future__ import annotations

import sys

import torch
from torch.utils.data import Dataset

import netwright


class Stripes(Dataset[tuple[torch.Tensor, int]]):
    """Noisy pictures of stripes that run across, down or not at all."""

    classes = ("across", "down", "none")

    def __init__(self, number: int, seed: int) -> None:
        draw = torch.Generator().manual_seed(seed)
        self.labels = torch.randint(3, (number,), generator=draw)
        waves = torch.sin(torch.arange(12.0)[None, :] + 6.28 * torch.rand(number, 1, generator=draw))
        across, down = waves[:, :, None].expand(-1, 12, 12), waves[:, None, :].expand(-1, 12, 12)
        kinds = torch.stack([across, down, torch.zeros_like(across)], 1)
        noise = torch.randn(number, 12, 12, generator=draw)
        self.pictures = (kinds[torch.arange(number), self.labels] + noise)[:, None]

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, i: int) -> tuple[torch.Tensor, int]:
        return self.pictures[i], int(self.labels[i])


def main(budget: str = "60s") -> None:
    run = netwright.search((Stripes(600, 0), Stripes(200, 1)), limits=["params<=2k"], budget=budget)
    test = run.facts.test
    print(f"{test['metric']} {test['score']:.3f} on {test['rows']} test pictures, {run.best.metrics['params']:.0f} parameters")


if __name__ == "__main__":
    main(*sys.argv[1:2])
