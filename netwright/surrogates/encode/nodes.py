"""An architecture's graph as it is, for networks that read graphs: a label and a size for each node, and who reads whom."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from zlib import crc32

import numpy as np

from netwright.core.architecture import Architecture
from netwright.core.picks import at_random
from netwright.core.seeds import stream
from netwright.core.space import Space, unfold
from netwright.surrogates.encode._parts import Part, joined, parts

__all__ = ["LABELS", "encoder"]

LABELS = 62
"""Labels are told apart by a hash with so many values; two more are an input and an output."""

REFERENCES = 300
"""Architectures drawn to learn which parts are the same in all of them, and how many nodes the largest has."""

MOST = 80
"""Nodes at most; what comes later is left out."""


def encoder(space: Space) -> Callable[[Sequence[Architecture]], Any]:
    """Codes of shape (n, nodes, 2 + nodes), uint8: the label (1 and more; 0 where there is no node), 16 times the logarithm of
    the size, and 1 for each node that it reads."""
    rows = [parts(unfold(space, at_random(stream(0, i, "reference")))) for i in range(REFERENCES)]
    whole = min(len(row) for row in rows)
    fixed = {place for place in range(whole) if len({row[place] for row in rows}) == 1}

    def graph(found: Sequence[Part]) -> Part:
        return joined([part for place, part in enumerate(found) if place not in fixed])

    largest = max([len(graph(row).labels) for row in rows], default=0)
    nodes = min(MOST, largest + largest // 4 + 2)

    def encode(architectures: Sequence[Architecture]) -> Any:
        found = np.zeros((len(architectures), nodes, 2 + nodes), dtype=np.uint8)
        for n, architecture in enumerate(architectures):
            _write(found[n], graph(parts(architecture)), nodes)
        return found

    return encode


def _write(code: Any, graph: Part, nodes: int) -> None:
    """The input is node 0, the output the one after the last."""
    code[0, 0] = LABELS + 1
    last = min(len(graph.labels), nodes - 2)
    for n, (label, reads, size) in enumerate(zip(graph.labels[:last], graph.reads, graph.sizes, strict=False), 1):
        code[n, 0] = 1 + crc32(label.encode()) % LABELS
        code[n, 1] = min(255, round(16 * size))
        for i in reads:
            code[n, 2 + (i + 1 if i >= 0 else 0)] = 1
    code[last + 1, 0] = LABELS + 2
    for i in graph.outs:
        if -1 <= i < last:
            code[last + 1, 2 + i + 1] = 1
