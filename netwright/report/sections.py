"""The second half of the report: the network, the front, the trials, the data, and how to make it all again."""

from __future__ import annotations

import shlex
from datetime import UTC, datetime
from html import escape
from typing import Any

from netwright.core.architecture import Architecture, Signature
from netwright.errors import SpaceError
from netwright.report import figures
from netwright.report.draw import draw
from netwright.report.facts import Facts
from netwright.report.markup import Cell, facts_list, figure, section, table
from netwright.report.words import counted, duration, name_of, told

__all__ = ["data", "front", "network", "notes", "recipe", "time", "trials"]

_COSTS = ("params", "flops", "peak_kib", "latency_ms")


def network(facts: Facts, architecture: Architecture | None, signature: Signature | None) -> str:
    """The winner, drawn."""
    if facts.best is None:
        return ""
    values = facts.best["metrics"]
    listed = facts_list(
        [
            ("architecture", facts.best["architecture"]),
            ("trial", facts.best["trial"]),
            ("chosen for", facts.best["why"]),
            *((name_of(key), told(key, values[key])) for key in _COSTS if key in values),
        ]
    )
    drawn = ""
    if architecture is not None and signature is not None:
        try:
            drawn = draw(architecture, signature)
        except SpaceError as error:
            listed += f'<p class="small">It cannot be drawn here: {escape(str(error))}</p>'
    caption = (
        '<p class="small">Each box is a layer with the normalisation and activation beside it and its parameters, which the bar '
        "compares. Shapes (channels × height × width) stand where they change. Blue lines are skips; a part that comes back "
        "has a letter, × says how often.</p>"
    )
    title = "The network" if facts.best["final"] else "The best network so far"
    return section(title, f'<div class="pair"><div>{listed}{caption if drawn else ""}</div>{figure(drawn)}</div>')


def front(facts: Facts) -> str:
    """What could be had instead, and how the search got there."""
    keys = [objective.key for objective in facts.goal.objectives]
    keys += [key for key in _COSTS if key not in keys]
    keys = [key for key in keys if any(key in point["metrics"] for point in facts.front)]
    best = facts.best["trial"] if facts.best else None
    rows: list[list[Cell]] = [
        [str(point["trial"]), point["architecture"], *(_number(key, point["metrics"].get(key)) for key in keys)]
        for point in facts.front
    ]
    chosen = next((place for place, point in enumerate(facts.front) if point["trial"] == best), -1)
    head = ["#trial", "architecture", *(f"#{name_of(key)}" for key in keys)]
    listed = table(head, rows, sortable=True, chosen=chosen) if rows else ""
    caption = "Scores on validation rows. No trial within the limits is better than one of the front in everything."
    plots = [figure(figures.front(facts)), figure(figures.progress(facts))]
    pair = f'<div class="pair">{"".join(plots)}</div>' if any(plots) else ""
    told_below = f'<p class="small">{caption}</p>' if rows else ""
    return section("The front", pair, _folded(listed, len(rows), "networks of the front"), told_below)


def time(facts: Facts) -> str:
    """Where the wall-clock time went."""
    phases = _split(facts.spent["phases"], facts.spent["stages"])
    total = sum(phases.values())
    if not total:
        return ""
    phases = {name: seconds for name, seconds in phases.items() if seconds >= 0.002 * total}
    bars = "".join(
        f'<i style="flex:{seconds / total:.4f};background:var(--c{place % 9})" title="{escape(name)}"></i>'
        for place, (name, seconds) in enumerate(phases.items())
    )
    keys = "".join(
        f'<li><i style="background:var(--c{place % 9})"></i>{escape(name)} {duration(seconds)} · {_share(seconds / total)}</li>'
        for place, (name, seconds) in enumerate(phases.items())
    )
    spent = facts.spent
    share = f" ({_share(spent['overhead_s'] / spent['wall_s'])} of all)" if spent["wall_s"] else ""
    text = f"Overhead, when nothing trained or measured: {duration(spent['overhead_s'])}{share}."
    if spent["sessions"] > 1:
        text += f" Worked on in {spent['sessions']} sessions; the time between them is left out."
    if facts.forecast:
        text += _foreseen(facts)
    drawn = f'<div class="shares">{bars}</div><ul class="key">{keys}</ul>'
    return section("Where the time went", drawn, f'<p class="small">{escape(text)}</p>')


def _split(phases: dict[str, float], stages: dict[str, float]) -> dict[str, float]:
    """Phases with the search split into what its slots did, by their shares of its wall-clock time."""
    slots = sum(stages.values())
    shares = {f"search: {name}": seconds / slots for name, seconds in stages.items() if seconds > 0}
    split: dict[str, float] = {}
    for name, seconds in phases.items():
        if name == "search" and len(shares) > 1:
            split |= {stage: seconds * share for stage, share in shares.items()}
        else:
            split[name] = seconds
    return {name: seconds for name, seconds in split.items() if seconds > 0}


def _share(part: float) -> str:
    return f"{100 * part:.1f}\u00a0%"


def _foreseen(facts: Facts) -> str:
    told_before = facts.forecast or {}
    wanted, each = told_before.get("trials"), told_before.get("trial_s")
    parts = [counted(int(wanted), "trial")] if wanted else []
    parts += [f"{duration(each)} each"] if each else []
    return f" The forecast before the search was {' of '.join(parts)}; it made {facts.spent['trials']:,}." if parts else ""


def trials(facts: Facts) -> str:
    """What was tried, and why some of it failed."""
    if not facts.trials:
        return ""
    states = ", ".join(f"{number:,} {state}" for state, number in sorted(facts.spent["states"].items()))
    said = f"{counted(len(facts.trials), 'trial')}: {states}."
    if facts.screened:
        said += f" {counted(facts.screened, 'draft')} broke a counted limit and never became a trial."
    if facts.twins:
        said += f" {counted(facts.twins, 'trial')} computed the same as one before and took over its scores."
    if facts.lost:
        said += f" {counted(facts.lost, 'time')} a worker was lost and its trial begun again."
    reasons: list[list[Cell]] = [[reason, (f"{number:,}", number)] for reason, number in facts.failures.items()]
    why = "<h3>Why trials failed or were infeasible</h3>" + table(["~reason", "#trials"], reasons) if reasons else ""
    keys = [facts.goal.primary.key, *_COSTS]
    keys = [key for key in keys if any(key in row["metrics"] for row in facts.trials)]
    rows: list[list[Cell]] = [
        [
            (str(row["number"]), row["number"]),
            row["state"],
            row["architecture"],
            *(_number(key, row["metrics"].get(key)) for key in keys),
            (duration(row["seconds"]), row["seconds"]),
            row["reason"] or (f"attempt {row['attempt']}" if row["attempt"] > 1 else ""),
        ]
        for row in facts.trials
    ]
    head = ["#trial", "state", "architecture", *(f"#{name_of(key)}" for key in keys), "#took", "~reason"]
    listed = _folded(table(head, rows, sortable=True), len(rows), "trials")
    return section("Trials", f"<p>{escape(said)}</p>", why, "<h3>All trials</h3>", listed)


def data(facts: Facts) -> str:
    """What the network was trained and judged on."""
    task = facts.task
    rows = ", ".join(f"{name} {number:,}" for name, number in task.get("rows", {}).items())
    classes = [str(name) for name in task.get("classes", ())]
    split, image, target, skipped = (task.get(name) or {} for name in ("split", "image", "target", "skipped"))
    pixels = f"{image.get('channels')}×{image['height']}×{image['width']}" if "height" in image else ""
    listed = facts_list(
        [
            ("name", task.get("name")),
            ("task", f"{task.get('kind', '')}{' (inferred)' if task.get('inferred') else ''}"),
            ("rows", rows),
            ("classes", f"{len(classes)}: {', '.join(classes[:40])}{' …' if len(classes) > 40 else ''}" if classes else ""),
            ("target", target.get("name")),
            ("columns", len(task.get("columns") or ()) or ""),
            ("images", pixels + (f", resized ({image.get('method')})" if image.get("resized") else "")),
            ("split", ", ".join(_setting(*item) for item in split.items() if item[1] is not False)),
            ("fingerprint", task.get("fingerprint")),
            ("skipped", counted(len(skipped), "file") if skipped else ""),
        ]
    )
    remarks = "".join(f"<li>{escape(str(text))}</li>" for text in [*task.get("warnings", ()), *task.get("notes", ())])
    files: list[list[Cell]] = [[str(entry["file"]), str(entry["reason"])] for entry in skipped]
    without = _folded(table(["file", "~reason"], files), len(files), "skipped files", most=5) if files else ""
    return section("Data", listed, f"<ul>{remarks}</ul>" if remarks else "", without)


def _setting(key: str, value: Any) -> str:
    return str(value) if key == "method" else key.replace("_", " ") if value is True else f"{key} {value}"


def recipe(facts: Facts, name: str, text: str) -> str:
    """The recipe, how to make the search again, and on what it ran."""
    folder = shlex.quote(name)
    commands = [
        (f"netwright search {shlex.quote(name + '/recipe.toml')}", "the same search again"),
        (f"netwright show {folder} --json", "every number of this page"),
        (f"netwright predict {folder} FILE", "use the network"),
        (f"netwright export {folder}", "write the model again"),
        (f"netwright resume {folder} --budget +10m", "search on"),
    ]
    if facts.recipe.get("table"):
        commands = [*commands[:2], (f'netwright resume {folder} --budget "+100 trials"', "search on")]
    widest = max(len(command) for command, _ in commands)
    shell = "\n".join(f"{command.ljust(widest)}  # {what}" for command, what in commands)
    machine, made = facts.machine, facts.created
    memory = machine.get("memory_gib")
    software = {key: value for key, value in machine.items() if key not in ("cpu", "cores", "memory_gib", "platform")}
    versions = {"netwright": made.get("version"), **software}
    listed = facts_list(
        [
            ("processor", machine.get("cpu")),
            ("cores", machine.get("cores")),
            ("memory", f"{memory:.1f} GiB" if memory else ""),
            ("system", machine.get("platform")),
            ("versions", ", ".join(f"{key} {value}" for key, value in versions.items() if value)),
            ("seed", made.get("seed")),
            ("workers", made.get("workers") or ""),
            ("strategy", made.get("strategy_why")),
            ("space", f"{facts.space.get('name', '')} ({facts.space.get('digest', '')})" if facts.space else ""),
            *_exported(facts.exported),
        ]
    )
    return section(
        "How to make it again",
        f"<pre>{escape(shell)}</pre>",
        listed,
        f"<details><summary>Recipe</summary><pre>{escape(text)}</pre></details>",
    )


def _exported(exported: dict[str, Any] | None) -> list[tuple[str, Any]]:
    if not exported:
        return []
    files, parity = exported.get("files") or {}, exported.get("parity") or {}
    sizes = ", ".join(f"{name} {size / 1024:.1f} KiB" for name, size in files.items())
    pairs = ", ".join(f"{pair.replace('_', ' ')} {gap:.1g}" for pair, gap in parity.items() if isinstance(gap, int | float))
    return [("model files", sizes), ("largest difference", pairs)]


def notes(facts: Facts) -> str:
    """What to keep in mind when reading the numbers."""
    said = ["Scores of trials and of the front are on validation rows. The search has chosen by them, so they flatter."]
    epochs = [row["fidelity"]["epochs"] for row in facts.trials if (row["fidelity"] or {}).get("epochs")]
    final = (facts.forecast or {}).get("final_epochs")
    if epochs and final and max(epochs) < final:
        said.append(
            f"A trial had {counted(max(epochs), 'epoch')} of training at most, the control arm {final}: hence its higher scores."
        )
    if facts.test:
        opened = datetime.fromtimestamp(facts.test["opened_at"], UTC)
        times = facts.test["openings"]
        often = "once" if times == 1 else f"{times} times, so that later scores are a little less honest than the first,"
        when = f"{'first ' * (times > 1)}on {opened:%d %B %Y at %H:%M} UTC"
        said.append(f"The test rows were sealed during the search and opened {often} {when}, after the winner was fixed.")
    else:
        said.append("The test rows are still sealed: how well the network does on new data is not known yet.")
    if any("latency_ms" in row["metrics"] for row in facts.trials):
        said.append(
            "Latencies during the search were measured while a neighbour may have been training, so they are noisy. "
            "Finalists were measured again with every other slot idle; what broke a limit then was not called a winner."
        )
    for entry in facts.finalists:
        if not entry.get("kept", True):
            said.append(f"Finalist {entry['trial']} was passed over: {entry.get('reason', '')}.")
    said.append("Latency is for one example at a time on the machine named above, and will be another on yours.")
    return section("To keep in mind", "<ul>" + "".join(f"<li>{escape(text)}</li>" for text in said) + "</ul>")


def _number(key: str, value: Any) -> Cell:
    return (told(key, value), value)


def _folded(inner: str, rows: int, what: str, most: int = 30) -> str:
    """A long table is closed until it is asked for."""
    return f"<details><summary>{rows:,} {what}</summary>{inner}</details>" if rows > most else inner
