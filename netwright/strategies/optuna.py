"""Optuna's samplers over any space: TPE, Gaussian process, CMA-ES, NSGA-II and more (Akiba et al. 2019, arXiv:1907.10902)."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from random import Random
from typing import Any

from netwright.core.architecture import Architecture
from netwright.core.contracts import Strategy
from netwright.core.flat import Flat, Parameter, changed
from netwright.core.metrics import Constraint
from netwright.core.objectives import Goal
from netwright.core.picks import belongs
from netwright.core.seeds import integer, stream
from netwright.core.space import Space
from netwright.core.trial import FINISHED, History, Proposal, Trial
from netwright.errors import RecipeError
from netwright.registry import suggest
from netwright.strategies._fresh import Fresh
from netwright.strategies._study import loaded, options_of, quiet, storage

__all__ = ["Optuna"]

SAMPLERS = {
    "cmaes": "CmaEsSampler",
    "gp": "GPSampler",
    "nsga2": "NSGAIISampler",
    "nsga3": "NSGAIIISampler",
    "qmc": "QMCSampler",
    "random": "RandomSampler",
    "tpe": "TPESampler",
}

FIXED = frozenset({"cmaes", "gp", "qmc"})
"""Samplers that want the same parameters in every trial: they are asked for every hole, needed or not."""

ONE_OBJECTIVE = frozenset({"cmaes"})

BLIND = frozenset({"cmaes", "qmc", "random"})
"""Samplers that do not see limits."""

AGAIN = {"cmaes": 6, "nsga2": 6, "nsga3": 6, "random": 6, "tpe": 6}
"""How often a sampler is asked while it proposes what is known. The others would propose the same again."""

GENERATION, OPTIMIZER = ":generation", ":optimizer:"
KEPT = (GENERATION, "x_for_tell")
"""In the names of what samplers keep with a trial: its generation; the state of CMA-ES, which is found anew; its exact place."""

CACHES = ("_search_space", "_intersection_search_space")
"""Where samplers keep which parameters all trials have. It takes long to find anew, and comes out the same."""

MOST_BEYOND = 1e3
"""A limit is broken, or kept, by so many times itself at most."""


class Optuna(Strategy):
    """Holes are Optuna's parameters, trials its trials: those that ended, in the order in which they ended.

    ``sampler``: cmaes, gp, nsga2, nsga3, qmc, random or tpe. ``options``: further arguments of Optuna's sampler, as
    ``"n_ei_candidates=48 n_startup_trials=20"``.

    Each proposal has a new sampler, seeded by the number of its trial; what samplers keep beside the trials is found anew from
    them: parents are chosen, and the state of CMA-ES goes on, at the moment at which a generation is full.
    """

    def __init__(self, space: Space, goal: Goal, seed: int, *, sampler: str = "tpe", options: str = "") -> None:
        if sampler not in SAMPLERS:
            raise RecipeError(f"unknown sampler {sampler!r}", where="strategy optuna", todo=suggest(sampler, SAMPLERS))
        if sampler in ONE_OBJECTIVE and len(goal.objectives) > 1:
            todo = "Choose sampler tpe, nsga2, nsga3 or gp."
            raise RecipeError(f"sampler {sampler} serves one objective, not several", where="strategy optuna", todo=todo)
        self.space, self.goal, self.seed, self.name = space, goal, seed, sampler
        self.optuna = loaded(sampler)
        self.options = options_of(getattr(self.optuna.samplers, SAMPLERS[sampler]), sampler, options)
        with quiet():
            try:
                self._sampler(0)
            except (TypeError, ValueError) as error:
                what = f"sampler {sampler} refuses its options {options!r}: {' '.join(str(error).split())}"
                raise RecipeError(what, where="strategy optuna", todo="See docs/strategies/optuna.md.") from error
        self.flat = Flat(space)
        self.fixed = self.flat.parameters if sampler in FIXED else ()
        self._distributions: dict[str, Any] = {}
        self._forget()

    def ask(self, history: History, slots: int) -> Sequence[Proposal]:
        belongs(self.space, history)
        fresh, proposals = Fresh(self.space, history), []
        running = self.optuna.trial.TrialState.RUNNING
        with quiet():
            self._catch_up(history)
            try:
                for trial in sorted(history.pending.values(), key=lambda trial: trial.number):
                    self._add(trial.proposal, state=running)
                for number in range(history.next_number, history.next_number + slots):
                    proposals.append(fresh.take(self._drafts(number)))
                    self._add(proposals[-1], state=running)
            finally:
                self.storage.forget(self._ended)
        return proposals

    def remarks(self) -> Sequence[str]:
        if self.name in BLIND and self.goal.limits:
            return [f"Optuna's sampler {self.name} learns nothing from trials that break a limit."]
        return ()

    # ---- one proposal

    def _drafts(self, number: int) -> Callable[[int], Proposal]:
        """What the sampler proposes for a trial; where that is known, what it proposes instead; then what is one change away."""
        rng = stream(self.seed, number, "optuna")
        drafts: list[tuple[Architecture, Any]] = []

        def draft(attempt: int) -> Proposal:
            if attempt < AGAIN.get(self.name, 1):
                drafts.append(self._suggested(self._sampler(number, attempt), rng))
            else:
                architecture, told = drafts[-1]
                drafts.append((changed(self.space, architecture, rng), told))
            return self._proposal(*drafts[-1])

        return draft

    def _suggested(self, sampler: Any, rng: Random) -> tuple[Architecture, Any]:
        """An architecture as a sampler wants it, and what was suggested, as Optuna keeps it."""
        with self._asked(sampler) as asked:

            def ask(parameter: Parameter) -> int:
                if parameter.ordered or self.name == "cmaes":
                    return int(asked.suggest_int(parameter.name, 0, parameter.count - 1))
                return int(asked.suggest_categorical(parameter.name, range(parameter.count)))

            for parameter in self.fixed:
                ask(parameter)
            draft = self.flat.drafted(ask, rng)
            told = self.study.get_trials(deepcopy=False)[-1]
        return self.flat.accepted(draft, rng), told

    def _proposal(self, architecture: Architecture, told: Any) -> Proposal:
        kept = {name: value for name, value in told.system_attrs.items() if name.endswith(KEPT)}
        answered = self.flat.values(architecture) if self.fixed else {}
        unasked = {p.name: told.params[p.name] for p in self.fixed if p.name not in answered}
        return Proposal(architecture, notes={**({"optuna": kept} if kept else {}), **({"unasked": unasked} if unasked else {})})

    @contextlib.contextmanager
    def _asked(self, sampler: Any) -> Iterator[Any]:
        """A trial of Optuna's, for as long as it is asked."""
        before = len(self.study.get_trials(deepcopy=False))
        for cache in CACHES:
            if hasattr(self.study.sampler, cache):
                setattr(sampler, cache, getattr(self.study.sampler, cache))
        self.study.sampler = sampler
        try:
            yield self.study.ask()
        finally:
            self.storage.forget(before)

    def _sampler(self, number: int, attempt: int = 0, purpose: str = "optuna sampler") -> Any:
        """A new sampler, its random numbers named by the trial."""
        seed = integer(self.seed, number, f"{purpose} {attempt}" if attempt else purpose, bits=32)
        samplers = self.optuna.samplers
        made = getattr(samplers, SAMPLERS[self.name])
        if self.name in ("cmaes", "gp"):
            return made(seed=seed, **{"warn_independent_sampling": False, **self.options})
        if self.name != "qmc":
            return made(seed=seed, **self.options)

        class Numbered(made):  # type: ignore[misc, valid-type]
            """The point of the sequence that has the trial's number, whoever asked for the others."""

            def _find_sample_id(self, study: Any, search_space: Any) -> int:
                return number

        given = {"scramble": True, "warn_independent_sampling": False, **self.options}
        one = integer(self.seed, 0, purpose, bits=32)
        return Numbered(seed=one, independent_sampler=samplers.RandomSampler(seed=seed), **given)

    # ---- the trials, as Optuna's

    def _forget(self) -> None:
        """Begin anew."""
        self.storage = storage(self.optuna)
        directions = ["minimize"] * len(self.goal.objectives)
        with quiet():
            self.study = self.optuna.create_study(storage=self.storage, directions=directions, sampler=self._sampler(0))
        self._told: list[Trial] = []
        self._worst: list[float] = []
        self._members: dict[int, int] = {}
        self._ended = 0

    def _catch_up(self, history: History) -> None:
        """Tell the study what ended since it was asked last; all of it where the history is another one."""
        if history.ended[: len(self._told)] != self._told:
            self._forget()
        for trial in history.ended[len(self._told) :]:
            self._score(self.goal.costs(trial))
            self._told.append(trial)
            self._tell(trial)

    def _score(self, costs: Sequence[float]) -> None:
        """Note the worst that was seen. Before the first, nobody knew what a value looks like: begin anew with it."""
        if not all(map(math.isfinite, costs)):
            return
        earlier, known = self._told, self._worst
        worst = [max(pair) for pair in zip(known or costs, costs, strict=True)]
        if self._ended and not known:
            self._forget()
            self._told, self._worst = earlier, worst
            for trial in earlier:
                self._tell(trial)
        self._worst = worst

    def _tell(self, trial: Trial) -> None:
        """Values that are missing count as the worst so far; what failed is not told, as no sampler would look at it."""
        if trial.state not in FINISHED and not (trial.state == "infeasible" and self.goal.limits):
            return
        costs = self.goal.costs(trial)
        worst = self._worst or [0.0] * len(costs)
        values = [cost if math.isfinite(cost) else w for cost, w in zip(costs, worst, strict=True)]
        kept = dict(trial.proposal.notes.get("optuna", {}))
        full = self._joined(kept)
        self._add(trial.proposal, kept, values=values, constraints=_constraints(self.goal, trial))
        self._ended += 1
        if full:
            self._turned()

    def _add(self, proposal: Proposal, kept: Mapping[str, Any] | None = None, **given: Any) -> None:
        params = {**proposal.notes.get("unasked", {}), **self.flat.values(proposal.architecture)}
        distributions = {name: self._distribution(name) for name in params}
        made = self.optuna.trial.create_trial(params=params, distributions=distributions, system_attrs=kept, **given)
        self.study.add_trial(made)

    def _distribution(self, name: str) -> Any:
        if name not in self._distributions:
            parameter = self.flat.named[name]
            made = self.optuna.distributions
            if parameter.ordered or self.name == "cmaes":
                self._distributions[name] = made.IntDistribution(0, parameter.count - 1)
            else:
                self._distributions[name] = made.CategoricalDistribution(range(parameter.count))
        return self._distributions[name]

    # ---- generations

    def _joined(self, kept: dict[str, Any]) -> bool:
        """Whether a trial with these attributes fills its generation. One that comes later belongs to none. The first of a new
        generation bears the state of CMA-ES."""
        for name in [name for name in kept if name.endswith(GENERATION)]:
            generation, size = kept[name], getattr(self.study.sampler, "population_size", None)
            members = self._members[generation] = self._members.get(generation, 0) + 1
            if size is None and members == 1 and generation > 0:
                kept.update(self._turned())
            elif size is not None and members > size:
                del kept[name]
            elif members == size:
                return True
        return False

    def _turned(self) -> dict[str, Any]:
        """Let the sampler choose parents, or go on to the next generation of CMA-ES, whose state is returned."""
        with self._asked(self._sampler(0, purpose="optuna generation")) as asked:
            _ = asked.relative_params
            told = self.study.get_trials(deepcopy=False)[-1].system_attrs
        return {name: value for name, value in told.items() if OPTIMIZER in name}


def _constraints(goal: Goal, trial: Trial) -> dict[str, float]:
    """How far each limit is from being broken, relative to it: above 0 where it is. Where its metric is missing it is broken,
    unless another one is that came before it."""
    values = trial.values
    broken = bool(goal.broken(values))
    return {limit.key: _beyond(limit, values[limit.key]) if limit.key in values else float(not broken) for limit in goal.limits}


def _beyond(limit: Constraint, value: float) -> float:
    if math.isnan(value):
        return MOST_BEYOND
    beyond = (limit.bound - value if limit.at_least else value - limit.bound) / (abs(limit.bound) or 1.0)
    return max(-MOST_BEYOND, min(MOST_BEYOND, beyond))
