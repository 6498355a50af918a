"""Handwritten digits from Python: search under two limits, look at the front, use the network.

python examples/digits.py [BUDGET]
"""

from __future__ import annotations

import sys

import torch
from sklearn.datasets import load_digits

import netwright


def main(budget: str = "60s") -> None:
    run = netwright.search("digits", objectives=["latency_ms"], limits=["params<=5k", "peak_kib<=64"], budget=budget)
    print(run.folder, run.facts.control["verdict"])
    for point in run.front:
        print(f"trial {point['trial']}: {point['metrics']['accuracy']:.3f} in {point['metrics']['latency_ms']:.4f} ms")

    network = run.best.model()  # torch, from pixel values as stored to logits
    pixels = torch.from_numpy(load_digits().images[:8, None]).float()
    print("it reads", network(pixels).argmax(1).tolist(), "where there is", load_digits().target[:8].tolist())


if __name__ == "__main__":
    main(*sys.argv[1:2])
