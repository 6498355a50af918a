"""``show``: all runs as a table, or one run with its front, its best, what was spent and why trials failed."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from netwright.cli.style import STATES, budget, console, grid, heading, limits, print_json, table
from netwright.cli.summary import cost, files, gained, score, spent
from netwright.cli.watch import goals
from netwright.errors import NetwrightError
from netwright.recipe import environment
from netwright.report.facts import Facts
from netwright.report.words import arm, duration, name_of, told

__all__ = ["show"]

FRONT = 12
"""Rows of the front that are shown."""


def show(run: Path | None, as_json: bool) -> None:
    """One run, or all."""
    if run is None:
        base = Path(environment("NETWRIGHT_RUNS"))
        _all_as_json(base) if as_json else _all(console(), base)
        return
    from netwright import api

    known = api.Run(api.find_run(run)).facts
    if as_json:
        print_json(known.to_json())
    else:
        _one(console(), run, known)


# ---- all runs ---------------------------------------------------------------------------------------------------------


def _known(base: Path) -> list[tuple[Path, Facts | str]]:
    from netwright import api

    found: list[tuple[Path, Facts | str]] = []
    for run in api.runs(base):
        try:
            found.append((run, api.Run(run).facts))
        except NetwrightError as error:
            found.append((run, str(error)))
    return found


def _all_as_json(base: Path) -> None:
    rows = []
    for run, known in _known(base):
        if isinstance(known, str):
            rows.append({"run": str(run), "state": "unreadable", "reason": known})
            continue
        plain = known.to_json()
        rows.append({"run": str(run), **{key: plain[key] for key in ("state", "recipe", "best", "test", "spent")}})
    print_json({"runs": rows})


def _all(out: Console, base: Path) -> None:
    rows: list[list[Any]] = []
    problems: list[str] = []
    for run, known in _known(base):
        if isinstance(known, str):
            rows.append([str(run), _state("unreadable"), "", "", "", ""])
            problems.append(known)
            continue
        metric, sealed = known.control["metric"], known.test
        best = (known.best or {}).get("metrics", {})
        number = sealed["score"] if sealed else best.get(metric)
        rows.append(
            [
                str(run),
                _state(known.state),
                f"{name_of(metric)} {told(metric, number)}" + ("" if sealed else " *") if number is not None else "–",
                told("params", best.get("params")),
                f"{known.spent['trials']:,}",
                duration(known.spent["wall_s"]),
            ]
        )
    if not rows:
        out.print(f"No runs in {base}. Begin one: netwright search digits --budget 90s", soft_wrap=True)
        return
    columns = (
        ("run", "fold"),
        *((name, "left") for name in ("state", "best")),
        *((name, "right") for name in ("parameters", "trials", "time")),
    )
    out.print(table("", columns, rows))
    if any(isinstance(row[2], str) and row[2].endswith("*") for row in rows):
        out.print(Text("* on validation; the others on the sealed test", style="dim"))
    for problem in problems:
        out.print(Text(problem, style="red"), soft_wrap=True)


# ---- one run ----------------------------------------------------------------------------------------------------------


def _state(state: str) -> Text:
    return Text(state, style=STATES.get(state, ""))


def _one(out: Console, run: Path, known: Facts) -> None:
    out.print(grid(_head(run, known)))
    out.print()
    _front(out, known)
    _control(out, known)
    _failures(out, known)
    _time(out, known)
    if known.state == "interrupted":
        out.print(Text.assemble("Go on with: ", (f"netwright resume {run}", "cyan")), soft_wrap=True)


def _head(run: Path, known: Facts) -> list[tuple[str, Any]]:
    recipe = known.recipe
    data = recipe.get("data") or known.task.get("name", "")
    data = f"table {data}" if recipe.get("table") else data
    what = f"{data}, {recipe.get('strategy')} in {recipe.get('space')}, seed {recipe.get('seed', 0)}"
    rows: list[tuple[str, Any]] = [("run", Text.assemble(str(run), ": ", _state(known.state)))]
    if known.stopped and known.stopped.get("text"):
        rows.append(("ended", str(known.stopped["text"])))
    rows.append(("search", f"{what}, {budget(recipe.get('budget') or {})}"))
    aims = goals(known.goal)
    kept = limits([str(limit) for limit in known.goal.limits])
    rows.append(("goal", f"{aims}{', keeping ' + kept if kept else ''}"))
    if known.task.get("sees_test"):
        rows.append(("note", f"the search sees {', '.join(known.task['sees_test'])}, which is measured on test data"))
    if known.best is None:
        rows.append(("best", "no trial has finished"))
    else:
        sealed = score(known)
        if sealed:
            rows.append(("winner", Text(f"trial {known.best['trial']}: {sealed}", style="bold green")))
        else:
            metric = known.goal.primary.key
            text = f"{name_of(metric)} {told(metric, known.best['metrics'].get(metric))} on validation"
            rows.append(("best", Text(f"trial {known.best['trial']}: {text}", style="bold")))
        if cost(known):
            rows.append(("", cost(known)))
        if known.best.get("why"):
            rows.append(("why", str(known.best["why"])))
    rows += gained(known)
    rows.append(("spent", spent(known)))
    rows.append(("files", files(run, known)))
    return rows


def _front(out: Console, known: Facts) -> None:
    if not known.front:
        return
    wanted = [objective.key for objective in known.goal.objectives]
    for key in (*(limit.key for limit in known.goal.limits), "params", "latency_ms"):
        if key not in wanted and any(key in point["metrics"] for point in known.front):
            wanted.append(key)
    rows = [
        [f"{point['trial']}", *(_number(key, point["metrics"].get(key)) for key in wanted), point["architecture"][:8]]
        for point in known.front[:FRONT]
    ]
    title = "Front, on validation" if len(known.goal.objectives) > 1 else "Best, on validation"
    if len(known.front) > FRONT:
        title += f" ({FRONT} of {len(known.front)}; all with --json)"
    out.print(table(title, (("trial", "right"), *((heading(key), "right") for key in wanted), ("architecture", "left")), rows))


def _number(metric: str, number: Any) -> str:
    """A value without its unit, which the heading has."""
    return re.sub(r"\s(ms|KiB|%)$", "", told(metric, number))


def _control(out: Console, known: Facts) -> None:
    control, metric = known.control, known.control["metric"]
    rows: list[Sequence[Any]] = []
    for kind in ("winner", "random", "reference"):
        entries = [control["winner"]] if kind == "winner" and control["winner"] else control[kind] if kind != "winner" else []
        for entry in sorted(entries, key=lambda entry: str(entry["name"])):
            rows.append(_trained(kind, entry, metric))
    if rows:
        names = (name_of(metric), "over seeds", "parameters", "latency (ms)")
        columns = (("", "fold"), *((name, "right") for name in names))
        state = ", scored on the sealed test" if known.test else "; the test is still sealed"
        title = f"Control arm: trained with the same recipe{state}"
        out.print(table(title, columns, rows))


def _trained(kind: str, entry: Mapping[str, Any], metric: str) -> Sequence[Any]:
    name = Text(arm(entry["name"]), style="bold green" if kind == "winner" else "")
    if entry.get("failed"):
        return (name, Text(str(entry["failed"]), style="yellow"), "", "", "")
    scores = [score for score in entry["scores"] if score is not None and math.isfinite(score)]
    span = f"{_number(metric, min(scores))}–{_number(metric, max(scores))}" if len(scores) > 1 else ""
    latency = _number("latency_ms", entry.get("latency_ms"))
    return (name, told(metric, entry.get("score")), span, told("params", entry.get("params")), latency)


def _failures(out: Console, known: Facts) -> None:
    if known.failures:
        rows = [[f"{count:,}", reason] for reason, count in known.failures.items()]
        out.print(table("Why trials failed", (("trials", "right"), ("reason", "fold")), rows))
    if known.twins:
        out.print(Text(f"Trials that computed the same as one before and took over its scores: {known.twins:,}\n", style="dim"))
    if known.screened:
        out.print(Text(f"Drafts that broke a counted limit and never became trials: {known.screened:,}\n", style="dim"))


def _time(out: Console, known: Facts) -> None:
    phases = [(name, duration(seconds)) for name, seconds in known.spent["phases"].items() if seconds >= 0.05]
    if phases and not known.table:
        out.print(Text("Where the time went", style="bold"))
        out.print(grid(phases))
        out.print()
