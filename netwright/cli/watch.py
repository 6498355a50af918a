"""Watching a run: a small live display in a terminal, a few plain lines elsewhere, nothing where that is wanted."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Protocol, Self

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from netwright.cli.progress import PHASES, Progress
from netwright.cli.style import budget, grid, limits, metrics_line
from netwright.core.contracts import Event
from netwright.core.objectives import Goal
from netwright.report.words import counted, duration, name_of

__all__ = ["Lines", "Screen", "Silent", "Watcher", "about", "expected", "goals"]


class Watcher(Protocol):
    """A context manager that is told of every event."""

    progress: Progress

    def tell(self, event: Event) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None: ...


class Silent:
    """Keeps count and says nothing."""

    def __init__(self) -> None:
        self.progress = Progress()

    def tell(self, event: Event) -> None:
        self.progress.take(event)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        return None


class Lines(Silent):
    """A line for what the run is about, for its forecast, for each improvement and each phase."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self.console = console

    def say(self, text: str) -> None:
        self.console.print(text, soft_wrap=True)

    def tell(self, event: Event) -> None:
        phase, better = self.progress.phase, self.progress.take(event)
        if event.kind == "session" and self.progress.created:
            for name, what in about(self.progress):
                self.say(f"{name}: {what}")
        elif event.kind == "forecast":
            self.say(f"forecast: {expected(self.progress)}")
        elif better:
            self.say(f"best so far: {_best(self.progress)}, after {duration(self.progress.elapsed())}")
        elif event.kind == "stopped":
            self.say(f"{event.body.get('text') or event.body['reason']}: {_counts(self.progress)}")
        quick = self.progress.forecast.get("simulated")  # nothing but the search takes time
        if self.progress.phase != phase and self.progress.phase not in ("", "forecast", "search") and not quick:
            self.say(f"{self.progress.phase} …")


class Screen(Silent):
    """What the run is about, then phases, counts, the best so far and a bar, drawn in place and gone at the end."""

    def __init__(self, console: Console, what: str) -> None:
        super().__init__()
        self.console, self.what = console, what
        self.spinner = Spinner("dots", style="cyan")
        self.live = Live(get_renderable=self._drawn, console=console, transient=True, refresh_per_second=4)

    def __enter__(self) -> Self:
        self.live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.live.stop()

    def tell(self, event: Event) -> None:
        self.progress.take(event)
        if event.kind == "session" and self.progress.created:
            self.console.print(grid(about(self.progress)))
        elif event.kind == "forecast":
            self.console.print(grid([("forecast", expected(self.progress))]))

    def _drawn(self) -> Any:
        progress = self.progress
        if not progress.created:
            return Text.assemble(self._turning(), " ", self.what)
        phases = Table.grid(padding=(0, 1))
        phases.add_column(width=1)
        phases.add_column(width=14, no_wrap=True)
        phases.add_column(overflow="ellipsis", no_wrap=True)
        at = PHASES.index(progress.phase) if progress.phase in PHASES else len(PHASES)
        for k, phase in enumerate(PHASES):
            if k < at:
                lasted = duration(progress.lasted[phase]) if phase in progress.lasted else ""
                note = f"{_counts(progress)}, {lasted}" if phase == "search" and lasted else lasted
                phases.add_row(Text("✓", style="green"), Text(phase), Text(note, style="dim"))
            elif k == at:
                phases.add_row(self._turning(), Text(phase, style="bold"), Text(self._now(phase)))
            else:
                phases.add_row(Text("·", style="dim"), Text(phase, style="dim"), Text(""))
        parts: list[Any] = [Text(""), phases, Text("")]
        if progress.best is not None:
            parts.append(grid([("best so far", Text(_best(progress), style="bold"))]))
        parts.append(self._bar())
        return Group(*parts)

    def _turning(self) -> Any:
        return self.spinner.render(self.console.get_time())

    def _now(self, phase: str) -> str:
        progress = self.progress
        if phase == "search":
            running = f", {len(progress.running)} running" if progress.running else ""
            return _counts(progress) + running
        if phase == "final training" and progress.trainings > 1:
            return f"the winner and the control arm: {progress.trained} of {progress.trainings} trainings done"
        return {
            "forecast": "timing a few candidates",
            "final training": "the winner",
            "test": "the sealed test is open: references, scores",
        }.get(phase, "")

    def _bar(self) -> Any:
        share, left = self.progress.share(), self.progress.left()
        row = Table.grid(padding=(0, 2))
        if share is None:
            return Text(f"{duration(self.progress.elapsed())} so far", style="dim")
        if left is not None:
            told = f"{duration(round(left))} left of {budget({'seconds': self.progress.budget['seconds']})}"
        else:
            told = f"{self.progress.trials:,} of {counted(int(self.progress.budget['trials']), 'trial')}"
        width = max(10, min(50, self.console.width - len(told) - 4))
        row.add_row(ProgressBar(total=1.0, completed=share, width=width), Text(told, style="dim"))
        return row


def about(progress: Progress) -> list[tuple[str, str]]:
    """What a run is about: the data, what for, how, and where it is kept."""
    created, recipe = progress.created, progress.created.get("recipe", {})
    task, rows = created.get("task", {}), created.get("task", {}).get("rows", {})
    classes = task.get("classes") or ()
    kind = str(task.get("kind", "")) + (f" into {len(classes)} classes" if classes else "")
    splits = [f"{count:,} {name}{' (sealed)' if name == 'test' else ''}" for name, count in rows.items()]
    told = [("data", f"{task.get('name') or recipe.get('data', '')}: {kind}; rows: {', '.join(splits)}")]
    if recipe.get("table"):
        told = [("table", f"{task.get('title') or task.get('name')}; {task.get('architectures', 0):,} architectures")]
        seen = task.get("sees_test")
        told += [("note", f"the search sees {', '.join(seen)}, which is measured on test data")] if seen else []
    if task.get("inferred"):
        told.append(("inferred", str(task["inferred"])))
    told += [("warning", str(warning)) for warning in _few(task.get("warnings") or [])]
    if progress.goal is not None:
        aims = goals(progress.goal)
        kept = f", keeping {limits([str(limit) for limit in progress.goal.limits])}" if progress.goal.limits else ""
        told.append(("goal", f"{aims}{kept}"))
    how = [f"{budget(progress.budget)}", f"{recipe.get('strategy')} in {recipe.get('space')}", f"seed {recipe.get('seed', 0)}"]
    how += [counted(int(created["workers"]), "worker")] if created.get("workers") else []
    told.append(("search", ", ".join(how)))
    told += [("strategy", str(created["strategy_why"]))] if created.get("strategy_why") else []
    if progress.folder:
        told.append(("run", progress.folder))
    return told


def goals(goal: Goal) -> str:
    """``maximize accuracy and minimize latency``."""
    return " and ".join(f"{'maximize' if o.maximize else 'minimize'} {name_of(o.key)}" for o in goal.objectives)


def _few(texts: list[str], most: int = 5) -> list[str]:
    return texts if len(texts) <= most else [*texts[: most - 1], f"and {len(texts) - most + 1} more: see the report"]


def expected(progress: Progress) -> str:
    """The forecast in one sentence."""
    told = progress.forecast
    parts = []
    if told.get("simulated"):
        known = "" if told.get("cost_known") else "; the table knows no cost, a full training counts as a second"
        what = f"about {counted(int(told['trials']), 'trial')}" if told.get("trials") is not None else "trials"
        return f"{what} of {duration(told['trial_s'])}, {duration(told['search_s'])} in all, simulated{known}"
    if told.get("trials") is not None:
        search = f" in {duration(told['search_s'])}" if told.get("search_s") is not None else ""
        parts.append(f"about {counted(int(told['trials']), 'trial')} of {duration(told.get('trial_s'))}{search}")
    elif told.get("trial_s") is not None:
        parts.append(f"{duration(told['trial_s'])} a trial")
    if told.get("final_s") is not None:
        parts.append(f"{duration(told['final_s'])} for final training, test and export")
    if told.get("disk_mib") is not None:
        parts.append(f"{told['disk_mib']:,.0f} MiB of disk")
    if told.get("memory_mib"):
        parts.append(f"{told['memory_mib']:,.0f} MiB of memory for each worker")
    return ", ".join(parts)


def _best(progress: Progress) -> str:
    if progress.best is None or progress.goal is None:
        return ""
    wanted = [objective.key for objective in progress.goal.objectives]
    where = "" if progress.forecast.get("simulated") else ", on validation"
    return f"{metrics_line(progress.best['values'], wanted)} (trial {progress.best['trial']}{where})"


def _counts(progress: Progress) -> str:
    parts = [counted(progress.trials, "trial")]
    parts += [f"{progress.states[state]:,} {state}" for state in ("infeasible", "failed") if progress.states.get(state)]
    return ", ".join(parts)
