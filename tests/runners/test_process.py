import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from netwright.core.contracts import Job, Runner
from netwright.errors import WorkerError
from netwright.runners.local import memory_share
from netwright.runners.process import ProcessRunner
from netwright.testing.runner import IsolatedRunnerKit, collected, outcome

TOYS = "netwright.testing.toys:workshop"


class TestProcessRunner(IsolatedRunnerKit):
    def make(self, setup: str, workers: int) -> Runner:
        return ProcessRunner(setup, {"greeting": "hello"}, workers, memory_gib=1.0)


@pytest.fixture
def runner() -> Iterator[ProcessRunner]:
    made = ProcessRunner(TOYS, {}, 1, memory_gib=0.75)
    yield made
    made.close()


def pids(runner: ProcessRunner) -> list[int]:
    return [slot.worker.process.pid for slot in runner._slots if slot.worker is not None]


@pytest.mark.parametrize("do", ["allocate", "tensor"])
def test_memory_is_limited(runner: ProcessRunner, do: str) -> None:
    last = outcome(runner, do=do, gib=1.5)[-1]
    assert (last.kind, last.reason) == ("failed", "out of memory (limit 0.75 GiB)")
    assert "rror" in last.body["traceback"]
    assert outcome(runner, do=do, gib=0.125)[-1].kind == "finished"


def test_a_library_that_aborts_for_memory_is_a_failure(runner: ProcessRunner) -> None:
    last = outcome(runner, do="crash", signal=int(signal.SIGABRT), say="terminate called after throwing 'std::bad_alloc'")[-1]
    assert (last.kind, last.reason) == ("failed", "out of memory (limit 0.75 GiB)")


def test_the_kernel_short_of_memory_is_named(runner: ProcessRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    counts = iter([3, 4])
    monkeypatch.setattr("netwright.runners.local._kernel_kills", lambda: next(counts))
    last = outcome(runner, do="crash")[-1]
    assert (last.kind, last.reason) == ("failed", "out of memory (limit 0.75 GiB)")


def test_what_a_dying_worker_wrote_comes_along(runner: ProcessRunner, capfd: pytest.CaptureFixture[str]) -> None:
    last = outcome(runner, do="crash", signal=int(signal.SIGSEGV))[-1]
    assert last.reason == "worker killed by signal 11 (SIGSEGV)"
    assert last.body["stderr"].startswith("about to crash")
    assert "in _crash" in last.body["stderr"]
    assert "about to crash" not in "".join(capfd.readouterr())


def test_workers_are_kept_and_single_threaded(runner: ProcessRunner) -> None:
    first, second = (outcome(runner, do="tensor", gib=0.0625)[-1].body for _ in range(2))
    assert first["threads"] == second["threads"] == 1
    one = outcome(runner, do="count")[-1].body["pid"]
    assert one == outcome(runner, do="count")[-1].body["pid"] != os.getpid()


def test_an_idle_worker_that_died_is_replaced(runner: ProcessRunner) -> None:
    outcome(runner, do="count")
    (pid,) = pids(runner)
    os.kill(pid, signal.SIGKILL)
    assert outcome(runner, do="count")[-1].kind == "finished"
    assert pids(runner) != [pid]


def test_nothing_is_left_after_closing(runner: ProcessRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    runner.submit(Job("a", "trial", {"do": "hang"}))
    runner.arrivals(30)
    (pid,) = pids(runner)
    assert list(tmp_path.iterdir()) == []
    start = time.monotonic()
    runner.close()
    assert time.monotonic() - start < 2
    assert not psutil.pid_exists(pid)


def test_busy_counts_the_slots_at_work() -> None:
    runner = ProcessRunner(TOYS, {}, 2, memory_gib=1.0)
    assert runner.slots() == 2
    assert runner.busy() == 0
    assert list(runner.arrivals(5)) == []
    for key in "abc":
        runner.submit(Job(key, "trial", {"do": "count", "n": 1, "pause_s": 0.05}))
    assert runner.busy() == 2
    collected(runner, ends=3)
    assert runner.busy() == 0
    runner.close()


def test_memory_is_shared_out() -> None:
    assert memory_share(4) == pytest.approx(memory_share(1) / 4, rel=0.1) or memory_share(4) == 0.25
    with pytest.raises(WorkerError, match="0 workers"):
        ProcessRunner(TOYS, {}, 0)


# A script without a main guard, as people write them; it starts a worker that hangs and tells its pid.
SCRIPT = """
import sys, time
from netwright.core.contracts import Job
from netwright.runners.process import ProcessRunner
print("script", flush=True)
runner = ProcessRunner("netwright.testing.toys:workshop", {}, 1, memory_gib=1.0, preload=())
runner.submit(Job("a", "trial", {"do": "hang"}))
runner.arrivals(30)
try:
    print(runner._slots[0].worker.process.pid, flush=True)
    while True:
        assert not list(runner.arrivals(1.0)), "the worker died first"
except KeyboardInterrupt:
    print("interrupted", runner.busy(), flush=True)
    runner.close()
"""


@pytest.fixture
def script(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    (tmp_path / "script.py").write_text(SCRIPT)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    command = [sys.executable, str(tmp_path / "script.py")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True, env=environment) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "script\n"
        yield process, int(process.stdout.readline())  # Were the script run again by the worker, it would print twice.
        process.kill()


def gone(pid: int, within_s: float) -> bool:
    """Whether a process ends in time; one that nobody has buried yet is gone too."""
    try:
        psutil.Process(pid).wait(within_s)
    except psutil.NoSuchProcess:
        return True
    except psutil.TimeoutExpired:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    return True


def test_ctrl_c_reaches_the_search_and_not_its_workers(script: tuple[subprocess.Popen[str], int]) -> None:
    process, pid = script
    start = time.monotonic()
    os.killpg(process.pid, signal.SIGINT)
    assert process.communicate(timeout=10)[0] == "interrupted 1\n"
    assert process.returncode == 0
    assert time.monotonic() - start < 2
    assert gone(pid, 0.5)


def test_a_worker_dies_with_the_search(script: tuple[subprocess.Popen[str], int]) -> None:
    process, pid = script
    assert psutil.pid_exists(pid)
    process.kill()
    assert gone(pid, 2.0)


INTERRUPTED = """
import os, signal, time
from netwright.core.contracts import Job
from netwright.runners.process import ProcessRunner
runner = ProcessRunner("netwright.testing.toys:workshop", {}, 1, memory_gib=1.0)
runner.prestart()
try:
    time.sleep(0.3)  # The server is busy importing torch.
    os.killpg(0, signal.SIGINT)
    time.sleep(5)
except KeyboardInterrupt:
    runner.submit(Job("a", "trial", {"do": "count", "n": 1}))
    print([arrival.kind for _ in range(2) for arrival in runner.arrivals(30)], flush=True)
    runner.close()
"""


def test_ctrl_c_while_the_imports_are_done_breaks_nothing() -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    command = [sys.executable, "-c", INTERRUPTED]
    done = subprocess.run(command, capture_output=True, text=True, start_new_session=True, env=environment, check=False)
    assert done.stderr == ""
    assert done.stdout.startswith("['measured'")
