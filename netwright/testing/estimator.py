"""What every estimator must do. ``check_all(estimator, proposal, site)`` runs the lot on one proposal of a small task."""

from __future__ import annotations

import itertools
import math
from typing import Any

import torch

from netwright.core.contracts import Estimator, Infeasible, Site
from netwright.core.trial import Measurement, Proposal

__all__ = ["check_all"]


def check_all(estimator: Estimator, proposal: Proposal, site: Site) -> None:
    """Everything below. Raises AssertionError."""
    measured = check_declared(estimator, proposal, site)
    check_repeatable(estimator, proposal, site, measured)
    check_leaves_no_trace(estimator, proposal, site)
    check_closes(estimator, proposal, site)


def check_declared(estimator: Estimator, proposal: Proposal, site: Site) -> list[Measurement]:
    """It yields only metrics that it declares, finite, and in the end every objective of the goal."""
    declared = {metric.name for metric in estimator.metrics()}
    measured = list(estimator.estimate(proposal, site))
    assert measured, "it measured nothing"
    seen: set[str] = set()
    for measurement in measured:
        assert set(measurement.values) <= declared, f"not declared: {set(measurement.values) - declared}"
        assert all(math.isfinite(value) for value in measurement.values.values()), "a value is not finite"
        seen |= set(measurement.values)
    wanted = {objective.metric for objective in site.goal.objectives}
    assert wanted & declared <= seen, f"never measured: {wanted & declared - seen}"
    return measured


def check_repeatable(estimator: Estimator, proposal: Proposal, site: Site, before: list[Measurement]) -> None:
    """The same proposal at the same site gives the same values, times excepted."""

    def values(measured: list[Measurement]) -> list[dict[str, float]]:
        return [{k: v for k, v in m.values.items() if not k.endswith("_ms")} for m in measured]

    assert values(list(estimator.estimate(proposal, site))) == values(before), "the second time gave other values"


def _switches() -> tuple[Any, ...]:
    """Torch's global state that an estimator might leave changed."""
    return (
        torch.get_rng_state().tolist(),
        torch.is_grad_enabled(),
        torch.get_num_threads(),
        torch.get_default_dtype(),
        torch.are_deterministic_algorithms_enabled(),
        torch.backends.mkldnn.enabled,
    )


def check_leaves_no_trace(estimator: Estimator, proposal: Proposal, site: Site) -> None:
    """Torch's random state and global switches come back untouched, also when the stream is closed half-way."""
    before = _switches()
    list(estimator.estimate(proposal, site))
    assert _switches() == before, "it left torch's global state changed"
    stream = estimator.estimate(proposal, site)
    next(stream)
    stream.close()  # type: ignore[attr-defined]
    assert _switches() == before, "closed half-way, it left torch's global state changed"


def check_closes(estimator: Estimator, proposal: Proposal, site: Site) -> None:
    """A closed stream ends, and the next estimate is not disturbed by it."""
    stream = estimator.estimate(proposal, site)
    first = next(stream)
    stream.close()  # type: ignore[attr-defined]
    assert next(stream, None) is None, "it goes on after it was closed"
    again = next(itertools.islice(estimator.estimate(proposal, site), 1))
    assert set(again.values) == set(first.values)


def check_infeasible(estimator: Estimator, proposal: Proposal, site: Site) -> None:
    """Where a limit is broken it raises :class:`Infeasible`, naming the limit, with what is known by then."""
    told: Infeasible | None = None
    try:
        list(estimator.estimate(proposal, site))
    except Infeasible as broken:
        told = broken
    assert told is not None, "it went on although a limit is broken"
    assert any(limit.key in str(told) for limit in site.goal.limits), f"it does not name the limit: {told}"
    assert told.measurement.values, "it does not say what is known"
