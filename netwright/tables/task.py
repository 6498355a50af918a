"""The task that a table stands for: its networks were trained elsewhere, so nothing can be trained or scored here."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

from netwright.core.contracts import Need, Split, Task
from netwright.core.trial import Fidelity
from netwright.errors import SealError
from netwright.tables.table import Table

__all__ = ["TableTask"]


class TableTask(Task):
    """What the parts of a search may ask of a table's data: its signature, its metrics, facts for the report."""

    offers = frozenset(Need) - {Need.TRAINING, Need.MIXTURE, Need.PARENT_WEIGHTS, Need.CURVE}
    travels = False

    def __init__(self, table: Table) -> None:
        self.table, self.name, self.signature, self.known = table, table.name, table.signature, table.metric

    @cached_property
    def fingerprint(self) -> str:
        """Digest of the files."""
        digest = hashlib.blake2b(digest_size=16)
        for path in self.table.files:
            digest.update(path.read_bytes())
        return digest.hexdigest()

    def describe(self) -> dict[str, Any]:
        described = self.table.described
        return {
            "table": self.table.name,
            "title": described.title,
            "architectures": len(self.table),
            "files": [path.name for path in self.table.files],
            "source": described.source,
            "licence": described.licence,
            "fingerprint": self.fingerprint,
        }

    def metrics(self) -> Sequence[str]:
        return self.table.names

    def batches(self, split: Split, fidelity: Fidelity, seed: int | None = None) -> Iterable[Any]:
        raise SealError(f"table {self.name} has no data to train on")

    def loss(self, output: Any, batch: Any) -> Any:
        raise SealError(f"table {self.name} has no data to train on")

    def score(self, predict: Callable[[Any], Any], split: Split) -> Mapping[str, float]:
        raise SealError(f"table {self.name} has no data to score on")
