"""What every task that a run holds can do beyond the contract: a seal on the test rows, facts for reports."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from torch import Tensor

from netwright.core.architecture import Frame
from netwright.core.contracts import Split, Task
from netwright.errors import SealError

__all__ = ["Batch", "Kind", "Sealed"]

Kind = Literal["classification", "regression"]


class Batch(NamedTuple):
    """``x``: inputs that have passed the front; ``y``: class numbers (B,), or standardised targets (B, 1); ``smoothing``: how
    much of the target goes to the other classes (Szegedy et al. 2016, arXiv:1512.00567)."""

    x: Tensor
    y: Tensor
    smoothing: float = 0.0


class Sealed(Task):
    """``classes`` is empty for a regression."""

    name: str
    kind: Kind
    classes: tuple[str, ...]
    frame: Frame
    opened: bool = False
    has_test: bool = True

    @property
    @abstractmethod
    def fingerprint(self) -> str:
        """A digest of all rows and of which split holds which."""

    @abstractmethod
    def describe(self) -> dict[str, Any]:
        """Facts, as JSON, for the log, the report and the card."""

    @abstractmethod
    def splits(self) -> dict[str, list[int | str]]:
        """Row numbers in the data (from 0, header excluded) or file names of each split that this task holds."""

    @abstractmethod
    def rows(self, split: Split) -> tuple[npt.NDArray[np.float32], npt.NDArray[Any]]:
        """Raw inputs (before the front), and class numbers or targets in their own unit."""

    @abstractmethod
    def without_test(self) -> Sealed:
        """The same task without its test rows: what a search gets."""

    def open_test(self) -> dict[str, Any]:
        """Break the seal of this object, after the winner is fixed. Returns what is to be written in the log."""
        if not self.has_test:
            raise SealError("the test rows were removed from this task")
        self.opened = True
        return {"split": "test", "rows": self.describe()["rows"]["test"], "fingerprint": self.fingerprint}

    def check_seal(self, split: str) -> None:
        """Raise :class:`SealError` where the split is the test and may not be read."""
        if split == "test" and not self.has_test:
            raise SealError("the test rows were removed from this task")
        if split == "test" and not self.opened:
            raise SealError("the test split is sealed", todo="It is opened once, after the winner is fixed: open_test().")
