"""How trials compare: feasible first, then dominance, then crowding (Deb et al. 2002, constraint domination of NSGA-II)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from netwright.core.metrics import Constraint, Objective
from netwright.core.trial import Trial

__all__ = ["Goal", "crowding", "dominates", "fronts"]


def dominates(a: Sequence[float], b: Sequence[float]) -> bool:
    """Whether costs ``a`` are nowhere larger than ``b`` and somewhere smaller."""
    return all(x <= y for x, y in zip(a, b, strict=True)) and any(x < y for x, y in zip(a, b, strict=True))


def fronts(costs: Sequence[Sequence[float]]) -> list[list[int]]:
    """Indices by front: the first holds what nothing dominates. Sorted insertion; O(n log n) for up to two objectives."""
    order = sorted(range(len(costs)), key=lambda i: tuple(costs[i]))
    found: list[list[int]] = []
    for i in order:  # nothing later in this order dominates anything earlier
        low, high = 0, len(found)
        while low < high:  # if a front dominates i, so do all the fronts before it
            middle = (low + high) // 2
            # With two objectives the latest of a front has its smallest second cost: it dominates if any does.
            members = found[middle][-1:] if len(costs[i]) <= 2 else reversed(found[middle])
            if any(dominates(costs[j], costs[i]) for j in members):
                low = middle + 1
            else:
                high = middle
        if low == len(found):
            found.append([])
        found[low].append(i)
    return found


def crowding(costs: Sequence[Sequence[float]]) -> list[float]:
    """Crowding distance of each point in its front: the larger, the lonelier; infinite at the ends."""
    n = len(costs)
    distance = [0.0] * n
    for m in range(len(costs[0]) if n else 0):
        order = sorted(range(n), key=lambda i: costs[i][m])
        width = costs[order[-1]][m] - costs[order[0]][m]
        distance[order[0]] = distance[order[-1]] = math.inf
        if width > 0 and math.isfinite(width):
            for before, i, after in zip(order, order[1:], order[2:], strict=False):
                distance[i] += (costs[after][m] - costs[before][m]) / width
    return distance


@dataclass(frozen=True)
class Goal:
    """What a search is for: objectives in order of importance, and limits. The only place where trials are compared."""

    objectives: tuple[Objective, ...]
    limits: tuple[Constraint, ...] = ()

    @property
    def primary(self) -> Objective:
        return self.objectives[0]

    @property
    def metrics(self) -> frozenset[str]:
        """The names that objectives and limits speak of, without their device."""
        return frozenset({*(o.metric for o in self.objectives), *(limit.metric for limit in self.limits)})

    def costs(self, trial: Trial) -> tuple[float, ...]:
        """The objectives' values, smaller is better; infinite where missing or not a number."""
        values = trial.values

        def cost(objective: Objective) -> float:
            value = values.get(objective.key)
            return math.inf if value is None or math.isnan(value) else objective.cost(value)

        return tuple(cost(objective) for objective in self.objectives)

    def excess(self, values: Mapping[str, float]) -> float:
        """Relative excess over the limits, summed over those whose metric is known."""
        return sum(limit.excess(values[limit.key]) for limit in self.limits if limit.key in values)

    def broken(self, values: Mapping[str, float]) -> list[Constraint]:
        """The limits that these values break."""
        return [limit for limit in self.limits if limit.key in values and limit.excess(values[limit.key]) > 0]

    def met(self, trial: Trial) -> bool:
        """Whether the trial has its values and keeps every limit."""
        values = trial.values
        known = all(limit.key in values for limit in self.limits)
        return (
            trial.state in ("finished", "stopped") and known and not self.broken(values) and math.isfinite(sum(self.costs(trial)))
        )

    def ranked(self, trials: Sequence[Trial]) -> list[Trial]:
        """Best first: feasible by front then crowding, the others by how far they break the limits. Ties keep their order."""
        feasible = [t for t in trials if self.met(t)]
        rest = [t for t in trials if not self.met(t)]
        costs = [self.costs(t) for t in feasible]
        ranked: list[Trial] = []
        if len(self.objectives) == 1:
            ranked = [feasible[i] for i in sorted(range(len(feasible)), key=costs.__getitem__)]
        for front in fronts(costs) if len(self.objectives) > 1 else ():
            lonely = crowding([costs[i] for i in front])
            ranked += [feasible[front[k]] for k in sorted(range(len(front)), key=lambda k: (-lonely[k], front[k]))]
        return ranked + sorted(rest, key=lambda t: self.excess(t.values) or math.inf)

    def front(self, trials: Sequence[Trial]) -> list[Trial]:
        """The feasible trials that no feasible trial dominates, by the first objective; of equal ones the earliest."""
        feasible = [t for t in trials if self.met(t)]
        costs = [self.costs(t) for t in feasible]
        best = fronts(costs)[0] if feasible else []
        unique = {costs[i]: feasible[i] for i in sorted(best, key=lambda i: -feasible[i].number)}
        return sorted(unique.values(), key=self.costs)
