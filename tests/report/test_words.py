"""Numbers are told with their units."""

from __future__ import annotations

import pytest

from netwright.report.words import arm, duration, name_of, told


@pytest.mark.parametrize(
    ("metric", "value", "text"),
    [
        ("accuracy", 0.98611, "98.61 %"),
        ("params", 5242.0, "5,242"),
        ("flops", 23_450_000.0, "23.45 M"),
        ("latency_ms", 0.0531, "0.0531 ms"),
        ("latency_ms@pixel3", 12.34, "12.3 ms"),
        ("peak_kib", 36.0, "36 KiB"),
        ("peak_kib", 2048.0, "2 MiB"),
        ("r2", 0.87654, "0.8765"),
        ("rmse", -1.5, "−1.5"),
        ("accuracy", None, "–"),
        ("params", float("nan"), "–"),
    ],
)
def test_values_have_their_unit(metric: str, value: float | None, text: str) -> None:
    assert told(metric, value).replace("\u00a0", " ") == text


def test_differences_have_a_sign_and_shares_of_rows_are_points() -> None:
    assert told("accuracy", 0.0074, signed=True) == "+0.74\u00a0points"
    assert told("r2", -0.01, signed=True) == "−0.01"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0, "0 s"), (0.004, "< 0.01 s"), (0.34, "0.34 s"), (42.3, "42 s"), (200, "3 min 20 s"), (7500, "2 h 5 min"), (None, "–")],
)
def test_durations_read_as_people_write_them(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


def test_names_are_words() -> None:
    assert name_of("latency_ms@pixel3") == "latency on pixel3"
    assert name_of("own_score") == "own score"
    assert arm("svm") == "support-vector machine"
    assert arm("random-2") == "random 2"
    assert arm("my-net") == "my-net"
