"""``space from-model`` and ``space show``; classes of networks as spaces; what they say where something is wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file, save_file

from netwright import compose, example, models
from netwright.cli.main import main
from netwright.core.contracts import Site
from netwright.core.metrics import parse_objective
from netwright.core.objectives import Goal
from netwright.core.picks import enumerated, replayed, sample
from netwright.core.seeds import stream
from netwright.core.trial import Fidelity, Proposal
from netwright.errors import UserError
from netwright.estimators.train import Train
from netwright.layers.counts import count
from netwright.recipe import Recipe
from netwright.stores.memory import MemoryStore
from netwright.tasks.load import load

NETS = """
import torch
from torch import nn

from netwright.core.space import Choice


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.conv = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(width)

    def forward(self, x):
        return x + torch.relu(self.norm(self.conv(x)))


class Small(nn.Module):
    def __init__(self, width=16, depth=2, classes=10):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(1, width, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))
        self.blocks = nn.Sequential(*[Block(width) for _ in range(depth)])
        self.head = nn.Linear(width, classes)

    def forward(self, x):
        return self.head(self.blocks(self.stem(x)).mean((2, 3)))


class Chosen(Small):
    def __init__(self, classes: int, width: int = Choice(4, 8), depth: int = Choice(0, 1, 2)):
        super().__init__(width, depth, classes)


class Wanting(nn.Module):
    def __init__(self, colours, width=Choice(1, 2)):
        super().__init__()


class Plain(nn.Module):
    pass


class Branching(Small):
    def __init__(self, width=Choice(4, 8)):
        super().__init__(width)

    def forward(self, x):
        x = self.stem(x)
        while x.mean() < 1:
            x = x + 1
        return self.head(x.mean((2, 3)))


class Narrow(Small):
    def __init__(self, width=Choice(4, 8)):
        super().__init__(width, classes=3)


def made():
    return Small(8, 1)


NUMBER = 3
"""


@pytest.fixture
def nets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "nets.py"
    file.write_text(NETS, encoding="utf-8")
    return file


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert main([*arguments, "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def error(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(list(arguments)) == 2
    said = capsys.readouterr()
    assert not said.out
    assert said.err.count("\n") == 1
    return said.err


# ---- from-model -------------------------------------------------------------------------------------------------------


def test_it_writes_a_space_the_network_and_its_weights(nets: Path, capsys: pytest.CaptureFixture[str]) -> None:
    facts = told(capsys, "space", "from-model", "nets.py:Small", "--input", "1x8x8")
    assert facts["files"] == ["small_space.py", "small_space.json", "small_space.safetensors"]
    assert facts["params"] == 5002
    assert facts["layer_names"]["net.blocks.1.conv"] == "blocks.1.conv"
    space, signature = example.look("small_space.py:space", ["1x8x8"], 10)
    trace = json.loads(Path("small_space.json").read_text(encoding="utf-8"))["trace"]
    member = replayed(space, trace)
    assert count(member, signature).params == 5002
    tensors = load_file("small_space.safetensors")
    assert set(tensors) <= {f"{node.weights}/{name}" for node in member.nodes for name in ("weight", "bias")} | {
        f"net.blocks.{i}.norm/running_{what}" for i in range(2) for what in ("mean", "var")
    }
    other, signature = example.look("small_space.py:space", ["1x8x8"], 4)
    assert count(sample(other, stream(0, 0, "test")), signature).params > 0


def test_it_prints_how_to_go_on(nets: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["space", "from-model", "nets:made", "--input", "1x8x8", "--out", "sub/mine.py"]) == 0
    out = capsys.readouterr().out
    assert "netwright search DATA --space sub/mine.py:space --start-with sub/mine.json" in out
    assert {file.name for file in Path("sub").iterdir()} >= {"mine.py", "mine.json", "mine.safetensors"}
    import sys

    del sys.modules["nets"]


def test_trained_weights_are_taken_from_safetensors(nets: Path, capsys: pytest.CaptureFixture[str]) -> None:
    weights = {name: tensor + 1 for name, tensor in models.found("nets.py:Small")().state_dict().items()}
    save_file(weights, "trained.safetensors")
    told(capsys, "space", "from-model", "nets.py:Small", "--input", "1x8x8", "--weights", "trained.safetensors")
    kept = load_file("small_space.safetensors")["net.blocks.0.conv/weight"]
    assert (kept == weights["blocks.0.conv.weight"]).all()
    save_file({"head.bias": weights["head.bias"]}, "few.safetensors")
    said = error(capsys, "space", "from-model", "nets.py:Small", "--input", "1x8x8", "--weights", "few.safetensors")
    assert "few.safetensors: it lacks" in said
    said = error(capsys, "space", "from-model", "nets.py:Small", "--input", "1x8x8", "--weights", "nets.py")
    assert "nets.py: it cannot be read as safetensors" in said


def test_layers_are_chosen_by_name(nets: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call = ["space", "from-model", "nets.py:Small", "--input", "1x8x8"]
    assert set(told(capsys, *call, "--include", "blocks.*", "--exclude", "*.conv")["trace"]) == {
        "net.blocks.times",
        "net.blocks.0.relu",
        "net.blocks.1.relu",
    }
    assert "no layer is named like 'block'" in error(capsys, *call, "--include", "block")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nets.py:Smal", "--input", "1x8x8"], "nets.py: it has no 'Smal'. Did you mean 'Small'?"),
        (["no.py:Small", "--input", "1x8x8"], "no.py: no such file"),
        (["no.such:Small", "--input", "1x8x8"], "no.such:Small: no module 'no'"),
        (["Small", "--input", "1x8x8"], "'Small' names no network. Write module:Class, or file.py:Class."),
        (["nets.py:NUMBER", "--input", "1x8x8"], "nets.py:NUMBER: it is a int"),
        (["nets.py:Block", "--input", "1x8x8"], "Block: it cannot be made without arguments"),
        (["nets.py:Small", "--input", "1by8"], "input '1by8' is no shape"),
        (["nets.py:Small", "--input", "3x8x8"], "it fails on inputs of shape 3×8×8"),
    ],
)
def test_what_is_wrong_is_one_line(nets: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], says: str) -> None:
    assert says in error(capsys, "space", "from-model", *arguments)


def test_a_file_that_fails_is_one_line(nets: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("bad.py").write_text("import math\n\nx = 1 / 0\n", encoding="utf-8")
    said = error(capsys, "space", "from-model", "bad.py:Small", "--input", "1x8x8")
    assert "bad.py, line 3: it cannot be run: ZeroDivisionError: division by zero" in said
    Path("worse.py").write_text("x = = 1\n", encoding="utf-8")
    assert "worse.py, line 1: it cannot be run: SyntaxError" in error(capsys, "space", "show", "worse.py:x")


# ---- starting from the weights ------------------------------------------------------------------------------------------


def test_trials_start_from_the_weights(nets: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told(capsys, "space", "from-model", "nets.py:Small", "--input", "1x8x8")
    task = load("digits")
    space, _ = compose.build_space(Recipe(space="small_space.py:space"), task.signature)
    member = replayed(space, json.loads(Path("small_space.json").read_text(encoding="utf-8"))["trace"])
    site = Site(task, compose.build_device(Recipe()), MemoryStore(), Goal((parse_objective("accuracy"),), ()))
    kept = load_file("small_space.safetensors")["net.blocks.0.conv/weight"]

    def trained(start: str) -> Any:
        estimator = Train(start=start, rate=1e-9, weight_decay=0.0)
        (measured,) = estimator.estimate(Proposal(member, Fidelity(1, join_validation=True)), site)
        from safetensors.torch import load as read

        return read(site.vault.get(measured.checkpoint))["net.blocks.0.conv/weight"]

    assert (trained("small_space.safetensors") - kept).abs().max() < 1e-5
    assert (trained("") - kept).abs().max() > 1e-2
    with pytest.raises(UserError, match="no weights to start from"):
        Train(start="nets.py")


# ---- show -------------------------------------------------------------------------------------------------------------


def test_show_prints_the_expression(nets: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["space", "show", "chain", "--input", "1x8x8", "--outputs", "3"]) == 0
    out = capsys.readouterr().out
    assert 'width0 = Choice(4, 6, 8, 12, 16, 24, 32, 48, 64, name="width0")' in out
    assert 'op("linear", units=3)' in out
    assert told(capsys, "space", "show", "mlp", "--input", "9")["name"] == "mlp"
    assert "unknown space 'chian'. Did you mean 'chain'?" in error(capsys, "space", "show", "chian")


# ---- a class whose constructor takes choices ----------------------------------------------------------------------------


def test_a_class_of_networks_is_a_space(nets: Path, capsys: pytest.CaptureFixture[str]) -> None:
    space, signature = example.look("nets.py:Chosen", ["1x8x8"], 5)
    sizes = [count(member, signature).params for member in enumerated(space)]
    assert len(sizes) == 6
    assert sizes[0] == 4 * 9 + 4 + 4 * 5 + 5
    assert sizes[:3] == sorted(sizes[:3])
    fixed, _ = compose.build_space(Recipe(space="nets.py:Chosen", options={"space": {"width": 6}}), signature)
    assert len(list(enumerated(fixed))) == 3
    assert told(capsys, "space", "show", "nets.py:Chosen", "--input", "1x8x8")["name"] == "Chosen"


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("Wanting", "Wanting: its constructor wants 'colours', which nothing gives. Give it a default, or a Choice."),
        ("Plain", "Plain: no parameter of its constructor has a Choice as its default"),
        ("Branching", "(while x.mean() < 1:): what happens next depends on the numbers in a tensor"),
        ("Narrow", "its output has shape (3,), the task wants (10,)"),
        ("Nothing", "nets.py: it has no 'Nothing'"),
    ],
)
def test_what_is_wrong_with_a_class_is_one_line(nets: Path, capsys: pytest.CaptureFixture[str], name: str, says: str) -> None:
    assert says in error(capsys, "search", "digits", "--space", f"nets.py:{name}", "--budget", "1 trials")


def test_a_setting_that_it_has_not(nets: Path) -> None:
    with pytest.raises(UserError, match=r"Chosen has no setting 'widht'\. Did you mean 'width'\?"):
        compose.build_space(
            Recipe(space="nets.py:Chosen", options={"space": {"widht": 6}}), example.signature(frozenset(), ["1x8x8"])
        )
