"""The contracts between the rooms. Each is abstract; every class in a wing is final; variations are wrappers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import cached_property
from typing import Any, Literal

from netwright.core.architecture import Architecture, Frame, Signature
from netwright.core.metrics import Known, Metric
from netwright.core.objectives import Goal
from netwright.core.space import Space
from netwright.core.trial import Fidelity, History, Measurement, Proposal, Trial

__all__ = [
    "Arrival",
    "Belief",
    "Device",
    "Estimator",
    "Event",
    "Infeasible",
    "Job",
    "Need",
    "Prospect",
    "Runner",
    "Site",
    "Split",
    "Store",
    "Strategy",
    "Surrogate",
    "Task",
    "Vault",
    "Verdict",
    "short",
    "why",
]

Split = Literal["train", "validation", "test"]


class Need(Enum):
    """What a part may need of the others, or offer them. A recipe fits when each part's needs are among the others' offers."""

    IMAGES = "image inputs"
    TABLES = "table inputs"
    SEQUENCES = "sequence inputs"
    GRAPHS = "graph inputs"
    SEVERAL = "several inputs"
    FINITE = "a space that can be unfolded whole"
    MIXTURE = "training of a mixture of options"
    CURVE = "a measurement for each rung of fidelity"
    PARENT_WEIGHTS = "starting from another trial's weights"
    TRAINING = "training of a network"
    TABLE = "a table of measured architectures"
    ONE_OBJECTIVE = "a single objective"


@dataclass(frozen=True)
class Prospect:
    """What is known of a search before it begins, for strategies that plan ahead.

    ``full``: what a full evaluation costs. ``rungs``: the epochs at which the estimator can measure, ascending; empty where it
    can after any number. ``trials``: how many the budget allows, ``seconds``: what one of them takes, None where nobody knows.
    ``slots``: trials side by side.
    """

    full: Fidelity = field(default_factory=Fidelity)
    rungs: tuple[int, ...] = ()
    trials: int | None = None
    slots: int = 1
    seconds: float | None = None


class Verdict(Enum):
    """What becomes of a trial after a measurement. One that was paused may be gone on with, one that was stopped should not."""

    GO = "go"
    PAUSE = "pause"
    STOP = "stop"


class Strategy(ABC):
    """What to try next: a function of (space, goal, seed, history). It has no state that the history cannot rebuild.

    Constructed as ``Strategy(space, goal, seed, **options)``; every random draw comes from ``core.seeds`` with the number
    of the trial it is for, so that a new object given the same history goes on identically. A constructor that has a parameter
    ``prospect`` (a :class:`Prospect`) or ``inner`` (a strategy; it is a wrapper then) is given these too, by name.
    """

    needs: frozenset[Need] = frozenset()
    offers: frozenset[Need] = frozenset()

    @abstractmethod
    def __init__(self, space: Space, goal: Goal, seed: int) -> None: ...

    @abstractmethod
    def ask(self, history: History, slots: int) -> Sequence[Proposal]:
        """Proposals for the trials ``history.next_number`` and on: at most ``slots``, fewer or none where it is done."""

    def watch(self, trial: Trial, history: History) -> Verdict:
        """Asked at each measurement of a running trial."""
        return Verdict.GO

    def resumable(self, history: History) -> Collection[int]:
        """Numbers of ended trials that it may still go on with (``Proposal.continues``): only their checkpoints are kept."""
        return ()

    @property
    def first_design(self) -> int:
        """Trials that it makes before it learns anything from them; of a wrapper, those of what is inside."""
        inner = getattr(self, "inner", None)
        return inner.first_design if isinstance(inner, Strategy) else 0

    def remarks(self) -> Sequence[str]:
        """What a person should know of how it will search, in sentences: what it chose and why, what cannot work."""
        return ()

    def snapshot(self) -> bytes | None:
        """State that is dear to replay, never a pickle; None where there is none."""
        return None

    def restore(self, blob: bytes) -> None:
        """Take a snapshot back."""
        return


def short(strategy: Strategy, trials: int | None) -> str:
    """A sentence where a budget of so many trials is spent before the strategy learns anything."""
    design = strategy.first_design
    if not design or trials is None or trials > design:
        return ""
    return f"its first design takes {design} trials, which is the whole budget of {trials}: it learns nothing"


def why(strategy: Strategy, trials: int | None) -> str:
    """What a person should know of a strategy before it searches."""
    return "; ".join(filter(None, [*strategy.remarks(), short(strategy, trials)]))


class Device(ABC):
    """Where a network will run, and how it is measured there."""

    @abstractmethod
    def refuses(self, architecture: Architecture, signature: Signature) -> Sequence[str]:
        """Layers this device cannot run, with their paths; empty where it runs all."""

    @abstractmethod
    def profile(self, architecture: Architecture, signature: Signature) -> Measurement:
        """Measure ``latency_ms`` (median) with its spread in ``notes``; batch 1."""


class Task(ABC):
    """Data, loss and score. The test split is sealed: reading it before :meth:`open_test` is an error."""

    signature: Signature
    name: str = "task"
    kind: Literal["classification", "regression"] = "classification"
    classes: tuple[str, ...] = ()
    offers: frozenset[Need] = frozenset()
    known: Known | None = None
    """Metrics of its own, by name; None where they are those of :data:`~netwright.core.metrics.METRICS`."""
    travels: bool = False
    """Whether ``without_test().save(folder)`` writes what workers need; else the work is done in this process."""

    @cached_property
    def frame(self) -> Frame:
        """What stands between raw inputs and the space's network, and after it. Nothing, unless a task says so."""
        return Frame(self.signature)

    def describe(self) -> dict[str, Any]:
        """Facts for report and model card, as JSON: rows of each split, columns, what was skipped and why."""
        return {}

    def splits(self) -> dict[str, list[Any]]:
        """Row numbers or file names of each split."""
        return {}

    @abstractmethod
    def metrics(self) -> Sequence[str]:
        """Names of the scores, the default one first."""

    @abstractmethod
    def batches(self, split: Split, fidelity: Fidelity, seed: int | None = None) -> Iterable[Any]:
        """Batches of one pass. With a ``seed``: shuffled and augmented, for training; without: in order, as stored."""

    @abstractmethod
    def loss(self, output: Any, batch: Any) -> Any:
        """Mean loss over the batch, a scalar tensor."""

    @abstractmethod
    def score(self, predict: Callable[[Any], Any], split: Split) -> Mapping[str, float]:
        """All metrics of ``predict`` (inputs → outputs of the network) on a split."""


class Vault(ABC):
    """Blobs by digest: weights and the like."""

    @abstractmethod
    def put(self, blob: bytes) -> str: ...

    @abstractmethod
    def get(self, digest: str) -> bytes: ...

    @abstractmethod
    def remove(self, digest: str) -> None:
        """Forget a blob; nothing happens where there is none."""


@dataclass(frozen=True)
class Site:
    """What one piece of work happens on. ``seed`` and ``number`` name its random streams: the number is that of the trial in
    which the architecture was first proposed. ``noisy``: a neighbour may be busy."""

    task: Task
    device: Device
    vault: Vault
    goal: Goal
    seed: int = 0
    number: int = 0
    noisy: bool = False


class Estimator(ABC):
    """Turns a proposal into numbers, as a stream: one measurement per rung of fidelity. Closing the stream stops the work."""

    needs: frozenset[Need] = frozenset()
    offers: frozenset[Need] = frozenset()

    @abstractmethod
    def metrics(self) -> Sequence[Metric]:
        """What it measures."""

    @abstractmethod
    def full(self) -> Fidelity:
        """What its full evaluation costs, where a proposal leaves it open."""

    def rungs(self, goal: Goal) -> tuple[int, ...]:
        """Epochs at which it can measure what the goal asks for, ascending; empty where it can after any number."""
        return ()

    def prospect(self, goal: Goal, *, full: Fidelity | None = None, trials: int | None = None, slots: int = 1) -> Prospect:
        """What a strategy can plan with. ``full``: where it is neither the last of the rungs nor the estimator's own."""
        rungs = self.rungs(goal)
        own = replace(self.full(), epochs=rungs[-1]) if rungs else self.full()
        return Prospect(full or own, rungs, trials, slots)

    def final(self) -> Fidelity:
        """What the winner and the control arm are trained with."""
        return self.full()

    def prepare(self, site: Site) -> None:
        """Done once, in one worker, before the first trial; resumes itself."""
        return

    @abstractmethod
    def estimate(self, proposal: Proposal, site: Site) -> Iterator[Measurement]:
        """Measurements as they come. Raises :class:`Infeasible` where a limit is broken.

        Where the fidelity is a beginning (``Fidelity.of``), the last one may bear a checkpoint. A proposal that continues another
        has ``notes["continues"]``: ``{"number", "epochs", "checkpoint", "values"}``, what the earlier trial came to. It goes on
        from there, or, where the checkpoint is gone, from the start: to the same values.
        """


class Infeasible(Exception):
    """Raised inside an estimate when a limit is broken: ``latency_ms 31.2 > 20``. ``measurement`` is what is known by then."""

    def __init__(self, reason: str, measurement: Measurement) -> None:
        super().__init__(reason)
        self.measurement = measurement


@dataclass(frozen=True)
class Belief:
    """What a surrogate thinks of n architectures: ``mean`` and ``std``, each of shape (n,)."""

    mean: Any
    std: Any


class Surrogate(ABC):
    """Predicts a value from an architecture. Constructed as ``Surrogate(seed, **options)``.

    ``encoding`` names what it reads by default (see ``surrogates/encode``): numpy arrays whose first axis is the architecture.
    What it predicts depends on ``seed`` and on what it was fitted to, never on earlier fits.
    """

    encoding: str = "graph"

    @abstractmethod
    def __init__(self, seed: int) -> None: ...

    @abstractmethod
    def fit(self, x: Any, y: Any) -> None:
        """Learn from codes ``x`` of shape (n, …) and their values ``y``, shape (n,), smaller is better."""

    def update(self, x: Any, y: Any) -> None:
        """Take in other data and keep what was learned slowly, where there is such a thing; else as :meth:`fit`."""
        self.fit(x, y)

    @abstractmethod
    def predict(self, x: Any) -> Belief:
        """What it thinks of codes of shape (m, …)."""


@dataclass(frozen=True)
class Event:
    """One line of a run's log. ``at``: seconds since the epoch; ``body``: JSON. ``number`` is given by the store, from 1."""

    kind: str
    body: Mapping[str, Any]
    at: float = 0.0
    number: int = 0


class Store(Vault):
    """An append-only log of events and a vault of blobs. Everything shown anywhere is a view of the log."""

    @abstractmethod
    def append(self, event: Event) -> int:
        """Write one event for good (it survives a crash right after) and return its number."""

    def together(self, most: int) -> None:
        """From now on up to so many events may be written at once: for work that is repeated as quickly as it is written."""
        return

    @abstractmethod
    def events(self, since: int = 0) -> Iterator[Event]:
        """Events with a number above ``since``, in order."""

    @abstractmethod
    def close(self) -> None: ...


@dataclass(frozen=True)
class Job:
    """One piece of work for a worker, as JSON. ``kind``: ``trial`` (estimate a proposal), ``final`` (train with the
    final recipe) or ``reference`` (fit a plain model)."""

    key: str
    kind: Literal["trial", "final", "reference"]
    body: Mapping[str, Any]
    limit_s: float | None = None


@dataclass(frozen=True)
class Arrival:
    """What came back for a job. ``lost``: its worker died without a word; ``failed``: with a reason."""

    key: str
    kind: Literal["measured", "finished", "infeasible", "failed", "lost"]
    body: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""


class Runner(ABC):
    """Where the work happens: takes jobs, gives back arrivals, in whatever order they come."""

    @abstractmethod
    def slots(self) -> int:
        """How many jobs run at once."""

    @abstractmethod
    def submit(self, job: Job) -> None: ...

    @abstractmethod
    def arrivals(self, timeout_s: float) -> Sequence[Arrival]:
        """What arrived; waits up to ``timeout_s`` for the first."""

    @abstractmethod
    def busy(self) -> int:
        """How many jobs are under way."""

    @abstractmethod
    def stop(self, key: str) -> None:
        """End a job within a second; nothing more arrives of it."""

    @abstractmethod
    def close(self) -> None:
        """End all work and all workers."""
