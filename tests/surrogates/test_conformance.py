"""Every surrogate of the folder passes the kit."""

from functools import partial

import numpy as np
import pytest

from netwright.core.contracts import Belief, Surrogate
from netwright.errors import RecipeError
from netwright.registry import listed, part
from netwright.testing import surrogate as kit

SMALL = {"gnn": {"steps": 50, "members": 2}}
"""Settings that make dear ones quick; as they are, they are in the slow tests."""


@pytest.mark.parametrize("name", listed("surrogates"))
def test_conformance(name: str) -> None:
    kit.check_all(partial(part("surrogates", name), **SMALL.get(name, {})))


@pytest.mark.slow
@pytest.mark.parametrize("name", SMALL)
def test_conformance_as_they_are(name: str) -> None:
    kit.check_all(part("surrogates", name))


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("forest", {"trees": 1}),
        ("forest", {"share": 0.0}),
        ("ensemble", {"members": 1}),
        ("ensemble", {"rate": 2.0}),
        ("gnn", {"rounds": 0}),
        ("gnn", {"decay": -1.0}),
    ],
)
def test_settings_that_cannot_be_are_refused_in_a_line(name: str, options: dict[str, float]) -> None:
    with pytest.raises(RecipeError, match=f"surrogate {name}") as told:
        part("surrogates", name)(0, **options)
    assert told.value.todo
    assert "\n" not in str(told.value)


class Mean(Surrogate):
    """Believes in the mean, and breaks one rule of the kit."""

    encoding = "onehot"

    def __init__(self, seed: int, fault: str = "") -> None:
        self.fault = fault

    def fit(self, x: object, y: object) -> None:
        self.mean = float(np.mean(y))  # type: ignore[call-overload]
        if self.fault == "global":
            np.random.seed(0)

    def predict(self, x: object) -> Belief:
        n = len(x)  # type: ignore[arg-type]
        std = np.full(n, -1.0 if self.fault == "negative" else 1.0)
        mean = np.arange(float(n)) if self.fault == "order" else np.full(n, self.mean)
        return Belief(mean, std)


def test_the_kit_finds_faults() -> None:
    with pytest.raises(AssertionError, match="negative"):
        kit.check_belief(lambda seed: Mean(seed, "negative"), "cell")
    with pytest.raises(AssertionError, match="order"):
        kit.check_belief(lambda seed: Mean(seed, "order"), "cell")
    with pytest.raises(AssertionError, match="squared error"):
        kit.check_learns(Mean)
    with pytest.raises(AssertionError, match="numpy"):
        kit.check_leaves_no_trace(lambda seed: Mean(seed, "global"))
