"""An architecture as numbers, for models that learn from them: which option each hole was answered with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from netwright.core.architecture import Answer, Architecture
from netwright.core.size import holes
from netwright.core.space import Space

__all__ = ["Encoding", "sparse"]


def sparse(architecture: Architecture) -> dict[str, float]:
    """``path=option`` → 1 for every answer; several where a subset was kept. A hole that was not asked has none."""
    return {f"{path}={i}": 1.0 for path, answer in architecture.trace for i in _kept(answer)}


def _kept(answer: Answer) -> Sequence[int]:
    return () if answer is None else (answer,) if isinstance(answer, int) else answer


class Encoding:
    """One column for each option of each hole of a space: 1 where it was taken, else 0 (White et al. 2020, arXiv:2007.04965).

    Holes below a rule's second coming have no column. ``columns`` names them, ``path=option``, in a fixed order.
    """

    def __init__(self, space: Space) -> None:
        self.columns: tuple[str, ...] = tuple(
            f"{path}={i}" for path, hole in holes(space).items() for i in range(len(hole.options))
        )
        self._place: Mapping[str, int] = {column: n for n, column in enumerate(self.columns)}

    def __call__(self, architecture: Architecture) -> list[float]:
        """Shape (columns,)."""
        row = [0.0] * len(self.columns)
        for column in sparse(architecture):
            if column in self._place:
                row[self._place[column]] = 1.0
        return row
