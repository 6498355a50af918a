"""What every surrogate must do. ``check_all(make)`` runs the lot; ``make(seed)`` builds a fresh one."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache
from random import getstate
from typing import Any

import numpy as np
import torch
from numpy.random import get_state

from netwright.core.architecture import Architecture
from netwright.core.contracts import Belief, Surrogate
from netwright.core.picks import sample
from netwright.core.seeds import stream
from netwright.core.space import Space
from netwright.surrogates.encode import encoded
from netwright.surrogates.encode._parts import joined, parts
from netwright.testing.playing import SPACES

__all__ = ["LIMIT_S", "check_all", "landscape"]

Make = Callable[[int], Surrogate]

LIMIT_S = 2.0
"""Processor seconds that learning from 150 architectures may take."""

LEARNED, ASKED = 60, 100


@cache
def landscape(name: str, encoding: str, count: int) -> tuple[Any, Any]:
    """Codes of different members of a small space, and a known value of each, smaller is better."""
    space: Space = SPACES[name]
    found = {}
    for number in range(20 * count):
        drawn = sample(space, stream(0, number, "landscape"))
        found[drawn.trace] = drawn
        if len(found) == count:
            break
    members = list(found.values())
    return encoded(space, encoding)(members), np.array([_value(member) for member in members])


def _value(architecture: Architecture) -> float:
    """Depends on what is computed only: how many convolutions there are, and how many lie in a row."""
    graph = joined(parts(architecture))
    depth: list[int] = []
    for label, reads in zip(graph.labels, graph.reads, strict=True):
        depth.append(max([depth[i] for i in reads if i >= 0], default=0) + label.startswith("conv"))
    return -float(sum(label.startswith("conv") for label in graph.labels) + 2 * max(depth, default=0))


def check_all(make: Make) -> None:
    """Everything below. Raises AssertionError."""
    for name in ("macro", "cell", "wired"):
        check_belief(make, name)
    check_learns(make)
    check_repeatable(make)
    check_leaves_no_trace(make)
    check_few_and_alike(make)
    check_time(make)


def _data(make: Make, name: str) -> tuple[Any, Any, Any, Any]:
    x, y = landscape(name, make(0).encoding, LEARNED + ASKED)
    return x[:LEARNED], y[:LEARNED], x[LEARNED:], y[LEARNED:]


def _learned(make: Make, x: Any, y: Any, seed: int = 1) -> Surrogate:
    model = make(seed)
    model.fit(x, y)
    return model


def _same(a: Belief, b: Belief) -> bool:
    return bool(np.allclose(a.mean, b.mean, rtol=1e-5, atol=1e-6) and np.allclose(a.std, b.std, rtol=1e-3, atol=1e-5))


def _finite(belief: Belief) -> None:
    assert np.isfinite(belief.mean).all(), "a mean is not a number"
    assert np.isfinite(belief.std).all(), "a standard deviation is not a number"


def check_belief(make: Make, name: str) -> None:
    """A mean and a standard deviation for each architecture: finite, the latter not negative, whatever else is asked with it."""
    x, y, asked, _ = _data(make, name)
    model = _learned(make, x, y)
    belief = model.predict(asked)
    assert np.shape(belief.mean) == np.shape(belief.std) == (len(asked),), "one mean and one standard deviation for each"
    _finite(belief)
    assert (np.asarray(belief.std) >= 0).all(), "a standard deviation is negative"
    turned = model.predict(asked[::-1].copy())
    assert _same(Belief(turned.mean[::-1], turned.std[::-1]), belief), (
        "the order in which architectures are asked changes a belief"
    )
    few = model.predict(asked[:3])
    assert _same(few, Belief(belief.mean[:3], belief.std[:3])), "what else is asked changes a belief"


def check_learns(make: Make) -> None:
    """On each space it comes nearer to unseen values than their mean does, and puts more than half of all pairs in order."""
    for name in ("macro", "cell", "wired"):
        x, y, asked, truth = _data(make, name)
        mean = _learned(make, x, y).predict(asked).mean
        error = float(np.mean((mean - truth) ** 2) / np.mean((y.mean() - truth) ** 2))
        assert error < 0.95, f"on {name} its squared error is {error:.2f} of that of the mean"
        ordered = np.sign(mean[:, None] - mean) * np.sign(truth[:, None] - truth)
        assert ordered.mean() > 0.15, f"on {name} it orders pairs hardly better than a coin"


def check_repeatable(make: Make) -> None:
    """The same seed and data give the same belief, whatever was learned before; values on another scale the same ranks."""
    x, y, asked, _ = _data(make, "cell")
    belief = _learned(make, x, y).predict(asked)
    assert _same(_learned(make, x, y).predict(asked), belief), "the same seed and data gave another belief"
    used = _learned(make, x[:20], -y[:20])
    used.predict(asked)
    used.fit(x, y)
    assert _same(used.predict(asked), belief), "an earlier fit was not forgotten"
    used.update(x, y)
    assert _same(used.predict(asked), belief), "an update by the same data changes the belief"
    scaled = _learned(make, x, 1000 * y + 7).predict(asked)
    assert np.allclose((scaled.mean - 7) / 1000, belief.mean, rtol=1e-2, atol=1e-2 * float(np.ptp(y))), (
        "the unit of values counts"
    )


def check_leaves_no_trace(make: Make) -> None:
    """The caller's data and its global random numbers stay as they were."""
    x, y, asked, _ = _data(make, "cell")
    copies = x.copy(), y.copy(), asked.copy()
    states = getstate(), get_state()[1].copy(), torch.get_rng_state()  # type: ignore[index]
    _learned(make, x, y).predict(asked)
    assert getstate() == states[0], "it draws from the global stream of random"
    assert (get_state()[1] == states[1]).all(), "it draws from the global stream of numpy"  # type: ignore[index]
    assert torch.equal(torch.get_rng_state(), states[2]), "it draws from the global stream of torch"
    assert all(np.array_equal(a, b) for a, b in zip((x, y, asked), copies, strict=True)), "it changes what it is given"


def check_few_and_alike(make: Make) -> None:
    """It bears two architectures, equal values, equal codes, and to be asked nothing."""
    x, y, asked, _ = _data(make, "cell")
    for codes, values in ((x[:2], y[:2]), (x, np.full(len(x), 3.0)), (np.repeat(x[:1], 5, axis=0), y[:5])):
        belief = _learned(make, codes, values).predict(asked)
        _finite(belief)
    assert len(_learned(make, x, y).predict(asked[:0]).mean) == 0


def check_time(make: Make) -> None:
    """150 architectures are learned within :data:`LIMIT_S` seconds of one core."""
    x, y = landscape("cell", make(0).encoding, 150)
    _learned(make, x[:10], y[:10])  # what is loaded once
    began = time.thread_time()
    _learned(make, x, y)
    spent = time.thread_time() - began
    assert spent < LIMIT_S, f"it took {spent:.1f} s to learn from 150 architectures"
