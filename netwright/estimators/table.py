"""Looks a candidate up in a table of measured architectures: its values at a budget, for what training it cost there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from netwright.core.contracts import Estimator, Infeasible, Need, Site
from netwright.core.metrics import Metric, shown
from netwright.core.objectives import Goal
from netwright.core.seeds import integer
from netwright.core.trial import Fidelity, Measurement, Proposal
from netwright.errors import DataError, RecipeError
from netwright.tables.read import read
from netwright.tables.values import Asked

__all__ = ["Table"]


class Table(Estimator):
    """``table``: its name, or a file. ``seeds``: the ``mean`` of repeated trainings, or ``draw`` one of them for each trial.
    ``cost_s``: seconds of a full training, where the table does not say."""

    needs = frozenset({Need.TABLE})
    offers = frozenset({Need.CURVE})

    def __init__(self, *, table: str = "", seeds: str = "mean", cost_s: float = 1.0) -> None:
        if not table:
            raise RecipeError("no table is named", where="estimator table", todo="Use --table; see `netwright table list`.")
        if seeds not in ("mean", "draw"):
            raise RecipeError(f"seeds {seeds!r} cannot be", where="estimator table", todo='Use "mean" or "draw".')
        if cost_s <= 0:
            raise RecipeError(f"cost_s {cost_s} cannot be", where="estimator table", todo="Use seconds above 0.")
        self.table, self.seeds, self.cost_s = read(table), seeds, cost_s
        self._goal: Goal | None = None
        self._asked: list[Asked] = []

    def metrics(self) -> Sequence[Metric]:
        return [self.table.metric(name) for name in self.table.spellings()]

    def full(self) -> Fidelity:
        return Fidelity(self.table.epochs)

    def rungs(self, goal: Goal) -> tuple[int, ...]:
        """Any number of epochs of a curve; else the budgets that were measured, of a named one that alone."""
        trained = [each for each in self._wanted(goal) if _trained(each)]
        free = [each for each in trained if each.budget is None]
        if not free:
            return (max((each.budget or 0 for each in trained), default=self.table.epochs),)
        return () if _curved(free) else free[0].budgets or (self.table.epochs,)

    def estimate(self, proposal: Proposal, site: Site) -> Iterator[Measurement]:
        row = self.table.find(proposal.architecture)
        asked = self._wanted(site.goal)
        epochs = (proposal.fidelity or self.full()).epochs
        given = [each for each in asked if not _trained(each)]
        trained = [each for each in asked if _trained(each)]
        if given:
            cost = {} if trained else {"measure": self.cost_s}
            yield self._kept(Measurement(self._values(row, given, epochs, site), cost=cost), site)
        curve, fidelity = _curved(trained), proposal.fidelity or self.full()
        done = proposal.notes.get("continues", {}).get("epochs", 0)
        paid = self._seconds(row, done, trained, site) if curve and done else 0.0
        for rung in self._rungs(trained, fidelity, int(proposal.notes.get("every", 0))):
            if rung <= done:
                continue
            whole = self._seconds(row, rung, trained, site)
            cost = {"train": max(0.0, whole - paid) if curve else whole}  # budgets without a curve are trainings of their own
            paid = whole
            ready = [each for each in trained if each.budget is None or each.budget <= rung]
            reached = replace(fidelity, epochs=rung, of=fidelity.planned if any(e.budget is None for e in ready) else 0)
            yield self._kept(Measurement(self._values(row, ready, rung, site), reached, cost), site)

    def _seconds(self, row: int, epochs: int, asked: Sequence[Asked], site: Site) -> float:
        return self.table.seconds(row, epochs, asked[0].columns[0].dataset, self._seed(asked[0], site), self.cost_s)

    def _wanted(self, goal: Goal) -> list[Asked]:
        """What the goal asks for; the same for every trial of a run."""
        if goal is not self._goal:
            keys = dict.fromkeys([*(o.key for o in goal.objectives), *(limit.key for limit in goal.limits)])
            self._goal, self._asked = goal, [self.table.asked(key) for key in keys]
        return self._asked

    def _rungs(self, asked: Sequence[Asked], fidelity: Fidelity, every: int) -> list[int]:
        """After which epochs it measures. Of a curve: at a ninth, a third and the whole, or at ``every`` so many; a step on a
        ladder of fidelities only at its end. Of budgets: the largest that is paid for. Else at the budget that is named."""
        if not asked:
            return []
        free, epochs = [each for each in asked if each.budget is None], fidelity.epochs
        if not free:
            return [max(each.budget or 0 for each in asked)]
        if _curved(free):
            thirds = [] if fidelity.of else [epochs // 9, epochs // 3]
            return sorted({max(1, e) for e in (range(every, epochs, every) if every else thirds)} | {epochs})
        budgets = free[0].budgets
        paid = [budget for budget in budgets if budget <= epochs]
        if budgets and not paid:
            what = f"nothing was measured after {epochs} epochs"
            raise DataError(what, where=f"table {self.table.name}", todo=f"The least is {budgets[0]}.")
        return [max(paid, default=epochs)]

    def _seed(self, asked: Asked, site: Site) -> int | None:
        """The repetition that a trial gets; None for the mean of all."""
        seeds = sorted({column.seed for column in asked.columns if column.seed is not None})
        if asked.seed is not None or self.seeds == "mean" or not seeds:
            return asked.seed
        return seeds[integer(site.seed, site.number, "repetition") % len(seeds)]

    def _values(self, row: int, asked: Sequence[Asked], epochs: int, site: Site) -> dict[str, float]:
        values = {}
        for each in asked:
            seed = self._seed(each, site)
            drawn = each if seed == each.seed else Asked(each.name, each.columns, each.budget, seed)
            value = self.table.value(row, drawn, epochs)
            if value != value:
                key = self.table.shown(self.table.key_of(row))
                raise DataError(f"it has no {drawn.text} for {key}", where=f"table {self.table.name}")
            values[each.text] = value
        return values

    def _kept(self, measurement: Measurement, site: Site) -> Measurement:
        """The measurement, where it keeps the limits."""
        for limit in site.goal.broken(measurement.values):
            value = measurement.values[limit.key]
            told = f"{limit.key} {shown(limit.metric, value)} {'<' if limit.at_least else '>'} {shown(limit.metric, limit.bound)}"
            raise Infeasible(told, measurement)
        return measurement


def _curved(asked: Sequence[Asked]) -> bool:
    return any(column.curve for each in asked[:1] for column in each.columns)


def _trained(asked: Asked) -> bool:
    """Whether the value takes a training: parameters and latency do not."""
    first = asked.columns[0]
    return bool(first.split) or first.curve or first.budget is not None
