import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from netwright.errors import RunError
from netwright.stores.lock import RunLock, held

HOLD = "import sys, time; from pathlib import Path; from netwright.stores.lock import RunLock\n"
HOLD += "lock = RunLock(Path(sys.argv[1])); print('held', flush=True); time.sleep(60)"


def test_one_holder_at_a_time(tmp_path: Path) -> None:
    with (
        RunLock(tmp_path),
        pytest.raises(RunError, match=f"the run is in use by process {os.getpid()} on .*Wait for it, or stop it"),
    ):
        RunLock(tmp_path)
    with RunLock(tmp_path):
        assert held(tmp_path)
    assert not held(tmp_path)
    assert not held(tmp_path / "no")


def test_kill_9_releases_it(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(RunError, match=f"process {holder.pid}"):
            RunLock(tmp_path)
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    RunLock(tmp_path).release()


def test_junk_in_the_file_does_not_matter(tmp_path: Path) -> None:
    (tmp_path / "lock").write_bytes(os.urandom(100))
    with RunLock(tmp_path):
        (tmp_path / "lock").write_bytes(b"[]")
        with pytest.raises(RunError, match="in use by another process"):
            RunLock(tmp_path)


def test_a_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="cannot be written"):
        RunLock(tmp_path / "no")
