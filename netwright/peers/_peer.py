"""What all peers share: a space as a flat list of categorical parameters, and the history told bit by bit."""

from __future__ import annotations

import contextlib
import importlib.util
import logging
import math
import shutil
import tempfile
import warnings
import weakref
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from netwright.core.contracts import Strategy
from netwright.core.flat import Flat
from netwright.core.objectives import Goal
from netwright.core.picks import belongs
from netwright.core.seeds import integer, stream
from netwright.core.space import Space
from netwright.core.trial import FINISHED, History, Proposal, Trial
from netwright.errors import RecipeError

__all__ = ["Peer", "Values", "needed", "quiet", "scratch"]

Values = Mapping[str, int]
"""Parameter → the number of the option."""


class Peer(Strategy):
    """Another tool's optimiser, which keeps its own state: asked for one configuration at a time, told what came of each.

    It is given one categorical parameter for each hole of the space, whether an architecture needs it or not. What it proposes
    outside the space (a table that holds a sample, a limit that is counted) becomes the nearest architecture inside, which is
    what it is told of. What breaks a limit is told as failed, by default.
    """

    packages: Sequence[str] = ()
    install = "pip install 'netwright[peers]'"

    def __init__(self, space: Space, goal: Goal, seed: int) -> None:
        name = type(self).__module__.rpartition(".")[2]
        needed(f"peer {name}", self.packages, self.install)
        self.space, self.goal, self.seed, self.name = space, goal, seed, name
        self.flat = Flat(space)
        self.counts = {parameter.name: parameter.count for parameter in self.flat.parameters}
        if not self.counts:
            raise RecipeError(f"peer {name} has nothing to choose: the space holds one architecture", where=space.name)
        self.number = integer(seed, 0, f"peer {name}", bits=31)
        """Its seed."""
        self._under_way: dict[int, tuple[Any, Values]] = {}
        self._heard = 0

    @abstractmethod
    def suggest(self) -> tuple[Any, Values] | None:
        """Its next configuration, with whatever it wants to be told it with; None while it waits for others to end."""

    @abstractmethod
    def hear(self, token: Any, values: Values, costs: Sequence[float] | None, excess: float) -> None:
        """What came of a configuration, as changed: costs, smaller is better, None where it failed. ``excess``: over limits.
        The token is None for what another object has proposed."""

    def ask(self, history: History, slots: int) -> Sequence[Proposal]:
        belongs(self.space, history)
        proposals = []
        with quiet(self.packages):
            for trial in history.ended[self._heard :]:
                self._told(trial)
            self._heard = len(history.ended)
            for number in range(history.next_number, history.next_number + slots):
                suggested = self.suggest()
                if suggested is None:
                    break
                token, values = suggested
                rng = stream(self.seed, number, f"peer {self.name}")
                draft = self.flat.drafted(lambda p, values=values, rng=rng: values.get(p.name, rng.randrange(p.count)), rng)  # type: ignore[misc]
                architecture = self.flat.accepted(draft, rng)
                actual = self.flat.values(architecture)
                self._under_way[number] = token, {name: actual.get(name, value) for name, value in values.items()}
                proposals.append(Proposal(architecture))
        return proposals

    def _told(self, trial: Trial) -> None:
        actual = self.flat.values(trial.architecture)
        foreign = {name: actual.get(name, 0) for name in self.counts}
        token, values = self._under_way.pop(trial.number, (None, foreign))
        costs = self.goal.costs(trial)
        fine = (trial.state in FINISHED or trial.state == "infeasible") and all(map(math.isfinite, costs))
        excess = self.goal.excess(trial.values) if trial.values else math.inf
        self.hear(token, values, costs if fine else None, excess)


def needed(what: str, packages: Sequence[str], install: str) -> None:
    """Raises :class:`RecipeError` where a package is missing."""
    for package in packages:
        if importlib.util.find_spec(package) is None:
            raise RecipeError(f"{what} needs the package {package}, which is not installed", todo=f"Install it with: {install}")


def scratch(owner: object) -> Path:
    """A folder for what a peer insists on writing, which goes with its owner."""
    folder = tempfile.mkdtemp(prefix="netwright-peer-")
    weakref.finalize(owner, shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


@contextlib.contextmanager
def quiet(packages: Sequence[str]) -> Iterator[None]:
    """They neither log nor warn; afterwards they do as before."""
    loggers = [logging.getLogger(package) for package in packages]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
