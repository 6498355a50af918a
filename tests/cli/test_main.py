"""The command line as a process: what it imports, how it ends, what it writes where."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from netwright.cli import main as entry
from netwright.errors import RunError

ROOT = Path(entry.__file__).parents[2]


def netwright(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "100", **environment}
    return subprocess.run(
        [sys.executable, "-m", "netwright", *arguments], cwd=cwd, env=env, capture_output=True, text=True, timeout=120
    )


@pytest.mark.parametrize("arguments", [["--help"], ["search", "--help"], ["--version"]])
def test_help_imports_nothing_heavy(arguments: list[str], tmp_path: Path) -> None:
    code = (
        "import sys; from netwright.cli.main import main; assert main(sys.argv[1:]) == 0; "
        "heavy = {'torch', 'numpy', 'sqlalchemy', 'sklearn', 'netwright.api', 'netwright.search'} & set(sys.modules); "
        "sys.exit(f'imported: {heavy}' if heavy else 0)"
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr


def test_every_command_has_an_example(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("search", "resume", "show", "export", "report", "predict", "list", "doctor"):
        assert entry.main([command, "--help"]) == 0
        told = capsys.readouterr().out
        assert "Examples" in told
        assert f"\n  netwright {command}" in told


def test_nothing_is_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert entry.main([]) == 0
    assert "Commands" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["search"], "DATA"),
        (["serch", "digits"], "search"),
        (["search", "digits", "--unknown"], "--unknown"),
        (["search", "digits", "--seed", "abc"], "--seed"),
        (["search", "digits", "--seed=-1"], "seed -1"),
        (["search", "digits", "--budget=-5s"], "not positive"),
        (["search", "digits", "--budget", "90"], "no unit"),
        (["search", "digits", "--limit", "latency<=2"], "'latency_ms'"),
        (["search", "digits", "--maximize", "log_loss"], "--minimize log_loss"),
        (["search", "digits", "--set", "strat.x=1"], "'strategy'"),
        (["search", "digits", "--strategy", "evolutoin"], "Did you mean 'evolution'"),
        (["search", "digits", "--space", "chian"], "Did you mean 'chain'"),
        (["search", "absent.toml"], "absent.toml"),
        (["resume", "runs/absent"], "runs/absent"),
        (["resume", "runs/absent", "--budget", "5x"], "5x"),
        (["show", "absent"], "absent"),
        (["export", "absent"], "absent"),
        (["report", "absent"], "absent"),
        (["predict", "absent", "x.png"], "absent"),
        (["list", "strategy"], "Did you mean 'strategies'"),
    ],
)
def test_bad_input_is_one_line_and_2(
    arguments: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert entry.main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert said in err
    assert not list(tmp_path.iterdir())


def test_a_bug_is_one_line_and_1(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("by [red]zero[/red]\nand more")

    monkeypatch.setattr("netwright.cli.listing.show", broken)
    assert entry.main(["list"]) == 1
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "ZeroDivisionError: by [red]zero[/red]" in err
    assert "--debug" in err
    with pytest.raises(ZeroDivisionError):
        entry.main(["list", "--debug"])


def test_errors_end_with_their_own_code(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def broken(*_: object) -> None:
        raise RunError("it is\ndamaged", where="runs/[x]-1", todo="Copy it.")

    monkeypatch.setattr("netwright.cli.listing.show", broken)
    assert entry.main(["list"]) == 2
    assert capsys.readouterr().err == "error: runs/[x]-1: it is damaged. Copy it.\n"


def test_json_is_alone_on_standard_output(tmp_path: Path) -> None:
    done = netwright("list", "metrics", "--json", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "latency_ms" in json.loads(done.stdout)["metrics"]
    done = netwright("show", "absent", "--json", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: absent")


def test_a_closed_pipe_is_no_traceback(tmp_path: Path) -> None:
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    call = f"'{sys.executable}' -m netwright list | head -1"
    done = subprocess.run(call, shell=True, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60)
    assert done.stdout.startswith("strategies")
    assert done.stderr == ""


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert entry.main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("netwright")


def test_completion_knows_the_parts(tmp_path: Path) -> None:
    told = {"_NETWRIGHT_COMPLETE": "complete_bash", "COMP_WORDS": "netwright search digits --strategy ev", "COMP_CWORD": "4"}
    assert netwright(cwd=tmp_path, **told).stdout.split() == ["evolution"]


def test_the_budget_begins_with_the_process() -> None:
    code = "import time; at = time.time(); time.sleep(0.3); from netwright.cli.main import _began; print(at - _began())"
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=60
    )
    if Path("/proc/self/stat").exists():
        assert -0.05 < float(done.stdout) < 10
