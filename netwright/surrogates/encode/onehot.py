"""One column for each option of each hole: 1 where it was taken, else 0 (White et al. 2020, arXiv:2007.04965)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from netwright.core.architecture import Architecture
from netwright.core.encode import Encoding, sparse
from netwright.core.space import Space

__all__ = ["encoder"]


def encoder(space: Space) -> Callable[[Sequence[Architecture]], Any]:
    """Codes of shape (n, options), float32. Holes below a rule's second coming have no column."""
    place = {column: n for n, column in enumerate(Encoding(space).columns)}

    def encode(architectures: Sequence[Architecture]) -> Any:
        found = np.zeros((len(architectures), len(place)), dtype=np.float32)
        for n, architecture in enumerate(architectures):
            found[n, [place[column] for column in sparse(architecture) if column in place]] = 1.0
        return found

    return encode
