import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from netwright.errors import RunError
from netwright.stores.folders import find_run, list_runs, new_run_folder, write_text


def test_numbers_go_up_and_are_never_shared(tmp_path: Path) -> None:
    base = tmp_path / "runs"
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: new_run_folder(base, "digits"), range(40)))
    assert {folder.name for folder in made} == {f"digits-{i}" for i in range(1, 41)}
    (base / "digits-3").rmdir()
    (base / "digits-old").mkdir()
    assert new_run_folder(base, "digits").name == "digits-41"


@pytest.mark.parametrize(
    ("name", "made"), [("my photos/", "my-photos-1"), ("../etc", "etc-1"), ("", "run-1"), ("préçis", "préçis-1")]
)
def test_a_name_is_one_plain_folder(tmp_path: Path, name: str, made: str) -> None:
    assert new_run_folder(tmp_path, name) == tmp_path / made


def test_a_file_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("")
    with pytest.raises(RunError, match="no folder for the run can be made there"):
        new_run_folder(tmp_path / "runs", "digits")


def test_junk_is_passed_over(tmp_path: Path) -> None:
    assert list_runs(tmp_path / "none") == []
    for name in ("digits-10", "digits-2", "3-x", "empty", "odd"):
        (tmp_path / name).mkdir()
    for name in ("digits-10", "digits-2", "3-x"):
        (tmp_path / name / "run.db").touch()
    (tmp_path / "odd" / "run.db").mkdir()
    (tmp_path / "file").touch()
    os.symlink("loop", tmp_path / "loop")
    os.symlink("nowhere", tmp_path / "dangling")
    assert [run.name for run in list_runs(tmp_path)] == ["3-x", "digits-2", "digits-10"]
    assert find_run(tmp_path / "3-x") == tmp_path / "3-x"


def test_nothing_near(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RunError, match=r"no such folder. `netwright show` lists the runs"):
        find_run(tmp_path / "a" / "b")


def test_a_file_is_whole_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "splits.json"
    write_text(file, "old é")

    def fails(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fails)
    with pytest.raises(OSError):
        write_text(file, "new")
    assert file.read_text(encoding="utf-8") == "old é"
    assert [entry.name for entry in tmp_path.iterdir()] == ["splits.json"]
