"""How often each path of operations leads from input to output (BANANAS, White et al. 2021, arXiv:1910.11858).

In a network that is a chain of parts, paths are those through a part, counted over all parts and for each part by its place. What
no path tells, how wide its layers are, is a number for each place.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from netwright.core.architecture import Architecture
from netwright.core.picks import at_random
from netwright.core.seeds import stream
from netwright.core.space import Space, unfold
from netwright.surrogates.encode._parts import NOTHING, Part, parts

__all__ = ["encoder", "features"]

REFERENCES = 300
"""Architectures drawn to learn which paths there are."""

COLUMNS = 256
"""The most frequent of them are kept: they are the short ones."""

PATHS = 256
"""Paths through one node that are followed, the shortest."""

_JOINS = frozenset({"sum", "concat", "mean", "product"})

_Path = tuple[str, ...]


def encoder(space: Space) -> Callable[[Sequence[Architecture]], Any]:
    """Codes of shape (n, columns), float32: counts, and logarithms of widths."""
    rows = [features(unfold(space, at_random(stream(0, i, "reference")))) for i in range(REFERENCES)]
    frequency = Counter(name for row in rows for name in row)
    known: set[bytes] = set()
    columns: list[str] = []
    for name, _ in sorted(frequency.items(), key=lambda item: (-item[1], item[0])):
        values = np.array([row.get(name, 0.0) for row in rows], dtype=np.float32)
        if (
            values.min() < values.max() and values.tobytes() not in known
        ):  # the same everywhere, or the same as another, tells nothing
            known.add(values.tobytes())
            columns.append(name)
    place = {name: n for n, name in enumerate(columns[:COLUMNS])}

    def encode(architectures: Sequence[Architecture]) -> Any:
        found = np.zeros((len(architectures), len(place)), dtype=np.float32)
        for n, architecture in enumerate(architectures):
            for name, value in features(architecture).items():
                if name in place:
                    found[n, place[name]] = value
        return found

    return encode


def features(architecture: Architecture) -> dict[str, float]:
    """Name → value: ``a > b`` for a path of two operations, ``3: a > b`` for one through the part at place 3."""
    found: dict[str, float] = {}
    for place, part in enumerate(parts(architecture)):
        for path, count in _through(part).items():
            name = " > ".join(path)
            found[name] = found.get(name, 0.0) + count
            found[f"{place}: {name}"] = count
        found[f"{place}: size"] = sum(part.sizes)
    return found


def _through(part: Part) -> Counter[_Path]:
    """The paths of a part from its inputs to its outputs, and how often each comes."""
    leading: list[Counter[_Path]] = []

    def to(i: int) -> Counter[_Path]:
        return leading[i] if i >= 0 else Counter({(): 1})

    for label, reads in zip(part.labels, part.reads, strict=True):
        met: Counter[_Path] = Counter()
        for i in reads:
            met.update(to(i))
        if not reads:
            met[()] = 1
        shortest = sorted(met.items(), key=lambda item: (len(item[0]), item[0]))[:PATHS]
        leading.append(Counter({(path if label in _JOINS else (*path, label)): count for path, count in shortest}))
    ends: Counter[_Path] = Counter()
    for i in part.outs:
        if i > NOTHING:
            ends.update(to(i))
    return ends
