"""Cheap before dear: parameters, FLOPs and memory from the nodes, then measured latency, then the inner estimator.

The first broken limit ends a trial as infeasible, so that nothing infeasible is trained. What computes the same as a trial that
was trained already (its twin) is counted and timed, as its dead parts may differ, but takes over the twin's scores. A trial that
goes on with another takes over its latency.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

from netwright.core.architecture import framed
from netwright.core.contracts import Estimator, Infeasible, Site
from netwright.core.metrics import METRICS, Metric, shown
from netwright.core.objectives import Goal
from netwright.core.trial import Fidelity, Measurement, Proposal
from netwright.layers.counts import count

__all__ = ["Stages"]


class Stages(Estimator):
    """``latency``: measure it for every trial (True), or only where an objective or a limit asks for it (False)."""

    def __init__(self, inner: Estimator, *, latency: bool = False) -> None:
        self.inner, self.latency = inner, latency
        self.needs, self.offers = inner.needs, inner.offers

    def metrics(self) -> Sequence[Metric]:
        return [*(METRICS[name] for name in ("params", "flops", "peak_kib", "latency_ms")), *self.inner.metrics()]

    def full(self) -> Fidelity:
        return self.inner.full()

    def rungs(self, goal: Goal) -> tuple[int, ...]:
        return self.inner.rungs(goal)

    def final(self) -> Fidelity:
        return self.inner.final()

    def prepare(self, site: Site) -> None:
        self.inner.prepare(site)

    def estimate(self, proposal: Proposal, site: Site) -> Iterator[Measurement]:
        start = time.perf_counter()
        frame = site.task.frame
        ships = framed(proposal.architecture, frame)
        counted = Measurement(dict(count(ships, frame.raw).values), cost={"count": time.perf_counter() - start})
        self._check(counted, site)
        refused = site.device.refuses(ships, frame.raw)
        if refused:
            raise Infeasible(f"the device cannot run {', '.join(refused)}", counted)
        yield counted
        earlier = proposal.notes.get("continues", {})
        if "latency_ms" in earlier.get("values", {}):  # what was kept once is not broken by a second look
            yield Measurement({"latency_ms": earlier["values"]["latency_ms"]}, notes={"of_trial": earlier["number"]})
        elif self.latency or "latency_ms" in site.goal.metrics:
            timed = site.device.profile(ships, frame.raw)
            if site.noisy and site.goal.broken(timed.values):  # a neighbour may have been in the way: look twice
                again = site.device.profile(ships, frame.raw)
                timed = min(timed, again, key=lambda m: m.values["latency_ms"])
            timed = replace(timed, notes={**timed.notes, "noisy": site.noisy})
            self._check(timed, site)
            yield timed
        if twin := proposal.notes.get("twin"):
            yield Measurement(twin["values"], proposal.fidelity or self.full(), notes={"twin": twin["number"]})
            return
        yield from self.inner.estimate(proposal, site)

    def _check(self, measurement: Measurement, site: Site) -> None:
        for limit in site.goal.broken(measurement.values):
            value = measurement.values[limit.key]
            sign = "<" if limit.at_least else ">"
            raise Infeasible(f"{limit.key} {shown(limit.metric, value)} {sign} {shown(limit.metric, limit.bound)}", measurement)
