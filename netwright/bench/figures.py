"""The plots of a bench's page: the best so far, the share that has found it, and when, strategy by strategy."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from netwright.bench.measure import Course, interval, quantile
from netwright.bench.problem import Problem
from netwright.report.plots import INK, RULE, SERIES, SOFT, drawn, svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["curves", "shares", "style", "when"]

Courses = Mapping[str, Sequence[Course]]
DASHES = ("-", (0, (4, 2)), (0, (1, 1.5)))
"""After ten lines the colours come again, dashed."""

STEPS = 400


def style(place: int) -> dict[str, Any]:
    """Colour and dashes of the strategy at that place."""
    return {"color": SERIES[place % len(SERIES)], "ls": DASHES[place // len(SERIES) % len(DASHES)]}


def curves(problem: Problem, courses: Courses) -> str:
    """The best so far: the median over the seeds, and where the middle half of them is."""
    grid = _grid(problem)
    figure, axes = drawn(10.2, 4.0)
    for place, some in enumerate(courses.values()):
        low, middle, high = (_told(problem, values) for values in _bands(some, grid))
        look = style(place)
        axes.fill_between(grid, low, high, color=look["color"], alpha=min(0.14, 0.6 / len(courses)), lw=0, step="post")
        axes.plot(grid, middle, lw=1.9, drawstyle="steps-post", **look)
    best = _told(problem, [0.0])[0]
    axes.axhline(best, color=SOFT, lw=0.9, ls=(0, (2, 3)))
    _window(axes, problem, courses, grid, best)
    axes.set_ylabel("share of the true hypervolume" if problem.several else f"{problem.goal.primary.key}, best so far")
    if problem.several:
        axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.3g} %")
    _spending(axes, problem)
    return svg(figure, "Best so far over what was spent: median and quartiles of each strategy")


def _bands(courses: Sequence[Course], grid: Sequence[float]) -> list[Any]:
    """Quartiles of the regret at each point of the grid: high, middle, low."""
    import numpy as np

    steps = np.array([[each.regret_at(at) for at in grid] for each in courses])
    return [np.quantile(steps, share, axis=0, method="inverted_cdf") for share in (0.75, 0.5, 0.25)]


def _told(problem: Problem, regrets: Sequence[float]) -> list[float]:
    """Regrets as the values that they are regrets of."""
    if problem.several:
        return [1.0 - regret if math.isfinite(regret) else math.nan for regret in regrets]
    sign = -1.0 if problem.goal.primary.maximize else 1.0
    return [sign * (problem.best + regret) if math.isfinite(regret) else math.nan for regret in regrets]


def _window(axes: Axes, problem: Problem, courses: Courses, grid: Sequence[float], best: float) -> None:
    """Leave out the first steep rise, which says little and flattens all the rest."""
    early = grid[len(grid) // 10]
    worst = [value for some in courses.values() for value in _told(problem, _bands(some, [early])[1]) if math.isfinite(value)]
    if not worst:
        return
    far = max(worst, key=lambda value: abs(value - best))
    if far != best:
        axes.set_ylim(*sorted((far, best + 0.04 * (best - far))))


def shares(problem: Problem, courses: Courses, target: float) -> str:
    """Of how many seeds the search has found it. ``target``: the regret that counts as found."""
    figure, axes = drawn(10.2, 3.2)
    whole = problem.plan.budget.amount
    for place, some in enumerate(courses.values()):
        found = sorted(each.until(target) for each in some)
        known = [at for at in found if math.isfinite(at)]
        xs = [0.0, *known, whole]
        ys = [0.0, *(100 * (k + 1) / len(found) for k in range(len(known))), 100 * len(known) / len(found)]
        axes.plot(xs, ys, lw=1.9, drawstyle="steps-post", **style(place))
    axes.set_ylim(0, 102)
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:.0f} %")
    axes.set_ylabel("searches that have found it")
    _spending(axes, problem)
    return svg(figure, "Share of the searches that have found the best, over what was spent")


def when(problem: Problem, courses: Courses, target: float) -> str:
    """When it was found: the median with its interval, and the 90th percentile."""
    whole = problem.plan.budget.amount
    figure, axes = drawn(10.2, 0.8 + 0.32 * len(courses))
    for place, (name, some) in enumerate(courses.items()):
        found, colour = [each.until(target) for each in some], style(place)["color"]
        median, late = quantile(found, 0.5), quantile(found, 0.9)
        low, high = interval(found, name)
        if math.isinf(median):
            share = 100 * sum(map(math.isfinite, found)) / len(found)
            at: dict[str, Any] = {"xy": (0.985, place), "xycoords": ("axes fraction", "data"), "ha": "right", "va": "center"}
            axes.annotate(f"found in {share:.3g} %", **at, fontsize=9, color=SOFT)
            continue
        axes.plot([median, min(late, whole)], [place, place], color=colour, lw=1.1)
        axes.plot([low, min(high, whole)], [place, place], color=colour, lw=6, alpha=0.35, solid_capstyle="butt")
        axes.scatter([median], [place], s=42, color=colour, lw=0, zorder=3)
        if math.isfinite(late):
            axes.scatter([late], [place], s=70, marker="|", color=colour, lw=1.6, zorder=3)
    axes.set_yticks(range(len(courses)), [_short(name) for name in courses], color=INK)
    axes.set_ylim(len(courses) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", color=RULE, lw=0.6)
    axes.set_xlim(0, whole * 1.01)
    axes.set_xlabel(problem.plan.budget.unit + " until it was found")
    return svg(figure, "Queries until the best was found: median, its interval, and 90th percentile")


def _short(name: str) -> str:
    return name if len(name) <= 40 else name[:38] + " …"


def _grid(problem: Problem) -> list[float]:
    whole = problem.plan.budget.amount
    if problem.plan.budget.unit == "queries" and whole <= STEPS:
        return [float(query) for query in range(1, int(whole) + 1)]
    return [whole * (step + 1) / STEPS for step in range(STEPS)]


def _spending(axes: Axes, problem: Problem) -> None:
    axes.grid(axis="y", color=RULE, lw=0.6)
    axes.set_xlim(0, problem.plan.budget.amount)
    unit = problem.plan.budget.unit
    axes.set_xlabel({"seconds": "simulated seconds", "epochs": "epochs of training"}.get(unit, unit))
