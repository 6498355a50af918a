"""A proposal, its measurements, and the trial that holds both: the only things that travel between the rooms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from netwright.core.architecture import Architecture

__all__ = ["DONE", "FINISHED", "Fidelity", "History", "Measurement", "Proposal", "State", "Trial"]

State = Literal["pending", "finished", "failed", "infeasible", "stopped"]
DONE: frozenset[State] = frozenset({"finished", "failed", "infeasible", "stopped"})
FINISHED: frozenset[State] = frozenset({"finished", "stopped"})


@dataclass(frozen=True)
class Fidelity:
    """How much of the full evaluation is paid for: passes over the rows, and the share of the rows.

    ``join_validation``: validation rows join the training. Only after the winner is fixed.
    """

    epochs: int = 1
    data: float = 1.0
    join_validation: bool = False

    def to_json(self) -> dict[str, Any]:
        return {
            "epochs": self.epochs,
            **({"data": self.data} if self.data != 1.0 else {}),
            **({"join_validation": True} if self.join_validation else {}),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Fidelity:
        return cls(int(data["epochs"]), float(data.get("data", 1.0)), bool(data.get("join_validation", False)))


@dataclass(frozen=True)
class Proposal:
    """What a strategy asks for. ``fidelity`` None leaves it to the estimator's own full evaluation.

    ``continues``: the paused trial it goes on with. ``parent``: whose weights to start from, ``moves`` where they moved to
    (new path → old path). ``notes``: anything JSON.
    """

    architecture: Architecture
    fidelity: Fidelity | None = None
    continues: int | None = None
    parent: int | None = None
    moves: Mapping[str, str] = field(default_factory=dict)
    notes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Measurement:
    """Named numbers, what was paid for them (``cost``: stage → seconds), and the digest of a checkpoint."""

    values: Mapping[str, float]
    fidelity: Fidelity | None = None
    cost: Mapping[str, float] = field(default_factory=dict)
    notes: Mapping[str, Any] = field(default_factory=dict)
    checkpoint: str = ""

    def to_json(self) -> dict[str, Any]:
        return {
            "values": dict(self.values),
            **({"fidelity": self.fidelity.to_json()} if self.fidelity else {}),
            **({"cost": dict(self.cost)} if self.cost else {}),
            **({"notes": dict(self.notes)} if self.notes else {}),
            **({"checkpoint": self.checkpoint} if self.checkpoint else {}),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Measurement:
        fidelity = Fidelity.from_json(data["fidelity"]) if "fidelity" in data else None
        return cls(data["values"], fidelity, data.get("cost", {}), data.get("notes", {}), data.get("checkpoint", ""))


@dataclass(frozen=True)
class Trial:
    """A proposal and everything that happened to it. ``values`` joins its measurements, the latest first."""

    number: int
    proposal: Proposal
    state: State = "pending"
    measurements: tuple[Measurement, ...] = ()
    reason: str = ""
    attempt: int = 1
    seconds: float = 0.0

    @property
    def architecture(self) -> Architecture:
        return self.proposal.architecture

    @property
    def values(self) -> dict[str, float]:
        joined: dict[str, float] = {}
        for measurement in self.measurements:
            joined.update(measurement.values)
        return joined

    def measured(self, measurement: Measurement) -> Trial:
        return replace(self, measurements=(*self.measurements, measurement))

    def ended(self, state: State, reason: str = "", seconds: float = 0.0) -> Trial:
        return replace(self, state=state, reason=reason, seconds=seconds)


class History:
    """Ended trials in the order in which they ended, then the pending ones. What a strategy may look at, and no more."""

    def __init__(self, ended: Sequence[Trial] = (), pending: Sequence[Trial] = ()) -> None:
        self.ended: list[Trial] = list(ended)
        self.pending: dict[int, Trial] = {trial.number: trial for trial in pending}
        self._finished = [trial for trial in self.ended if trial.state in FINISHED]
        self._next = max((trial.number for trial in self), default=-1) + 1
        self._traces: set[Any] = set()
        self._unnamed = list(self)

    def __len__(self) -> int:
        """Trials proposed so far."""
        return len(self.ended) + len(self.pending)

    def __iter__(self) -> Iterator[Trial]:
        yield from self.ended
        yield from self.pending.values()

    @property
    def finished(self) -> list[Trial]:
        """Ended trials that have their values: neither failed nor infeasible. Not to be changed."""
        return self._finished

    @property
    def next_number(self) -> int:
        """The number that the next proposal gets."""
        return self._next

    @property
    def traces(self) -> AbstractSet[Any]:
        """Of every architecture that was proposed: what tells them apart without laying them. A set that grows."""
        self._traces.update(trial.architecture.trace for trial in self._unnamed)
        self._unnamed.clear()
        return self._traces

    def propose(self, trial: Trial) -> None:
        self.pending[trial.number] = trial
        self._unnamed.append(trial)
        self._next = max(self._next, trial.number + 1)

    def update(self, trial: Trial) -> None:
        """Put in a trial's newer version; an ended one leaves the pending."""
        if trial.state in DONE:
            self.pending.pop(trial.number, None)
            self.ended.append(trial)
            if trial.state in FINISHED:
                self._finished.append(trial)
        else:
            self.pending[trial.number] = trial
