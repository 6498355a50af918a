"""The first half of the report: what was found, whether it was worth searching for, and what it was compared with."""

from __future__ import annotations

from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any

from netwright.report import figures
from netwright.report.facts import Facts
from netwright.report.markup import Cell, figure, section, table
from netwright.report.words import arm, bound, counted, duration, name_of, scored, told

__all__ = ["control", "gain", "head", "needless", "tiles"]


def head(facts: Facts, name: str) -> str:
    """Which run this is, and what was found, in one sentence."""
    began = facts.created.get("at")
    when = f" · {datetime.fromtimestamp(began, UTC):%d %B %Y, %H:%M} UTC" if began else ""
    line = f"{Path(name).name} · {facts.state}{when} · {duration(facts.spent['wall_s'])}"
    return f'<header><p class="run">{escape(line)}</p>\n{needless(facts)}<h1>{escape(_headline(facts))}</h1></header>'


def _headline(facts: Facts) -> str:
    best, test, data = facts.best, facts.test, facts.task.get("name", "the data")
    if best is None:
        if facts.state == "infeasible":
            return "No architecture that keeps the limits was found."
        return "No trial has a score yet."
    size = best["metrics"].get("params")
    what = "a network" + (f" of {told('params', size)} parameters" if size is not None else "")
    latency = best["metrics"].get("latency_ms")
    speed = f", in {told('latency_ms', latency)} a prediction" if latency is not None else ""
    if test is None or test["score"] is None:
        key = facts.goal.primary.key
        score = f"{told(key, best['metrics'].get(key))} {name_of(key)} on the validation rows of {data}"
        so_far = "" if best["final"] else "so far, the best is "
        return _sentence(f"{so_far}{what} with {score}{speed}{_kept(facts)}.")
    metric = test["metric"]
    low, high = test["interval"] or (None, None)
    span = f" (95 % interval {told(metric, low)} to {told(metric, high)})" if low is not None else ""
    score = f"{told(metric, test['score'])} {name_of(metric)} on {data}"
    return _sentence(f"{what} reaches {score}{span}{speed}{_kept(facts)}.")


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:]


def _kept(facts: Facts) -> str:
    limits = facts.goal.limits
    if not limits or facts.best is None:
        return ""
    if facts.best["limits_met"]:
        return ", within its limit" if len(limits) == 1 else ", within all its limits"
    return ", but outside its limits"


def needless(facts: Facts) -> str:
    """Said before anything else: that something plain does as well, with what it costs."""
    names, winner, test = facts.control["beaten_by"], facts.control["winner"], facts.test
    if not names or not winner or not test:
        return ""
    entries = {entry["name"]: entry for entry in facts.control["reference"]}
    within = [name for name in names if not facts.goal.broken(_numbers(entries[name]))]
    name = (within or names)[0]
    entry, metric = entries[name], test["metric"]
    what = "search" if entry["id"] else "network"
    title = f"No {what} is needed for this score."
    if not within:
        title = f"Without the limits, no {what} would be needed for this score."
    theirs, ours = told(metric, entry["score"]), told(metric, test["score"])
    scores = f"A plain {arm(name)} reaches {theirs} on the same test rows, the network found {ours}."
    return f'<aside class="note"><p><strong>{title}</strong> {escape(scores + _compared(entry, winner))}</p></aside>\n'


def _compared(entry: dict[str, Any], winner: dict[str, Any]) -> str:
    parts = []
    for key, worse, better in (("params", "larger", "smaller"), ("latency_ms", "slower", "faster")):
        theirs, ours = entry.get(key), winner.get(key)
        if theirs and ours and theirs != ours:
            unit = " parameters" if key == "params" else ""
            parts.append(f"{worse if theirs > ours else better} ({told(key, theirs)} against {told(key, ours)}{unit})")
    return f" It is {' and '.join(parts)}." if parts else ""


def _numbers(entry: dict[str, Any]) -> dict[str, float]:
    return {key: value for key, value in entry.items() if isinstance(value, float | int) and key not in ("score", "seconds")}


def tiles(facts: Facts) -> str:
    """The figures to take away."""
    shown: list[tuple[str, str]] = []
    best, test, control = facts.best, facts.test, facts.control
    if test and test["score"] is not None:
        rows = f", {counted(test['rows'], 'sealed test row')}" if test["rows"] else ""
        shown.append((told(test["metric"], test["score"]), f"{name_of(test['metric'])}{rows}"))
    elif best:
        key = facts.goal.primary.key
        shown.append((told(key, best["metrics"].get(key)), f"{name_of(key)}, validation"))
    asked = {limit.key for limit in facts.goal.limits} | {objective.key for objective in facts.goal.objectives}
    costs = {"params": "parameters", "latency_ms": "a prediction, batch 1"}
    costs |= {key: name_of(key) for key in sorted(asked - {*costs, facts.goal.primary.key}) if not scored(key)}
    for key, what in costs.items():
        if best and best["metrics"].get(key) is not None:
            limit = next((f", limit {told(key, limit.bound)}" for limit in facts.goal.limits if limit.key == key), "")
            shown.append((told(key, best["metrics"][key]), what + limit))
    if control["gain"] is not None and control["gain_interval"]:
        size, (low, high) = told(control["metric"], control["gain"], signed=True), control["gain_interval"]
        proved = low > 0 or high < 0
        shown.append((size, "over random architectures") if proved else ("no gain shown", f"over random architectures: {size}"))
    if facts.table:
        shown.append((told(control["metric"], control["gain"], signed=True), "over as many random trials, expected"))
    shown.append((duration(facts.spent["wall_s"]), f"for {counted(facts.spent['trials'], 'trial')}, all included"))
    items = "".join(f"<li><b>{escape(value)}</b><span>{escape(what)}</span></li>" for value, what in shown)
    return f'<ul class="tiles">{items}</ul>'


def gain(facts: Facts) -> str:
    """What the search gained over random, with its interval, also when that is nothing."""
    found, span, metric = facts.control["gain"], facts.control["gain_interval"], facts.control["metric"]
    title = "What the search gained"
    if found is None or not span:
        if facts.state != "finished":
            return ""
        unknown = "There was no time for random architectures to compare with: what the search gained is not known."
        return section(title, f"<p>{unknown}</p>")
    sign = 1 if facts.goal.primary.maximize else -1
    low, high = sorted(sign * bound for bound in span)
    interval = f"95 % interval {told(metric, span[0], signed=True)} to {told(metric, span[1], signed=True)}"
    size = f"{told(metric, found, signed=True)} of {name_of(metric)}"
    if low > 0:
        text = f"The search gained {size} over random architectures trained in the same way ({interval})."
    elif high < 0:
        text = f"The search lost to random architectures trained in the same way: {size} ({interval})."
    else:
        text = f"The search gained nothing that can be told from chance: {size} over random architectures ({interval})."
    how = (
        f"{counted(len(facts.control['random']), 'architecture')} drawn at random, within the same limits, had the winner's own "
        "final training and seeds. The interval covers the chance in test rows, in seeds and in the draw of architectures."
    )
    return section(title, f"<p><strong>{escape(text)}</strong></p>", f'<p class="small">{escape(how)}</p>')


def control(facts: Facts) -> str:
    """Winner, random architectures and references side by side."""
    metric = facts.control["metric"]
    arms = [("winner", facts.control["winner"])] if facts.control["winner"] else []
    arms += [(kind, entry) for kind in ("random", "reference") for entry in facts.control[kind]]
    rows: list[list[Cell]] = []
    for kind, entry in arms:
        scores = ", ".join(told(metric, score) for score in entry["scores"] if score is not None)
        rows.append(
            [
                arm(entry["name"]),
                "" if kind == "winner" or entry["name"].startswith(kind) else kind,
                told(metric, entry["score"]) if entry["score"] is not None else "–",
                entry.get("failed") or scores or "not tested yet",
                told("params", entry.get("params")),
                told("latency_ms", entry.get("latency_ms")),
                duration(entry["seconds"]) if entry["seconds"] else "–",
            ]
        )
    if not rows:
        return ""
    caption = "A dot for each seed, a bar for their mean; the band is the 95 % interval of the exported network's score."
    head = ["", "", f"#{name_of(metric)}", "~for each seed", "#parameters", "#latency", "#training"]
    drawing = figure(figures.control(facts), caption, wide=True)
    return section("Control arm", drawing, table(head, rows, chosen=0), _verdict(facts))


def _verdict(facts: Facts) -> str:
    text = facts.control["verdict"]
    limits = "; ".join(bound(str(limit)) for limit in facts.goal.limits)
    told_limits = f" Limits: {limits}." if limits else ""
    return f'<p class="small">As noted in the log: “{escape(str(text))}”{escape(told_limits)}</p>' if text else ""
