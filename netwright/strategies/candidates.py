"""What a surrogate chooses from: all of a small space, or draws and mutants of the best; each kind of network once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from random import Random
from typing import Any

import numpy as np

from netwright.core.architecture import Architecture
from netwright.core.picks import enumerated, excess, mutate, sample
from netwright.core.seeds import stream
from netwright.core.size import size
from netwright.core.space import Space
from netwright.core.trial import History, Trial
from netwright.errors import SpaceError
from netwright.strategies._fresh import naming
from netwright.surrogates.encode import encoded

__all__ = ["Candidates", "Pool"]

DRAWN, EVERY = 300, 20
"""So many are drawn from a large space, and drawn anew every so many trials."""

PARENTS, MUTANTS = 5, 20
"""How many of the best have mutants among the candidates, and how many each."""


class Pool:
    """Architectures, their codes (one array as long as the pool is), and which of them are still to be had: of those that have
    one ``name`` the first, while none of them is known."""

    def __init__(self, architectures: Sequence[Architecture], codes: Any, name: Callable[[Architecture], Any]) -> None:
        self.architectures, self.codes, self.name = architectures, codes, name
        self.free = np.ones(len(architectures), dtype=bool)
        self._alike: dict[Any, list[int]] = {}
        for place, architecture in enumerate(architectures):
            alike = self._alike.setdefault(name(architecture), [])
            alike.append(place)
            self.free[place] = len(alike) == 1

    def without(self, architectures: Iterable[Architecture]) -> Pool:
        """The same pool, but for those that are known or under way, and what counts as the same."""
        fewer = Pool.__new__(Pool)
        fewer.__dict__.update(self.__dict__, free=self.free.copy())
        for architecture in architectures:
            fewer.free[self._alike.get(self.name(architecture), [])] = False
        return fewer


class Candidates:
    """The candidates of a space. ``whole``: up to so many architectures, all of them are. ``each``: those that compute the same
    are told apart, as they may take different times."""

    def __init__(self, space: Space, seed: int, encoding: str, *, whole: int = 30_000, each: bool = False) -> None:
        self.space, self.seed, self.encoding, self.whole = space, seed, encoding, whole
        self.each, self._name = each, naming(space, each)
        self._drawn: tuple[int, list[Architecture]] = (-1, [])

    @cached_property
    def codes(self) -> Any:
        """Architectures → codes."""
        return encoded(self.space, self.encoding)

    @cached_property
    def listed(self) -> bool:
        """Whether the space is small enough to be looked at whole."""
        found = size(self.space)
        return found.exact and found.count <= self.whole

    def pool(self, history: History, number: int, best: Sequence[Trial]) -> Pool:
        """The candidates of a trial; ``best``: the trials whose mutants are among them, best first."""
        if self.listed:
            return self._all().without(history.architectures)
        rng = stream(self.seed, number, "mutants")
        found = {a.trace: a for a in (*self._draws(number // EVERY), *self._mutants(best, rng))}
        kept = list(found.values())
        return Pool(kept, self.codes(kept), self._name).without(history.architectures)

    def draws(self, rng: Random, count: int) -> list[Architecture]:
        """Drawn at random, for a first design."""
        return [sample(self.space, rng) for _ in range(count)]

    def _all(self) -> Pool:
        """Kept with the space: strategies that search it one after the other share it."""
        shared = self.space.__dict__.setdefault("_pools", {})
        key = self.encoding, self.each
        if key not in shared:
            kept = []
            for architecture in enumerated(self.space):
                if excess(self.space, architecture) == 0:
                    kept.append(architecture)
                    self.codes([architecture])
                    self._name(architecture)
                    architecture.shed()
            if not kept:
                sample(self.space, stream(self.seed, 0, "pool"))  # raises NoFeasible, with the nearest
            shared[key] = Pool(kept, self.codes(kept), self._name)
        pool: Pool = shared[key]
        return pool

    def _draws(self, block: int) -> list[Architecture]:
        if self._drawn[0] != block:
            self._drawn = block, self.draws(stream(self.seed, block, "candidates"), DRAWN)
        return self._drawn[1]

    def _mutants(self, best: Sequence[Trial], rng: Random) -> list[Architecture]:
        found: list[Architecture] = []
        for trial in best[:PARENTS]:
            for _ in range(MUTANTS):
                try:
                    child = mutate(self.space, trial.architecture, rng)
                    if rng.random() < 0.3:
                        child = mutate(self.space, child, rng)
                except SpaceError:  # a space of one architecture
                    return found
                found.append(child)
        return found
