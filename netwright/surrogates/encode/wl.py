"""Weisfeiler-Lehman features: how often each operation comes, each with its neighbours, and with theirs.

Shervashidze et al. 2011; in architecture search Ru et al. 2021 (NAS-BOWL, arXiv:2006.07556). Neighbours are what a node reads
and who reads it. The products of codes are the kernel, up to the noise of hashing (Weinberger et al. 2009, arXiv:0902.2206).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any
from zlib import crc32

import numpy as np

from netwright.core.architecture import Architecture
from netwright.core.space import Space
from netwright.surrogates.encode._parts import joined, parts

__all__ = ["encoder"]

ROUNDS = 2
"""Neighbours of neighbours."""

COLUMNS = 512


def encoder(space: Space) -> Callable[[Sequence[Architecture]], Any]:
    """Codes of shape (n, 512), float32: counts of features, each with a sign, by the hash of what it is."""

    def encode(architectures: Sequence[Architecture]) -> Any:
        found = np.zeros((len(architectures), COLUMNS), dtype=np.float32)
        for n, architecture in enumerate(architectures):
            for code, count in _features(architecture).items():
                found[n, code % COLUMNS] += count if code & 1 << 31 else -count
        return found

    return encode


def _features(architecture: Architecture) -> Counter[int]:
    graph = joined(parts(architecture))
    readers: list[list[int]] = [[] for _ in graph.labels]
    for n, reads in enumerate(graph.reads):
        for i in reads:
            if i >= 0:
                readers[i].append(n)
    colours = [crc32(f"{label} {round(size)}".encode()) for label, size in zip(graph.labels, graph.sizes, strict=True)]
    found = Counter(colours)
    for _ in range(ROUNDS):
        before = colours
        colours = [
            hash((before[n], *sorted([before[i] if i >= 0 else i for i in reads]), None, *sorted([before[k] for k in told])))
            for n, (reads, told) in enumerate(zip(graph.reads, readers, strict=True))
        ]
        found.update(colours)
    return found
