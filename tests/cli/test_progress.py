"""How far a run has come, counted from its events; what the two displays make of it."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from netwright.cli.progress import PHASES, Progress
from netwright.cli.watch import Lines, Screen, about, expected
from netwright.core.contracts import Event
from netwright.report.facts import facts
from netwright.testing.sample_log import sample_log

EVENTS = sample_log(40)


def played(events: list[Event]) -> Progress:
    progress = Progress()
    for event in events:
        progress.take(event)
    return progress


def test_counts_are_those_of_the_facts() -> None:
    progress, known = played(EVENTS), facts(EVENTS)
    assert progress.trials == known.spent["trials"]
    assert {state: n for state, n in progress.states.items() if n} == {
        k: v for k, v in known.spent["states"].items() if k != "lost"
    }
    assert not progress.running
    assert progress.over


def test_the_best_is_that_of_the_facts_wherever_the_log_ends() -> None:
    searching = [event for event in EVENTS if event.kind not in ("finalist", "winner", "control", "unsealed", "tested", "result")]
    for end in range(10, len(searching), 17):
        progress, known = played(searching[:end]), facts(searching[:end])
        if progress.best is None:
            assert not known.front
        else:
            key = known.goal.primary.key
            assert progress.best["values"][key] == known.front[0]["metrics"][key]


def test_phases_come_in_their_order() -> None:
    progress, seen = Progress(), []
    for event in EVENTS:
        progress.take(event)
        if progress.phase and progress.phase not in seen[-1:]:
            seen.append(progress.phase)
    assert seen == [phase for phase in PHASES if phase in seen]
    assert len(seen) == len(PHASES)
    assert progress.phase == ""


def test_a_resumed_run_adds_to_what_was_spent() -> None:
    progress = Progress()
    progress.take(Event("session", {"started": 100.0, "budget": {"seconds": 60.0}, "resumed": False}, 101.0))
    progress.take(Event("proposed", {"number": 0}, 120.0))
    progress.take(Event("session", {"started": 500.0, "budget": {"seconds": 90.0}, "resumed": True}, 501.0))
    assert progress.elapsed(510.0) == pytest.approx(20 + 10)


def test_the_time_between_two_sessions_is_nobodys() -> None:
    progress = played([event for event in EVENTS if event.kind in ("created", "session", "forecast")])
    began = EVENTS[-1].at
    progress.take(Event("started", {"number": 0}, began))
    progress.take(Event("session", {"started": began + 1000, "budget": {}, "resumed": True}, began + 1001))
    assert progress.phase == "search"
    before = began - next(event.at for event in EVENTS if event.kind == "forecast")
    progress.take(Event("stopped", {"reason": "trials"}, began + 1011))
    assert progress.lasted["search"] == pytest.approx(before + 10)


@pytest.mark.parametrize("width", [40, 80, 200])
def test_the_screen_fits_its_width_at_every_event(width: int) -> None:
    out = io.StringIO()
    console = Console(file=out, width=width, height=50, force_terminal=True, color_system=None, markup=False)
    screen = Screen(console, "reading [bold]digits")
    for number, event in enumerate(EVENTS):
        screen.progress.take(event)
        if number % 9 == 0:
            with console.capture() as capture:
                console.print(screen._drawn())
            assert all(len(line) <= width for line in capture.get().splitlines())
    with console.capture() as capture:
        console.print(Screen(console, "reading [bold]digits")._drawn())
    assert "[bold]digits" in capture.get()


def test_lines_are_never_markup() -> None:
    out = io.StringIO()
    created = EVENTS[0]
    task = {**created.body["task"], "name": "[red]x[/red]", "warnings": [f"warning {k}" for k in range(9)]}
    lines = Lines(Console(file=out, markup=False, highlight=False, emoji=False))
    lines.tell(Event("created", {**created.body, "task": task}, created.at))
    lines.tell(EVENTS[1])
    assert "[red]x[/red]" in out.getvalue()
    assert "and 5 more: see the report" in out.getvalue()


def test_a_forecast_is_a_sentence() -> None:
    progress = Progress(
        forecast={"trials": 66, "trial_s": 1.7, "search_s": 57.0, "final_s": 20.0, "disk_mib": 3.1, "memory_mib": 410}
    )
    assert expected(progress) == (
        "about 66 trials of 1.7 s in 57 s, 20 s for final training, test and export, 3 MiB of disk, 410 MiB of memory for each worker"
    )
    assert about(played(EVENTS[:2]))[0][0] == "data"
