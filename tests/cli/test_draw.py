"""``draw``: runs, spaces, members and differences, to files and as JSON; what cannot be drawn is one line."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from netwright.cli.main import main
from netwright.core.architecture import Signature
from netwright.stores.sqlite import SqliteStore
from netwright.testing.sample_log import sample_log


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run(here: Path) -> str:
    folder = here / "runs" / "digits-1"
    folder.mkdir(parents=True)
    store = SqliteStore(folder, create=True)
    for event in sample_log(20):
        store.append(event)
    store.close()
    return "runs/digits-1"


def called(*words: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["draw", *words]) == 0
    return capsys.readouterr().out


def title(file: str) -> str:
    return ET.parse(file).getroot().attrib["aria-label"]


def test_a_space_a_member_and_a_difference(capsys: pytest.CaptureFixture[str]) -> None:
    assert called("nasbench201", capsys=capsys) == "nasbench201.svg\n"
    assert title("nasbench201.svg") == "Space nasbench201"
    told = json.loads(called("nasbench201", "--json", capsys=capsys))
    assert (told["kind"], told["size"], told["exact"]) == ("space", 15625, True)
    assert called("nasbench201", "--seed", "3", capsys=capsys) == "nasbench201-seed-3.svg\n"
    told = json.loads(called("nasbench201", "--seed", "3", "--against", "4", "--out", "d.svg", "--json", capsys=capsys))
    assert told["file"] == "d.svg"
    assert told["decisions"]
    assert all(change["path"].startswith("cell.") for change in told["decisions"])
    assert set(told["counts"]) == {"params", "flops", "peak_kib"}


def test_a_member_by_its_trace(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trace = {f"cell.{end}.{start}.op": 3 for end in range(3) for start in range(end + 1)}
    (here / "cell.json").write_text(json.dumps(trace))
    told = json.loads(called("nasbench201", "--trace", "cell.json", "--input", "3x16x16", "--json", capsys=capsys))
    (here / "whole.json").write_text(json.dumps({"trace": trace, "nodes": []}))
    again = json.loads(called("nasbench201", "--trace", "whole.json", "--input", "3x16x16", "--json", capsys=capsys))
    assert told["id"] == again["id"]
    assert told["counts"] == again["counts"]


def test_settings_and_shapes_reach_the_space(capsys: pytest.CaptureFixture[str]) -> None:
    small = json.loads(called("nasbench201", "--seed", "3", "--set", "space.cells=1", "--json", capsys=capsys))
    large = json.loads(called("nasbench201", "--seed", "3", "--outputs", "100", "--json", capsys=capsys))
    assert small["layers"] < large["layers"]
    called("chain", "--input", "2x10x12", "--seed", "0", "--out", "c.svg", capsys=capsys)
    assert "x · 2×10×12" in Path("c.svg").read_text()


def test_a_run(run: str, capsys: pytest.CaptureFixture[str]) -> None:
    best = json.loads(called(run, "--json", capsys=capsys))
    assert best["kind"] == "network"
    assert "winner" in best["name"]
    other = json.loads(called(run, "--trial", "1", "--json", capsys=capsys))
    assert other["file"] == "digits-1-trial-1.svg"
    told = json.loads(called(run, "--against", "1", "--json", capsys=capsys))
    assert (told["old"]["id"], told["new"]["id"]) == (best["id"], other["id"])
    same = json.loads(called(run, "--against", run, "--json", capsys=capsys))
    assert not same["decisions"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["chian"], "Did you mean 'chain'?"),
        (["chain", "--trial", "1"], "it is a space, which has no trials"),
        (["chain", "--against", "1"], "Choose a member of it"),
        (["chain", "--seed", "1", "--trace", "x.json"], "both --seed and --trace"),
        (["chain", "--trace", "x.json"], "x.json: cannot be read (No such file or directory)"),
        (["chain", "--input", "3x"], "is no shape"),
        (["chain", "--seed", "1", "--out", "none/x.svg"], "none/x.svg: cannot be written"),
        (["runs/none"], "no such folder"),
        (["runs/digits-1", "--seed", "1"], "it is a run"),
        (["runs/digits-1", "--trial", "99"], "it has no trial 99"),
        (["runs/digits-1", "--against", "nothing"], "nothing: cannot be read"),
    ],
)
def test_what_cannot_be_drawn_is_one_line(run: str, words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["draw", *words]) == 2
    told = capsys.readouterr()
    assert not told.out
    assert said in told.err
    assert len(told.err.strip().splitlines()) == 1


def test_a_trace_of_another_space_is_said(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "x.json").write_text('{"net.0.kernel": 77}')
    assert main(["draw", "chain", "--trace", "x.json"]) == 2
    assert "no fitting answer" in capsys.readouterr().err
    (here / "x.json").write_text("[1, 2")
    assert main(["draw", "chain", "--trace", "x.json"]) == 2
    assert "x.json: is not a trace" in capsys.readouterr().err


def test_networks_for_other_data_are_not_compared(run: str, here: Path) -> None:
    from netwright.drawing import _compared, _Network, _of_run, _of_space
    from netwright.errors import RecipeError
    from netwright.example import look

    space, signature = look("chain")
    first, other = _of_run(Path(run)), _of_space(space, signature, "1")
    assert isinstance(first, _Network)
    assert isinstance(signature, Signature)
    with pytest.raises(RecipeError, match="other inputs or outputs"):
        _compared(first, other)
