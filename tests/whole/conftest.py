"""One small real search, shared by the tests that look at what a run leaves behind."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

QUICK = ["--set", "estimator.epochs=3", "--set", "estimator.final_epochs=6", "--set", "control.finalists=2"]
"""Short trainings: what is tested is that everything happens, not how well."""

Netwright = Callable[..., subprocess.CompletedProcess[str]]


def call(*arguments: str, cwd: Path, timeout_s: float = 280) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "netwright", *arguments], cwd=cwd, capture_output=True, text=True, timeout=timeout_s
    )


@pytest.fixture(scope="session")
def netwright() -> Netwright:
    """The command, as a process of its own: ``netwright("show", cwd=folder)``."""
    return call


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished run on digits: ``runs/digits-1`` of a fresh folder."""
    home = tmp_path_factory.mktemp("home")
    arguments = ["--limit", "params<=8k", "--minimize", "flops", "--budget", "6 trials", "--quiet", "--set", "control.seeds=2"]
    done = call("search", "digits", *arguments, *QUICK, cwd=home)
    assert done.returncode == 0, done.stderr
    return home / "runs" / "digits-1"


@pytest.fixture(scope="session")
def told(finished: Path) -> dict[str, Any]:
    """What ``netwright show --json`` prints of it."""
    shown: dict[str, Any] = json.loads(call("show", str(finished), "--json", cwd=finished).stdout)
    return shown
