"""Splits: disjoint by content, exhaustive, the same for the same seed; classes, groups and time kept."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netwright.errors import DataError
from netwright.tasks.split import SHARES, contents, split_by_time, split_rows


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 2)), min_size=12, max_size=120), st.integers(0, 5), st.booleans())
def test_disjoint_exhaustive_deterministic(rows: list[tuple[int, int]], seed: int, by_class: bool) -> None:
    digests = contents(np.array([[row[0]] for row in rows], dtype=np.float32))
    labels = [row[1] for row in rows] if by_class else None
    try:
        parts = split_rows(digests, seed, labels=labels)
    except DataError as error:
        if not any(text in str(error) for text in ("different examples", "a single example", "too few")):
            raise
        return
    taken = [int(i) for part in parts.rows.values() for i in part]
    assert sorted(taken) == list(range(len(rows)))
    sides = [{digests[i] for i in part} for part in parts.rows.values()]
    assert all(not a & b for k, a in enumerate(sides) for b in sides[k + 1 :])
    assert all(len(part) for part in parts.rows.values())
    again = split_rows(digests, seed, labels=labels)
    assert all((parts.rows[name] == again.rows[name]).all() for name in SHARES)


def test_shares_and_classes() -> None:
    y = [0] * 600 + [1] * 300 + [2] * 3
    parts = split_rows([bytes([i % 256, i // 256]) for i in range(len(y))], 0, labels=y)
    assert [len(parts.rows[name]) for name in SHARES] == pytest.approx([541, 181, 181], abs=2)
    for name, share in SHARES.items():
        counts = Counter(y[i] for i in parts.rows[name])
        assert counts[0] == pytest.approx(600 * share, abs=1)
        assert counts[1] == pytest.approx(300 * share, abs=1)
        assert counts[2] == 1


def test_seeds_differ() -> None:
    digests = [bytes([i]) for i in range(200)]
    first, second = (split_rows(digests, seed).rows["test"].tolist() for seed in (0, 1))
    assert first != second


def test_a_class_with_too_few_examples_is_named() -> None:
    with pytest.raises(DataError, match="'rare' has a single example"):
        split_rows([bytes([i]) for i in range(11)], 0, labels=[0] * 10 + [1], classes=["usual", "rare"])
    with pytest.raises(DataError, match="2 different examples"):
        split_rows([bytes([min(i, 11)]) for i in range(14)], 0, labels=[0] * 10 + [1] * 4)


def test_groups_stay_whole_and_equal_rows_join_them() -> None:
    groups = [i // 10 for i in range(100)]
    digests = [bytes([i]) for i in range(100)]
    digests[95] = digests[5]  # groups 0 and 9 share a row
    parts = split_rows(digests, 3, groups=groups)
    sides = [{groups[i] for i in part} for part in parts.rows.values()]
    assert sum(len(side) for side in sides) == 10
    assert any({0, 9} <= side for side in sides)
    with pytest.raises(DataError, match="only 2 groups"):
        split_rows([bytes([i]) for i in range(10)], 0, groups=[0] * 5 + [1] * 5)


def test_time_order() -> None:
    times = np.random.default_rng(0).permutation(100).astype(float)
    digests = [bytes([i]) for i in range(100)]
    rows = split_by_time(digests, times).rows
    assert times[rows["train"]].max() < times[rows["validation"]].min()
    assert times[rows["validation"]].max() < times[rows["test"]].min()
    assert [len(part) for part in rows.values()] == [60, 20, 20]


def test_time_order_keeps_equal_times_together_and_drops_repeats() -> None:
    times = np.repeat(np.arange(10.0), 7)
    digests = [bytes([i % 60]) for i in range(70)]  # the last ten repeat the first
    parts = split_by_time(digests, times)
    ends = [set(times[part]) for part in parts.rows.values()]
    assert not ends[0] & ends[1]
    assert not ends[1] & ends[2]
    assert "10 later rows" in parts.warnings[0]


def test_equal_rows_have_equal_digests() -> None:
    x = np.array([[0.0, np.nan], [-0.0, np.nan], [0.0, 1.0]])
    first, second, third = contents(x)
    assert first == second != third
