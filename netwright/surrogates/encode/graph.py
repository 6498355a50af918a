"""Graph features: how often each operation comes, how many lie on the longest, the shortest and the mean path, what follows what.

After GRAF (Kadlecová et al. 2024, arXiv:2406.12919): counts, path lengths and degrees of a network's graph, without what it
does not need. Beside them stand parameters and FLOPs, and the decisions themselves.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from netwright.core.architecture import Architecture
from netwright.core.encode import sparse
from netwright.core.picks import at_random
from netwright.core.seeds import stream
from netwright.core.space import Space, unfold
from netwright.layers.counts import count
from netwright.surrogates.encode._parts import NOTHING, Part, parts

__all__ = ["encoder", "features"]

REFERENCES = 300
"""Architectures drawn to learn which columns there are, and their mean and spread."""

_JOINTS = frozenset({"sum", "concat", "product", "mean"})
"""Where paths meet; what comes before is followed by what comes after."""


def encoder(space: Space) -> Callable[[Sequence[Architecture]], Any]:
    """Codes of shape (n, columns), float32. Columns are standardised over architectures drawn from the space; each group of them
    (counts, paths, decisions …) weighs the same, and no two columns tell the same."""
    rows = [features(space, unfold(space, at_random(stream(0, i, "reference")))) for i in range(REFERENCES)]
    names = sorted({name for row in rows for name in row})
    table = np.array([[row.get(name, 0.0) for name in names] for row in rows])
    mean, spread = table.mean(axis=0), table.std(axis=0)
    kept: list[int] = []
    seen: set[bytes] = set()
    for column in np.flatnonzero(spread > 1e-9):
        shape = ((table[:, column] - mean[column]) / spread[column]).round(5)
        key = (shape * np.sign(shape[np.flatnonzero(shape)[0]])).tobytes()
        if key not in seen:
            seen.add(key)
            kept.append(int(column))
    columns = [names[k] for k in kept]
    place = {name: k for k, name in enumerate(columns)}
    groups = [_group(name) for name in columns]
    scale = spread[kept] * np.sqrt([groups.count(group) for group in groups])

    def encode(architectures: Sequence[Architecture]) -> Any:
        found = np.zeros((len(architectures), len(columns)))
        for n, architecture in enumerate(architectures):
            for name, value in features(space, architecture).items():
                if name in place:
                    found[n, place[name]] = value
        return ((found - mean[kept]) / scale).astype(np.float32)

    return encode


def _group(name: str) -> str:
    return "follows" if " > " in name else name.partition(" ")[0]


def features(space: Space, architecture: Architecture) -> dict[str, float]:
    """Name → value, before they are standardised."""
    found: dict[str, float] = {}
    for part in parts(architecture):
        for name, value in _of_part(part).items():
            found[name] = found.get(name, 0.0) + value
    if space.signature is not None:
        counts = count(architecture, space.signature)
        found |= {f"log {name}": math.log(max(1.0, counts.value(name))) for name in ("params", "flops")}
    return found | {f"trace {name}": value for name, value in sparse(architecture).items()}


@lru_cache(maxsize=65536)
def _of_part(part: Part) -> Mapping[str, float]:
    names = part.labels
    found: Any = Counter(f"count {name}" for name in names)
    found["nodes"] = len(names)
    before = _before(part)
    for n, name in enumerate(names):
        if name not in _JOINTS:
            found.update(f"{'input' if i < 0 else names[i]} > {name}" for i in before[n])
    ends = [i for out in part.outs for i in (before[out] if out >= 0 and names[out] in _JOINTS else (out,))]
    found.update(f"{'input' if i < 0 else names[i]} > output" for i in ends if i != NOTHING)
    for out in part.outs:
        if out >= 0:
            _paths(part, out, found)
    told: Mapping[str, float] = found
    return told


def _before(part: Part) -> list[tuple[int, ...]]:
    """What reaches each node, joints left out."""
    found: list[tuple[int, ...]] = []
    for reads in part.reads:
        far = [found[i] if i >= 0 and part.labels[i] in _JOINTS else (i,) for i in reads]
        found.append(tuple(i for group in far for i in group))
    return found


def _paths(part: Part, out: int, found: Any) -> None:
    """Add, for each operation and for all: how many lie on the longest path to ``out``, the shortest, and the mean one."""
    labels = sorted({name for name in part.labels if name not in _JOINTS})
    place = {label: k for k, label in enumerate(labels)}
    width = len(labels) + 1  # the last column counts every operation
    longest, shortest, passed = np.zeros((3, len(part.labels), width))
    ways = np.zeros(len(part.labels))
    for n, reads in enumerate(part.reads):
        inner = [i for i in reads if i >= 0]
        outer = len(reads) - len(inner) if reads else 1
        if inner:
            longest[n], shortest[n], passed[n] = longest[inner].max(0), shortest[inner].min(0), passed[inner].sum(0)
        if outer:
            shortest[n] = 0.0
        ways[n] = ways[inner].sum() + outer
        name = part.labels[n]
        if name not in _JOINTS:
            mine = [place[name], width - 1]
            longest[n, mine] += 1
            shortest[n, mine] += 1
            passed[n, mine] += ways[n]
    for label, k in (*place.items(), ("any", width - 1)):
        found[f"longest {label}"] += longest[out, k]
        found[f"shortest {label}"] += shortest[out, k]
        found[f"mean {label}"] += passed[out, k] / ways[out]
    found["paths"] += math.log(ways[out])
