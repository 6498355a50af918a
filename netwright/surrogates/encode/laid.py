"""Graph features, and beside them how often each operation is laid, whether the result needs it or not.

A device may run what a network does not need, and a table may have measured that: time and energy follow what is laid.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from netwright.core.architecture import Architecture
from netwright.core.block import Attrs, Block, Leaf
from netwright.core.picks import at_random
from netwright.core.seeds import stream
from netwright.core.space import Space, unfold
from netwright.surrogates.encode.graph import REFERENCES
from netwright.surrogates.encode.graph import encoder as described

__all__ = ["encoder"]


def encoder(space: Space) -> Callable[[Sequence[Architecture]], Any]:
    """Codes of shape (n, 2, columns), float32: graph features, then counts, standardised; the fewer of them end in zeros."""
    features = described(space)
    drawn = [_laid(unfold(space, at_random(stream(0, i, "reference"))).block) for i in range(REFERENCES)]
    names = sorted({name for counts in drawn for name in counts})
    table = np.array([[counts.get(name, 0) for name in names] for counts in drawn], dtype=float).reshape(REFERENCES, -1)
    mean, spread = table.mean(axis=0), table.std(axis=0)
    (_, kept) = np.unique(((table - mean) / np.where(spread > 0, spread, 1)).round(5), axis=1, return_index=True)
    kept = np.array([k for k in sorted(kept) if spread[k] > 0], dtype=int)
    columns, mean, spread = [names[k] for k in kept], mean[kept], spread[kept]

    def encode(architectures: Sequence[Architecture]) -> Any:
        left = features(architectures)
        counts = np.array([[_laid(a.block).get(name, 0) for name in columns] for a in architectures], dtype=float)
        right = (counts.reshape(len(architectures), -1) - mean) / spread
        found = np.zeros((len(architectures), 2, max(left.shape[1], right.shape[1])), dtype=np.float32)
        found[:, 0, : left.shape[1]], found[:, 1, : right.shape[1]] = left, right
        return found

    return encode


def _laid(block: Block) -> Mapping[str, int]:
    """How many nodes of each kind a block lays; sizes do not tell kinds apart."""
    if "laid" not in block.memo:
        counts: Counter[str] = Counter()
        for item in block.items:
            counts.update({_kind(item.op, item.attrs): 1} if isinstance(item, Leaf) else _laid(item.block))
        block.memo["laid"] = counts
    return block.memo["laid"]  # type: ignore[no-any-return]


def _kind(op: str, attrs: Attrs) -> str:
    return " ".join([op, *(f"{name}={value}" for name, value in attrs if name in ("kernel", "kind"))])
