"""Searches that are killed at any moment, and go on as if nothing had happened."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from netwright import compose
from netwright.api import Run
from netwright.core.architecture import Frame, Signature
from netwright.core.contracts import Event
from netwright.errors import NetwrightError
from netwright.loop import read_history
from netwright.recipe import Recipe

LEAN = [
    *("--set", "estimator.epochs=2", "--set", "estimator.final_epochs=2", "--set", "control.finalists=1"),
    *("--set", "control.randoms=0", "--set", "control.seeds=1", "--set", "control.references=false", "--quiet"),
]
COUNTED = [
    "digits",
    "--limit",
    "params<=8k",
    "--workers",
    "1",
    "--strategy",
    "evolution",
    "--set",
    "strategy.population=4",
    "--set",
    "strategy.tournament=2",
    *LEAN,
]


def start(*arguments: str, cwd: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "netwright", *arguments], cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def finish(*arguments: str, cwd: Path) -> None:
    process = start(*arguments, cwd=cwd)
    _, errors = process.communicate(timeout=280)
    assert process.returncode == 0, errors


def told(run: Path) -> list[tuple[int, str, str, dict[str, float]]]:
    """What came of each trial, durations excepted."""
    trials = Run(run).facts.to_json()["trials"]
    return [(t["number"], t["state"], t["architecture"], t["metrics"]) for t in trials]


def ended(events: list[Event]) -> dict[int, dict[str, Any]]:
    return {e.body["number"]: dict(e.body) for e in events if e.kind == "ended"}


def check_proposals(events: list[Event]) -> int:
    """Each proposal is what a fresh strategy proposes when it is given the log before it; returns how many there are."""
    created = next(e.body for e in events if e.kind == "created")
    recipe = Recipe.from_json(created["recipe"])
    goal = compose.build_goal(recipe)
    signature = Signature.from_json(created["signature"])
    space, _ = compose.build_space(recipe, signature, Frame.from_json(created["frame"]), goal)
    checked = 0
    for place, event in enumerate(events):
        if event.kind == "proposed":
            history = read_history(events[:place], space)
            (proposal,) = compose.build_strategy(recipe, space, goal).ask(history, 1)
            assert history.next_number == event.body["number"]
            assert proposal.architecture.id == event.body["id"]
            checked += 1
    return checked


def test_the_same_seed_gives_the_same_trials_and_measurements(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        finish("search", *COUNTED, "--budget", "7 trials", cwd=tmp_path / folder)
    first, second = (told(tmp_path / folder / "runs" / "digits-1") for folder in ("one", "two"))
    assert first == second
    assert len(first) == 7
    tests = [Run(tmp_path / folder / "runs" / "digits-1").facts.to_json()["test"]["scores"] for folder in ("one", "two")]
    assert tests[0] == tests[1]
    assert check_proposals(Run(tmp_path / "one" / "runs" / "digits-1").events()) == 7


def killed(run: Path, arguments: list[str], cwd: Path, moments: random.Random, kills: int) -> int:
    """Start or go on, kill -9 at a random moment, as often as that; returns how often it happened before the run was done."""
    done = 0
    for _ in range(kills):
        process = start(*(["resume", str(run), "--quiet"] if (run / "run.db").exists() else arguments), cwd=cwd)
        time.sleep(moments.uniform(0.5, 9.0))
        if process.poll() is not None:
            _, errors = process.communicate()
            assert process.returncode == 0, errors
            return done
        before = ended(Run(run).events()) if _readable(run) else {}
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        if _readable(run):
            after = ended(Run(run).events())
            assert before.items() <= after.items(), "a finished trial was lost"
        done += 1
    return done


def _readable(run: Path) -> bool:
    """Whether the run has come far enough to be resumed: killed before, it is begun anew."""
    if not (run / "run.db").exists():
        return False
    try:
        return any(event.kind == "created" for event in Run(run).events())
    except NetwrightError:
        return False


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_killed_at_twenty_random_moments_it_proposes_what_it_would_have(tmp_path: Path) -> None:
    (tmp_path / "whole").mkdir()
    finish("search", *COUNTED, "--budget", "24 trials", cwd=tmp_path / "whole")
    expected = told(tmp_path / "whole" / "runs" / "digits-1")
    moments, kills, rounds = random.Random(7), 0, 0
    while kills < 20:
        home = tmp_path / f"cut{rounds}"
        home.mkdir()
        rounds += 1
        run = home / "runs" / "digits-1"
        arguments = ["search", *COUNTED, "--budget", "24 trials", "--out", str(run)]
        kills += killed(run, arguments, home, moments, 20 - kills)
        if not _readable(run):
            continue
        if Run(run).facts.state != "finished":
            finish("resume", str(run), cwd=home)
        assert told(run) == expected
        assert Run(run).facts.to_json()["test"]["openings"] == 1


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_with_timed_limits_it_goes_on_as_a_fresh_strategy_given_its_log(tmp_path: Path) -> None:
    run = tmp_path / "runs" / "digits-1"
    arguments = ["search", *COUNTED, "--workers", "2", "--minimize", "latency_ms", "--limit", "latency_ms<=5"]
    arguments += ["--budget", "40 trials", "--out", str(run)]
    killed(run, arguments, tmp_path, random.Random(3), 5)
    if Run(run).facts.state != "finished":
        finish("resume", str(run), cwd=tmp_path)
    assert check_proposals(Run(run).events()) == 40
    numbers = [trial["number"] for trial in Run(run).facts.to_json()["trials"]]
    assert numbers == list(range(40))


def test_ctrl_c_ends_it_within_two_seconds_and_says_how_to_go_on(tmp_path: Path) -> None:
    process = start("search", "digits", "--budget", "500 trials", "--set", "estimator.epochs=3", cwd=tmp_path)
    run = tmp_path / "runs" / "digits-1"
    end = time.monotonic() + 100
    while not (_readable(run) and len(ended(Run(run).events())) >= 2):
        assert time.monotonic() < end, "no trial ended"
        assert process.poll() is None, process.communicate()
        time.sleep(0.2)
    os.kill(process.pid, signal.SIGINT)
    began = time.monotonic()
    out, errors = process.communicate(timeout=30)
    took = time.monotonic() - began
    assert took < 2.0, f"it took {took:.1f} s"
    assert process.returncode == 130
    assert "netwright resume" in out + errors
    assert "Traceback" not in out + errors
    assert Run(run).facts.state == "interrupted"
    kept = ended(Run(run).events())
    finish("resume", str(run), "--budget", "1s", "--quiet", cwd=tmp_path)
    assert kept.items() <= ended(Run(run).events()).items()
    assert Run(run).facts.state == "finished"


def test_a_finished_run_is_extended_and_its_second_test_is_on_record(tmp_path: Path) -> None:
    finish("search", *COUNTED, "--budget", "3 trials", cwd=tmp_path)
    run = tmp_path / "runs" / "digits-1"
    first = told(run)
    finish("resume", str(run), "--budget", "+3 trials", "--quiet", cwd=tmp_path)
    assert told(run)[:3] == first
    assert len(told(run)) == 6
    facts = Run(run).facts.to_json()
    assert facts["state"] == "finished"
    assert facts["test"]["openings"] == 2
    assert json.dumps(facts)
