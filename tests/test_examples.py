"""Every script in ``examples/`` runs to its end, without a warning."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))

QUICKLY = """
import runpy, sys
import netwright

def search(*given, options={}, search=netwright.search, **named):
    least = {"estimator": {"epochs": 1, "final_epochs": 1}, "control": dict(finalists=1, randoms=1, seeds=1, references=False)}
    return search(*given, options={**options, **least}, **named)

netwright.search = search
runpy.run_path(sys.argv[0], run_name="__main__")
"""
"""As the script is, but with one epoch wherever something is trained, and the least of everything after the search."""


@pytest.mark.parametrize("script", EXAMPLES, ids=lambda path: path.stem)
def test_it_runs(script: Path, tmp_path: Path) -> None:
    code = f"import sys; sys.argv = [{str(script)!r}, '2 trials']\n{QUICKLY}"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert done.stdout
    (run,) = (tmp_path / "runs").iterdir()
    assert (run / "report.html").is_file()
    assert (run / "model" / "model.onnx").is_file()


@pytest.mark.parametrize("script", EXAMPLES, ids=lambda path: path.stem)
def test_it_says_what_it_is_and_how_to_run_it(script: Path) -> None:
    text = script.read_text(encoding="utf-8")
    assert text.startswith('"""')
    assert f"python examples/{script.name} [BUDGET]" in text
