"""Hypervolume: against other libraries' values, against counting, and by its laws."""

import math
import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netwright.core.hypervolume import hypervolume

# moocore 0.3.2, pymoo 0.6.2 and BoTorch 0.18.1 agree on these to 1e-15: `cloud(seed, points, objectives)`, reference 0.9.
REFERENCES = [
    (2, 40, 2, 0.7562639999999999),
    (3, 200, 2, 0.78075),
    (4, 40, 3, 0.5754184489999999),
    (5, 200, 3, 0.6614121659999999),
    (6, 30, 4, 0.2123995199200001),
    (7, 80, 4, 0.5061931524109999),
    (8, 30, 5, 0.15967983522730206),
    (9, 25, 6, 0.13780605959105852),
]

SIDE = 6
FRONTS = st.integers(1, 5).flatmap(
    lambda m: st.tuples(st.just(m), st.lists(st.tuples(*[st.integers(0, SIDE)] * m), min_size=1, max_size=9))
)


def cloud(seed: int, points: int, objectives: int) -> list[list[float]]:
    rng = random.Random(seed)
    return [[round(rng.random(), 3) for _ in range(objectives)] for _ in range(points)]


@pytest.mark.parametrize(("seed", "points", "objectives", "known"), REFERENCES)
def test_other_libraries_agree(seed: int, points: int, objectives: int, known: float) -> None:
    assert hypervolume(cloud(seed, points, objectives), [0.9] * objectives) == pytest.approx(known, abs=1e-14)


@settings(deadline=None)
@given(FRONTS)
def test_it_is_the_number_of_unit_cubes_dominated(drawn: tuple[int, list[tuple[int, ...]]]) -> None:
    m, points = drawn
    cells = {()}
    for _ in range(m):
        cells = {(*cell, k) for cell in cells for k in range(SIDE)}
    covered = sum(any(all(c <= k for c, k in zip(p, cell, strict=True)) for p in points) for cell in cells)
    assert hypervolume(points, [SIDE] * m) == covered


@settings(deadline=None)
@given(FRONTS, st.randoms(use_true_random=False))
def test_neither_the_order_of_points_nor_of_objectives_matters(
    drawn: tuple[int, list[tuple[int, ...]]], rng: random.Random
) -> None:
    m, points = drawn
    whole = hypervolume(points, [SIDE] * m)
    order = rng.sample(range(m), m)
    assert hypervolume(rng.sample(points, len(points)), [SIDE] * m) == whole
    assert hypervolume([[p[k] for k in order] for p in points], [SIDE] * m) == whole


@settings(deadline=None)
@given(FRONTS, st.data())
def test_a_point_adds_unless_it_is_dominated(drawn: tuple[int, list[tuple[int, ...]]], data: st.DataObject) -> None:
    m, points = drawn
    before, new = hypervolume(points, [SIDE] * m), data.draw(st.tuples(*[st.integers(0, SIDE)] * m))
    after = hypervolume([*points, new], [SIDE] * m)
    adds = max(new) < SIDE and not any(all(a <= b for a, b in zip(p, new, strict=True)) for p in points)
    assert after > before if adds else after == before


def test_what_is_missing_or_beyond_the_reference_adds_nothing() -> None:
    assert hypervolume([], [1.0, 1.0]) == 0
    assert hypervolume([[1.0, 0.0], [math.inf, 0.0], [math.nan, 0.0], [0.0, math.nan]], [1.0, 1.0]) == 0
    assert hypervolume([[1.0, 0.0, 0.0], [0.5, 0.5, 0.5], [0.2, math.inf, 0.1]], [1.0] * 3) == 0.125


def test_points_have_as_many_costs_as_the_reference() -> None:
    with pytest.raises(ValueError, match="needs 2 costs"):
        hypervolume([[0.1, 0.2, 0.3]], [1.0, 1.0])


def test_long_fronts_take_no_time() -> None:
    rng = random.Random(1)
    sphere = [[abs(rng.gauss(0, 1)) for _ in range(3)] for _ in range(4000)]
    front = [[1 - x / math.hypot(*p) for x in p] for p in sphere]
    start = time.process_time()
    ball = math.pi / 6 + 0.3 * math.pi / 4 + 0.03 + 0.001  # an eighth of it, and 0.1 more on three sides
    assert ball - 0.02 < hypervolume(front, [1.1] * 3) < ball
    assert time.process_time() - start < 2
