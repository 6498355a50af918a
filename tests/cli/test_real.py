"""Real searches as a person starts them: a few trials to the end, and Ctrl-C in a terminal, then resumed."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from netwright.cli import main as entry

ROOT = Path(entry.__file__).parents[2]
QUICK = ["--set", "estimator.epochs=1", "--set", "estimator.final_epochs=1", "--workers", "1"]

pytestmark = pytest.mark.slow


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "100", "LINES": "40", "TERM": "xterm"}


def netwright(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    call = [sys.executable, "-m", "netwright", *arguments]
    return subprocess.run(call, cwd=cwd, env=environment(), capture_output=True, text=True, timeout=280)


class Terminal:
    """A process in a terminal of its own, so that Ctrl-C is the key."""

    def __init__(self, *arguments: str, cwd: Path) -> None:
        self.seen = ""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(cwd)
            os.execve(sys.executable, [sys.executable, "-m", "netwright", *arguments], environment())

    def until(self, pattern: str, within_s: float = 120.0) -> None:
        end = time.monotonic() + within_s
        while not re.search(pattern, self.seen):
            assert time.monotonic() < end, self.seen[-3000:]
            if select.select([self.fd], [], [], 0.2)[0]:
                try:
                    self.seen += os.read(self.fd, 65536).decode(errors="replace")
                except OSError:
                    assert re.search(pattern, self.seen), self.seen[-3000:]

    def press(self, key: bytes) -> None:
        os.write(self.fd, key)

    def ended(self) -> int:
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def test_a_search_and_what_comes_after_it(tmp_path: Path) -> None:
    from PIL import Image
    from sklearn.datasets import load_digits

    done = netwright("search", "digits", "--budget", "2 trials", "--json", *QUICK, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert json.loads(done.stdout)["state"] == "finished"
    assert "finished" in netwright("show", cwd=tmp_path).stdout
    told = json.loads(netwright("show", "runs/digits-1", "--json", cwd=tmp_path).stdout)
    assert told["spent"]["trials"] == 2
    assert told["test"]["score"] in told["control"]["winner"]["scores"]
    Image.fromarray(load_digits().images[0].astype("uint8")).save(tmp_path / "zero.png")
    done = netwright("predict", "runs/digits-1", "zero.png", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(done.stdout)
    assert row["prediction"] in row["probabilities"]
    assert sum(row["probabilities"].values()) == pytest.approx(1)
    assert netwright("report", "runs/digits-1", cwd=tmp_path).stdout == "runs/digits-1/report.html\n"
    again = netwright("resume", "runs/digits-1", cwd=tmp_path)
    assert (again.returncode, again.stdout) == (2, "")
    more = netwright("resume", "runs/digits-1", "--budget", "+1 trials", "--quiet", cwd=tmp_path)
    assert more.returncode == 0, more.stderr
    assert more.stdout.count("\n") == 1
    assert json.loads(netwright("show", "runs/digits-1", "--json", cwd=tmp_path).stdout)["spent"]["trials"] == 3


def test_ctrl_c_ends_within_two_seconds_and_the_run_goes_on(tmp_path: Path) -> None:
    terminal = Terminal("search", "digits", "--budget", "200 trials", *QUICK, cwd=tmp_path)
    terminal.until(r"[1-9]\d* trials?, 1 running")
    pressed = time.monotonic()
    terminal.press(b"\x03")
    time.sleep(0.05)
    terminal.press(b"\x03")  # an impatient person
    terminal.until(r"Stopped\. Go on with: netwright resume runs/digits-1")
    assert terminal.ended() == 130
    assert time.monotonic() - pressed < 4  # two, on a machine that is not busy with tests
    assert "Traceback" not in terminal.seen
    assert "runs/digits-1" in netwright("show", cwd=tmp_path).stdout
    known = json.loads(netwright("show", "runs/digits-1", "--json", cwd=tmp_path).stdout)
    assert known["state"] == "interrupted"
    assert known["spent"]["trials"] >= 1


def test_a_request_to_end_is_heard(tmp_path: Path) -> None:
    call = [sys.executable, "-m", "netwright", "search", "digits", "--budget", "200 trials", "--out", "mine", *QUICK]
    with subprocess.Popen(
        call, cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        for line in process.stdout:
            if line.startswith("best so far"):
                break
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 128 + signal.SIGTERM
        assert process.stderr.read() == "Stopped. Go on with: netwright resume mine\n"
