"""Every strategy of the folder passes the kit, on every space of the folder; what is not named random beats it."""

import importlib.util
import inspect

import pytest

from netwright.core.contracts import Need
from netwright.core.objectives import Goal
from netwright.registry import listed, nested, part
from netwright.testing import strategy as kit

OPTIONAL = {"optuna": "optuna"}
"""Strategies that need a package of their own, which may not be there."""

SMALL: dict[str, str] = {"predictor": "predictor[rounds=1]"}
"""Strategies that take their time, with settings that make them quick."""

DEAR: frozenset[str] = frozenset({"auto", "bayes", "optuna", "ppo", "predictor", "reinforce"})
"""Those that take their time nevertheless: fewer trials, and fewer seeds."""

MAY_REFUSE = frozenset({"grid"})
"""Strategies for small spaces only."""


def _names() -> list[str]:
    """Every strategy; a wrapper around two others."""
    found = []
    for name in listed("strategies"):
        wraps = "inner" in inspect.signature(part("strategies", name)).parameters
        found += [f"{name}({inner})" for inner in ("random", "evolution")] if wraps else [SMALL.get(name, name)]
    return found


NAMES = _names()


def made(text: str) -> kit.Make:
    """What builds the strategy of that name; skips where its package is not installed."""
    for named in nested(text, "strategy"):
        if named.name in OPTIONAL:
            pytest.importorskip(OPTIONAL[named.name], reason=f"{named.name} needs the package {OPTIONAL[named.name]}")
    return kit.made(text)


def goals(text: str) -> dict[str, Goal]:
    """What the strategy can serve."""
    modelled = "bayes" in text and importlib.util.find_spec("botorch") is None  # several objectives need it there
    several = not modelled and all(
        Need.ONE_OBJECTIVE not in part("strategies", named.name).needs for named in nested(text, "strategy")
    )
    return {name: goal for name, goal in kit.goals().items() if several or len(goal.objectives) == 1}


def is_dear(text: str) -> bool:
    return any(named.name in DEAR for named in nested(text, "strategy"))


@pytest.mark.parametrize("text", NAMES)
def test_conformance(text: str) -> None:
    """On some spaces, with few trials."""
    spaces, trials = (("macro",), 14) if is_dear(text) else (("macro", "wired", "listed"), 24)
    kit.check_all(made(text), goals(text), trials, text in MAY_REFUSE, spaces)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("text", NAMES)
def test_conformance_in_full(text: str) -> None:
    kit.check_all(made(text), goals(text), may_refuse=text in MAY_REFUSE)


PAIRS = [(text, space) for text in NAMES for space in kit.published()]
"""Every strategy with every space. In the quick suite each strategy meets some spaces, and each space some strategies."""

QUICK = [
    (text, space)
    for n, (text, space) in enumerate(PAIRS)
    if (n // len(kit.published()) + n) % 16 == 0 and not is_dear(text) and space != "nasbench101"
]


def _anywhere(text: str, space: str) -> None:
    for goal in goals(text).values():
        if not kit.check_anywhere(made(text), kit.published_space(space), goal, may_refuse=text in MAY_REFUSE):
            return


@pytest.mark.parametrize(("text", "space"), QUICK)
def test_a_space_of_the_folder(text: str, space: str) -> None:
    _anywhere(text, space)


@pytest.mark.slow
@pytest.mark.parametrize(("text", "space"), [pair for pair in PAIRS if pair not in QUICK])
def test_every_space_of_the_folder(text: str, space: str) -> None:
    _anywhere(text, space)


LEARNING = [
    pytest.param(text, marks=pytest.mark.slow if is_dear(text) else ())
    for text in NAMES
    if "random" not in text and text != "grid"
]


@pytest.mark.parametrize("text", LEARNING)
@pytest.mark.parametrize("space", ["cell", "wired"])
def test_it_beats_random(text: str, space: str) -> None:
    kit.check_beats_random(made(text), kit.SPACES[space], trials=80)
