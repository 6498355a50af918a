"""Run folders: making one, listing them, finding one by name, and writing files that are whole or absent."""

from __future__ import annotations

import contextlib
import difflib
import os
import re
import tempfile
from pathlib import Path

from netwright.errors import RunError

__all__ = ["find_run", "list_runs", "new_run_folder", "write_bytes", "write_text"]


def new_run_folder(base: Path, name: str) -> Path:
    """Make ``base/name-1``, ``base/name-2`` … whichever is the first after those that exist. Two processes never share one."""
    plain = re.sub(r"[^\w.-]+", "-", name).strip("-.") or "run"
    try:
        base.mkdir(parents=True, exist_ok=True)
        taken = [re.fullmatch(rf"{re.escape(plain)}-(\d+)", entry.name) for entry in base.iterdir()]
        number = max((int(match[1]) for match in taken if match), default=0) + 1
        while True:
            folder = base / f"{plain}-{number}"
            with contextlib.suppress(FileExistsError):
                folder.mkdir()
                return folder
            number += 1
    except OSError as error:
        raise RunError(
            f"no folder for the run can be made there ({error.strerror})",
            where=str(base),
            todo="Choose another with --out.",
        ) from None


def list_runs(base: Path) -> list[Path]:
    """The run folders in ``base`` by name and number; whatever else lies there is passed over."""
    try:
        found = [entry for entry in base.iterdir() if _is_run(entry)]
    except OSError:
        return []
    return sorted(found, key=lambda run: [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in _parts(run.name)])


def find_run(folder: Path) -> Path:
    """The folder itself where it holds a run; else a :class:`RunError` with the name that may have been meant."""
    if _is_run(folder):
        return folder
    what = "no such folder" if not folder.exists() else "not a run: it holds no run.db"
    near = [*list_runs(folder.parent), *list_runs(Path("runs")), *list_runs(folder)]
    by_name = {run.name: run for run in reversed(near)}
    meant = difflib.get_close_matches(folder.name, list(by_name), n=1)
    if meant:
        todo = f"Did you mean {by_name[meant[0]]}?"
    else:
        known = [str(run) for run in dict.fromkeys(near)]
        more = f" and {len(known) - 5} more" if len(known) > 5 else ""
        todo = f"Runs: {', '.join(known[-5:])}{more}." if known else "`netwright show` lists the runs."
    raise RunError(what, where=str(folder), todo=todo)


def write_text(file: Path, text: str) -> None:
    """Write a file so that it is whole or not there, whatever happens."""
    write_bytes(file, text.encode())


def write_bytes(file: Path, blob: bytes) -> None:
    """As :func:`write_text`: into a neighbour first, to the disk, then renamed."""
    handle, name = tempfile.mkstemp(prefix=f".{file.name[:40]}-", dir=file.parent)
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(blob)
            out.flush()
            os.fsync(out.fileno())
        os.chmod(name, 0o644)
        os.replace(name, file)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise
    if os.name == "posix":  # The name itself must reach the disk too.
        folder = os.open(file.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _is_run(folder: Path) -> bool:
    try:
        return (folder / "run.db").is_file()
    except OSError:
        return False


def _parts(name: str) -> list[str]:
    return [part for part in re.split(r"(\d+)", name) if part]
