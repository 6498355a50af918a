"""A proposal, its measurements, and the trial that holds both: the only things that travel between the rooms."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from netwright.core.architecture import Architecture

__all__ = ["DONE", "FINISHED", "Fidelity", "History", "Measurement", "Proposal", "State", "Trial", "longest"]

State = Literal["pending", "finished", "failed", "infeasible", "stopped"]
DONE: frozenset[State] = frozenset({"finished", "failed", "infeasible", "stopped"})
FINISHED: frozenset[State] = frozenset({"finished", "stopped"})


@dataclass(frozen=True)
class Fidelity:
    """How much of the full evaluation is paid for: passes over the rows, and the share of the rows.

    ``join_validation``: validation rows join the training. Only after the winner is fixed.
    ``of``: the length of the training that these epochs are the beginning of, which its schedule is planned for; 0 where they
    are the whole of it.
    """

    epochs: int = 1
    data: float = 1.0
    join_validation: bool = False
    of: int = 0

    def __post_init__(self) -> None:
        if 0 < self.of <= self.epochs:
            object.__setattr__(self, "of", 0)

    @property
    def planned(self) -> int:
        """The epochs that the schedule is planned for."""
        return self.of or self.epochs

    @property
    def reach(self) -> float:
        """How far it goes, to compare: beginnings by their epochs, whole evaluations beyond all of them."""
        return self.epochs if self.of else math.inf

    def to_json(self) -> dict[str, Any]:
        return {
            "epochs": self.epochs,
            **({"of": self.of} if self.of else {}),
            **({"data": self.data} if self.data != 1.0 else {}),
            **({"join_validation": True} if self.join_validation else {}),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Fidelity:
        joined = bool(data.get("join_validation", False))
        return cls(int(data["epochs"]), float(data.get("data", 1.0)), joined, int(data.get("of", 0)))


@dataclass(frozen=True)
class Proposal:
    """What a strategy asks for. ``fidelity`` None leaves it to the estimator's own full evaluation.

    ``continues``: the earlier trial of the same architecture that it goes on with, to a longer
    fidelity. ``parent``: whose weights to start from, ``moves`` where they moved to (new path → old path). ``notes``: anything
    JSON.
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

    @property
    def fidelity(self) -> Fidelity | None:
        """What its latest measurement was paid for; None where nothing was trained."""
        return next((m.fidelity for m in reversed(self.measurements) if m.fidelity), None)

    @property
    def epochs(self) -> int:
        """Of its latest measurement; 0 where nothing was trained."""
        return self.fidelity.epochs if self.fidelity else 0

    @property
    def checkpoint(self) -> str:
        """The digest of what its latest measurement left, to go on from."""
        return self.measurements[-1].checkpoint if self.measurements else ""

    def measured(self, measurement: Measurement) -> Trial:
        return replace(self, measurements=(*self.measurements, measurement))

    def ended(self, state: State, reason: str = "", seconds: float = 0.0) -> Trial:
        return replace(self, state=state, reason=reason, seconds=seconds)


def longest(trials: Sequence[Trial]) -> list[Trial]:
    """Those that were evaluated the longest: a beginning is not compared with a whole training."""
    reach = [trial.fidelity.reach if trial.fidelity else math.inf for trial in trials]
    most = max(reach, default=0.0)
    return [trial for trial, far in zip(trials, reach, strict=True) if far == most]


class History:
    """Ended trials in the order in which they ended, then the pending ones. What a strategy may look at, and no more.

    An architecture that is trained further, step by step, has a trial for each step; ``root`` is the number of the first.
    """

    def __init__(self, ended: Sequence[Trial] = (), pending: Sequence[Trial] = ()) -> None:
        self.ended: list[Trial] = list(ended)
        self.pending: dict[int, Trial] = {trial.number: trial for trial in pending}
        self._finished = [trial for trial in self.ended if trial.state in FINISHED]
        self._next = max((trial.number for trial in self), default=-1) + 1
        self._traces: set[Any] = set()
        self._unnamed = list(self)
        self._order = list(self)
        self._names: dict[Callable[[Architecture], Any], tuple[set[Any], int]] = {}
        self._by_number: dict[int, Trial] = {trial.number: trial for trial in self}
        self._roots: dict[int, int] = {}
        self._continued: set[int] = set()
        self._rungs: dict[int, list[Trial]] = {}
        self._whole: History | None = None
        for trial in sorted((t for t in self if t.proposal.continues is not None), key=lambda trial: trial.number):
            self._follow(trial)
        for trial in self._finished:
            self._climb(trial)
        self.space: Any = None
        """The space that it is known to belong to: see :func:`netwright.core.picks.belongs`."""

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

    def names(self, name: Callable[[Architecture], Any]) -> AbstractSet[Any]:
        """What ``name`` calls every architecture that was proposed. A set that grows."""
        if self._whole is not None:
            return self._whole.names(name)
        found, count = self._names.get(name, (set(), 0))
        found.update(name(trial.architecture) for trial in self._order[count:])
        self._names[name] = found, len(self._order)
        return found

    def __getitem__(self, number: int) -> Trial:
        return self._by_number[number]

    @property
    def architectures(self) -> Iterable[Architecture]:
        """All that were proposed, those too that a narrowed history does not show the trials of; some more than once."""
        return (trial.architecture for trial in self._whole or self)

    @property
    def rungs(self) -> Mapping[int, Sequence[Trial]]:
        """Epochs → the trials that finished after so many, in the order in which they did; without those that were stopped."""
        return self._rungs

    @property
    def continued(self) -> AbstractSet[int]:
        """Numbers of the trials that another one goes on with, whatever becomes of it."""
        return self._continued

    def root(self, number: int) -> int:
        """The number under which the architecture of a trial was first proposed."""
        return self._roots.get(number, number)

    def narrowed(self, ended: Sequence[Trial], pending: Sequence[Trial], next_number: int) -> History:
        """A history of some of the trials, for a strategy inside another: what was proposed stays known, and numbers go on."""
        fewer = History(ended, pending)
        fewer._next = next_number
        fewer._traces, fewer._unnamed, fewer.space, fewer._whole = set(self.traces), [], self.space, self
        return fewer

    def _climb(self, trial: Trial) -> None:
        if trial.state == "finished":
            self._rungs.setdefault(trial.epochs, []).append(trial)

    def _follow(self, trial: Trial) -> None:
        earlier = trial.proposal.continues
        if earlier is not None:
            self._roots[trial.number] = self.root(earlier)
            self._continued.add(earlier)

    def propose(self, trial: Trial) -> None:
        self.pending[trial.number] = self._by_number[trial.number] = trial
        self._unnamed.append(trial)
        self._order.append(trial)
        self._follow(trial)
        self._next = max(self._next, trial.number + 1)

    def update(self, trial: Trial) -> None:
        """Put in a trial's newer version; an ended one leaves the pending."""
        self._by_number[trial.number] = trial
        if trial.state in DONE:
            self.pending.pop(trial.number, None)
            self.ended.append(trial)
            if trial.state in FINISHED:
                self._finished.append(trial)
                self._climb(trial)
        else:
            self.pending[trial.number] = trial
