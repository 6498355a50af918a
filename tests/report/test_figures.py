"""Plots are inline SVG in the page's own colours."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import matplotlib
import pytest

from netwright.report import figures
from netwright.report.facts import Facts, facts
from netwright.testing.sample_log import sample_log


@pytest.fixture(scope="module")
def found() -> Facts:
    return facts(sample_log())


@pytest.mark.parametrize("plot", [figures.progress, figures.front, figures.control])
def test_plots_are_well_formed_and_take_the_page_s_colours(plot, found: Facts) -> None:  # type: ignore[no-untyped-def]
    svg = plot(found)
    ET.fromstring(svg)
    assert "var(--accent" in svg
    assert "#04040" not in svg
    assert "<metadata" not in svg
    assert "DejaVu" not in svg
    assert svg == plot(found), "the same facts give the same plot"


def test_plots_leave_matplotlib_as_it_was(found: Facts) -> None:
    before = dict(matplotlib.rcParams)
    figures.front(found)
    assert dict(matplotlib.rcParams) == before


def test_there_is_no_plot_of_nothing() -> None:
    nothing = facts([])
    assert figures.progress(nothing) == figures.front(nothing) == figures.control(nothing) == ""


def test_each_trial_with_a_score_is_a_mark(found: Facts) -> None:
    plot = ET.fromstring(figures.progress(found))
    marks = len(list(plot.iter("{http://www.w3.org/2000/svg}use")))
    assert marks >= sum(row["state"] in ("finished", "failed", "infeasible") for row in found.trials)


@pytest.mark.parametrize("maximize", [True, False])
def test_a_few_very_bad_trials_do_not_flatten_the_rest(maximize: bool) -> None:
    scores = [0.97 + 0.001 * k for k in range(20)] + [0.1]
    low, high = figures._window(scores if maximize else [-score for score in scores], maximize)
    assert high - low < 0.1
    assert high == scores[19] if maximize else low == -scores[19]


def test_one_trial_alone_can_be_plotted() -> None:
    log = sample_log()
    first = next(place for place, event in enumerate(log) if event.kind == "ended" and event.body["state"] == "finished")
    assert figures.progress(facts(log[: first + 1]))
    assert figures.front(facts(log[: first + 1]))
