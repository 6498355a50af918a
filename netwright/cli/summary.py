"""What a finished run comes to, in a few lines."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from netwright.cli.style import grid, limits, metrics_line
from netwright.report.facts import Facts
from netwright.report.words import arm, counted, duration, name_of, told

__all__ = ["gained", "last_line", "references", "score", "spent", "summary"]


def summary(console: Console, folder: Path, facts: Facts) -> None:
    """The winner, what the search gained, the references, where things are, what to do next."""
    rows: list[tuple[str, Any]] = []
    if facts.test is not None:
        rows.append(("winner", Text(score(facts), style="bold green")))
    if facts.best is not None:
        rows.append(("" if rows else "best", cost(facts)))
    rows += gained(facts)
    if references(facts):
        rows.append(("references", references(facts)))
    rows.append(("spent", spent(facts)))
    rows.append(("files", files(folder, facts)))
    console.print()
    console.print(grid(rows))
    console.print()
    run = shlex.quote(str(folder))
    commands = [f"netwright predict {run} FILE…", f"netwright report {run} --open", f"netwright resume {run} --budget +5m"]
    if facts.recipe.get("table"):
        commands = [f"netwright report {run} --open", f'netwright resume {run} --budget "+100 trials"']
    for command in commands:
        console.print(Text("  " + command, style="cyan"), soft_wrap=True)


def last_line(folder: Path, facts: Facts) -> str:
    """One line for those who asked for quiet."""
    return "; ".join(part for part in (score(facts), cost(facts), str(folder)) if part)


def score(facts: Facts) -> str:
    """``accuracy 98.61 % on the sealed test (95 % interval 96.81 % to 99.41 %)``."""
    test = facts.test
    if test is None or test["score"] is None:
        return ""
    metric = test["metric"]
    if facts.table:
        key = facts.goal.primary.key
        return f"{metric} {told(metric, test['score'])}, chosen by {key} {told(key, (facts.best or {})['metrics'].get(key))}"
    text = f"{name_of(metric)} {told(metric, test['score'])} on the sealed test"
    if test.get("interval"):
        low, high = (told(metric, bound) for bound in test["interval"])
        rows = f"; {counted(int(test['rows']), 'row')}" if test.get("rows") else ""
        text += f" (95 % interval {low} to {high}{rows})"
    return text


def cost(facts: Facts) -> str:
    """What the winner costs, and whether it keeps the limits."""
    if facts.best is None:
        return ""
    text = metrics_line(facts.best["metrics"])
    if facts.goal.limits:
        kept = limits([str(limit) for limit in facts.goal.limits])
        text += f"; keeps {kept}" if facts.best["limits_met"] else f"; does NOT keep {kept}"
    return text


def gained(facts: Facts) -> list[tuple[str, Any]]:
    """What the search gained over random, and the verdict."""
    verdict = facts.control.get("verdict")
    return [("verdict", str(verdict))] if verdict else []


def references(facts: Facts) -> str:
    """The plain references with their scores, the best first; those that failed last."""
    metric = facts.control["metric"]
    known = [entry for entry in facts.control["reference"] if entry.get("score") is not None]
    known.sort(key=lambda entry: entry["score"], reverse=facts.goal.primary.maximize)
    failed = [entry for entry in facts.control["reference"] if entry.get("failed")]
    parts = [f"{arm(entry['name'])} {told(metric, entry['score'])}" for entry in known]
    return ", ".join(parts + [f"{arm(entry['name'])}: {entry['failed']}" for entry in failed])


def spent(facts: Facts) -> str:
    """Time, trials and overhead."""
    told_spent = facts.spent
    text = f"{duration(told_spent['wall_s'])}, {counted(told_spent['trials'], 'trial')}"
    if told_spent["simulated_s"] is not None:
        return f"{text}; {duration(told_spent['simulated_s'])} of simulated time"
    if told_spent["wall_s"]:
        share = 100 * told_spent["overhead_s"] / told_spent["wall_s"]
        text += f", overhead {duration(told_spent['overhead_s'])} ({share:.1f} %)"
    return text


def files(folder: Path, facts: Facts) -> str:
    """Where things are."""
    parts = [str(folder / "model")] if facts.exported else []
    parts += [str(folder / "report.html")] if (folder / "report.html").is_file() else []
    return ", ".join(parts) or str(folder)
