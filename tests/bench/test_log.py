"""What a bench keeps of its searches survives whatever ends it, and belongs to one problem."""

from __future__ import annotations

from pathlib import Path

import pytest

from netwright.bench.log import Log
from netwright.bench.plan import Budget, Plan
from netwright.bench.play import Played
from netwright.errors import RunError

PLAN = Plan("t", ("a", "b"), budget=Budget(9))


def search(strategy: str, seed: int) -> Played:
    return Played(strategy, seed, [1, 2], [5, 6], [[0.5], None], [9, None], [1.0, 2.0], [0.25, 0.5], 2, 0.1, "budget")


def kept(folder: Path, plan: Plan = PLAN) -> dict[tuple[str, int], Played]:
    log = Log(folder, plan, "f")
    log.close()
    return log.done


def filled(folder: Path) -> Path:
    log = Log(folder, PLAN, "f")
    for seed in range(3):
        log.add(search("a", seed))
    log.close()
    return folder / "searches.jsonl"


def test_what_was_kept_is_read_again(tmp_path: Path) -> None:
    filled(tmp_path)
    assert kept(tmp_path) == {("a", seed): search("a", seed) for seed in range(3)}


@pytest.mark.parametrize("cut", [1, 20, 60])
def test_a_line_that_was_broken_off_counts_for_nothing(tmp_path: Path, cut: int) -> None:
    path = filled(tmp_path)
    path.write_bytes(path.read_bytes()[:-cut])
    log = Log(tmp_path, PLAN, "f")
    assert set(log.done) == {("a", 0), ("a", 1)}
    log.add(search("a", 2))
    log.close()
    assert set(kept(tmp_path)) == {("a", seed) for seed in range(3)}, "what is added stands on a line of its own"


def test_a_first_line_that_was_broken_off_begins_anew(tmp_path: Path) -> None:
    (tmp_path / "searches.jsonl").write_text('{"problem": {"tab')
    log = Log(tmp_path, PLAN, "f")
    log.add(search("b", 1))
    log.close()
    assert set(kept(tmp_path)) == {("b", 1)}


def test_another_problem_is_refused_and_more_seeds_are_not(tmp_path: Path) -> None:
    filled(tmp_path)
    kept(tmp_path, Plan("t", ("c",), budget=Budget(9), seeds=50, first=7))
    for other, told in (
        (Plan("u", ("a",), budget=Budget(9)), "has table t, not u"),
        (Plan("t", ("a",), budget=Budget(10)), "has budget 9 queries, not 10 queries"),
        (Plan("t", ("a",), ("x",), budget=Budget(9)), "has objectives none, not x"),
        (Plan("t", ("a",), distinct="x", budget=Budget(9)), "has distinct none, not x"),
    ):
        with pytest.raises(RunError, match=told):
            Log(tmp_path, other, "f")
    assert len(kept(tmp_path)) == 3, "it is as it was"


def test_a_folder_with_other_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("x")
    with pytest.raises(RunError, match="holds other files"):
        Log(tmp_path, PLAN, "f")
    (tmp_path / "of").mkdir()
    (tmp_path / "of" / "searches.jsonl").write_text('{"strategy": "a"}\n')
    with pytest.raises(RunError, match="holds no bench"):
        Log(tmp_path / "of", PLAN, "f")


@pytest.mark.parametrize(
    "damage", ["garbage", "{}", '{"strategy": "a", "seed": 1, "query": [1, 2], "row": [5]}', "[1, 2]", "\x00"]
)
def test_a_line_that_cannot_be_read_costs_that_search_alone(tmp_path: Path, damage: str) -> None:
    path = filled(tmp_path)
    lines = path.read_text().splitlines()
    lines[2] = damage
    path.write_text("\n".join(lines) + "\n")
    log = Log(tmp_path, PLAN, "f")
    assert (set(log.done), log.unread) == ({("a", 0), ("a", 2)}, 1)
    log.add(search("a", 1))
    log.close()
    assert set(kept(tmp_path)) == {("a", seed) for seed in range(3)}


def test_a_table_that_has_changed_is_refused(tmp_path: Path) -> None:
    filled(tmp_path)
    with pytest.raises(RunError, match="the table has changed since its bench began"):
        Log(tmp_path, PLAN, "another")


@pytest.mark.parametrize("content", [b"my own notes", b"my own notes\n", b"\xff\xfe\x00\n", b"[]\n"])
def test_what_is_no_bench_is_left_as_it_is(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "searches.jsonl"
    path.write_bytes(content)
    with pytest.raises(RunError, match="holds no bench"):
        Log(tmp_path, PLAN, "f")
    assert path.read_bytes() == content
    assert [entry.name for entry in tmp_path.iterdir()] == ["searches.jsonl"], "not even a lock is left"


def test_a_full_disk_is_said_in_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = Log(tmp_path, PLAN, "f")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(RunError, match="No space left on device"):
        log.add(search("a", 0))
    log.close()
