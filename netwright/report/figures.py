"""The plots of the report as SVG that takes the page's own colours, light or dark."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from netwright.core.metrics import Constraint
from netwright.report.facts import Facts
from netwright.report.plots import ACCENT, INK, RULE, SOFT, WARN, drawn, svg
from netwright.report.words import arm as arm_name
from netwright.report.words import name_of, scored, size, told, unit_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["control", "front", "progress"]

_Dot = tuple[float, float, bool]
"""x, score, and whether the trial keeps the limits."""

_MANY = 3000  # dots beyond which a plot is thinned


def progress(facts: Facts) -> str:
    """Best so far over time, each trial a mark. Empty where nothing has a score yet."""
    objective = facts.goal.primary
    ended = [row for row in facts.trials if row["ended_s"] is not None]
    dots = sorted((row["ended_s"], row["metrics"][objective.key], _meets(facts, row)) for row in _scored(facts, objective.key))
    if not dots:
        return ""
    figure, axes = drawn(5.9, 3.3)
    low, high = _dots(axes, dots, objective.maximize)
    best: list[tuple[float, float]] = []
    for at, score, good in dots:
        if good and (not best or objective.cost(score) < objective.cost(best[-1][1])):
            best.append((at, score))
    if best:
        best.append((max(row["ended_s"] for row in ended), best[-1][1]))
        axes.plot(*zip(*best, strict=True), color=ACCENT, lw=1.8, drawstyle="steps-post", label="best so far")
    for place, (state, marker) in enumerate((("infeasible", "|"), ("failed", "x")), 1):
        when = [row["ended_s"] for row in ended if row["state"] == state][:_MANY]
        if when:
            foot = (high - low) * 0.08 * place
            level = low - foot if objective.maximize else high + foot
            axes.scatter(when, [level] * len(when), s=18, marker=marker, color=WARN, lw=1.0, label=state)
    axes.set_xlabel("time worked on the run (s)" if facts.spent["simulated_s"] is None else "simulated time (s)")
    axes.set_xlim(left=0)
    _score_axis(axes, objective.key)
    return svg(figure, f"Best {name_of(objective.key)} so far over time")


def front(facts: Facts) -> str:
    """Score against cost: the second objective, or what is limited where there is only one. Empty where no trial has both."""
    primary, others = facts.goal.primary, facts.goal.objectives[1:]
    cost = others[0].key if others else _limited(facts) or "params"
    rows = [row for row in _scored(facts, primary.key) if row["metrics"].get(cost) is not None]
    if not rows:
        return ""
    figure, axes = drawn(5.9, 3.3)
    edge = sorted((p["metrics"][cost], p["metrics"][primary.key]) for p in facts.front if p["metrics"].get(cost) is not None)
    dots = [(row["metrics"][cost], row["metrics"][primary.key], _meets(facts, row)) for row in rows]
    _dots(axes, dots, primary.maximize, [score for _, score in edge])
    if edge and others:
        steps = "steps-pre" if others[0].maximize else "steps-post"
        axes.plot(*zip(*edge, strict=True), color=ACCENT, lw=1.2, drawstyle=steps)
    axes.scatter([x for x, _ in edge], [y for _, y in edge], s=22, color=ACCENT, lw=0, label="front", zorder=3)
    best = facts.best["metrics"] if facts.best else {}
    if facts.best and best.get(cost) is not None and best.get(primary.key) is not None:
        label = "winner" if facts.best["final"] else "best so far"
        at: dict[str, Any] = {"x": [best[cost]], "y": [best[primary.key]], "label": label}
        axes.scatter(**at, s=95, facecolors="none", edgecolors=ACCENT, lw=1.6, zorder=4)
    lowest, highest = min(x for x, _, _ in dots), max(x for x, _, _ in dots)
    if lowest > 0 and 30 * lowest < highest:
        axes.set_xscale("log")
    _limits(axes, facts.goal.limits, cost, primary.key)
    unit = unit_of(cost)
    axes.set_xlabel(name_of(cost) + (f" ({unit})" if unit else ""))
    _score_axis(axes, primary.key)
    return svg(figure, f"{name_of(primary.key)} against {name_of(cost)}, all trials, with the front")


def control(facts: Facts) -> str:
    """The sealed test's score of winner, random architectures and references: a point for each seed. Empty until it is opened."""
    arms = [("winner", facts.control["winner"])] if facts.control["winner"] else []
    arms += [(arm, entry) for arm in ("random", "reference") for entry in facts.control[arm]]
    arms = [(arm, entry) for arm, entry in arms if entry["score"] is not None]
    if not arms:
        return ""
    metric = facts.control["metric"]
    figure, axes = drawn(7.9, 0.75 + 0.34 * len(arms))
    interval = (facts.test or {}).get("interval")
    if interval:
        axes.axvspan(*interval, color=ACCENT, alpha=0.1, lw=0)
    for place, (arm, entry) in enumerate(arms):
        colour = ACCENT if arm == "winner" else SOFT if arm == "random" else WARN
        scores = [score for score in entry["scores"] if score is not None]
        axes.scatter(scores, [place] * len(scores), s=22, color=colour, alpha=0.7, lw=0)
        axes.scatter([entry["score"]], [place], s=130, marker="|", color=colour, lw=2.2, zorder=3)
        note = told(metric, entry["score"]) + (f" · {size(entry)}" if size(entry) else "")
        axes.annotate(note, (1.015, place), xycoords=("axes fraction", "data"), va="center", fontsize=9, color=SOFT)
    axes.set_yticks(range(len(arms)), [arm_name(str(entry["name"]))[:34] for _, entry in arms], color=INK)
    axes.set_ylim(len(arms) - 0.4, -0.6)
    axes.grid(axis="x", color=RULE, lw=0.6)
    axes.tick_params(axis="y", length=0)
    _percent(axes.xaxis, metric)
    axes.set_xlabel(f"{name_of(metric)} on the sealed test rows")
    return svg(figure, f"{name_of(metric)} on the test rows of winner, random architectures and references")


# ---- what they share --------------------------------------------------------------------------------------------------


def _scored(facts: Facts, metric: str) -> list[dict[str, Any]]:
    done = (row for row in facts.trials if row["state"] in ("finished", "stopped"))
    return [row for row in done if row["metrics"].get(metric) is not None]


def _dots(axes: Axes, dots: Sequence[_Dot], maximize: bool, shown: Sequence[float] = ()) -> tuple[float, float]:
    """The trials. Those far worse than the rest are arrows at the edge. Returns the range of scores that is shown."""
    low, high = _window([score for _, score, _ in dots], maximize)
    low, high = min([low, *shown]), max([high, *shown])
    thin = dots[:: len(dots) // _MANY + 1]
    inside = [dot for dot in thin if low <= dot[1] <= high]
    full: dict[str, Any] = {"color": SOFT, "alpha": 0.75, "lw": 0}
    hollow: dict[str, Any] = {"facecolors": "none", "edgecolors": SOFT, "lw": 0.8}
    for good, label, style in ((True, "trial", full), (False, "breaks a limit", hollow)):
        some = [dot for dot in inside if dot[2] is good]
        if some:
            axes.scatter([x for x, _, _ in some], [y for _, y, _ in some], s=13, label=label, **style)
    outside = [x for x, score, _ in thin if not low <= score <= high]
    if outside:
        edge, marker = (low, "v") if maximize else (high, "^")
        axes.scatter(outside, [edge] * len(outside), s=14, marker=marker, label="off scale", **hollow)
    return low, high


def _score_axis(axes: Axes, metric: str) -> None:
    axes.set_ylabel(f"{name_of(metric)}, validation")
    axes.grid(axis="y", color=RULE, lw=0.6)
    _percent(axes.yaxis, metric)
    axes.legend(loc="lower left", bbox_to_anchor=(-0.02, 1.0), ncols=5, handlelength=1.3, handletextpad=0.3, columnspacing=1.0)


def _percent(axis: Any, metric: str) -> None:
    if metric in ("accuracy", "balanced_accuracy"):
        axis.set_major_formatter(lambda value, _: f"{100 * value:.4g} %")


def _limits(axes: Axes, limits: Sequence[Constraint], cost: str, score: str) -> None:
    for limit in limits:
        if limit.key == cost:
            axes.axvline(limit.bound, color=WARN, lw=1, ls=(0, (4, 3)), label=f"limit {told(cost, limit.bound)}")
        if limit.key == score:
            axes.axhline(limit.bound, color=WARN, lw=1, ls=(0, (4, 3)), label=f"limit {told(score, limit.bound)}")


def _limited(facts: Facts) -> str:
    """The first limited cost: what a score is weighed against where there is one objective."""
    primary = facts.goal.primary.key
    return next((limit.key for limit in facts.goal.limits if limit.key != primary and not scored(limit.key)), "")


def _meets(facts: Facts, row: Any) -> bool:
    return not facts.goal.broken(row["metrics"])


def _window(scores: list[float], maximize: bool) -> tuple[float, float]:
    """The range of scores to show: a few very bad trials are drawn at its edge rather than flattening the rest."""
    ordered = sorted(scores)
    low, high = ordered[0], ordered[-1]
    if len(ordered) >= 10:
        edge = ordered[len(ordered) // 10] if maximize else ordered[-1 - len(ordered) // 10]
        middle = ordered[len(ordered) // 2]
        if maximize and high - low > 4 * (high - middle):
            low = min(edge, middle - 3 * (high - middle))
        if not maximize and high - low > 4 * (middle - low):
            high = max(edge, middle + 3 * (middle - low))
    return (low, high) if high > low else (low - 0.01 * abs(low or 1), high + 0.01 * abs(high or 1))
