"""The text of ``model.py``: it stands alone, computes the same, and reads as a person would have written it."""

import ast
import subprocess
import sys

import pytest
import torch

from netwright.core.architecture import Architecture, Node, Signature, Tensor
from netwright.nets.source import source_names, source_tensors, to_source
from netwright.testing import layers as kit
from netwright.testing.architectures import random_architecture

torch.set_num_threads(1)


def node(op, source, weights="", **attrs):
    sources = source if isinstance(source, tuple) else (source,)
    return Node(op, sources, tuple(sorted(attrs.items())), weights)


RESIDUAL = Architecture(
    (
        node("normalize", -1, "front.0", mean=(0.5,), std=(0.25,)),
        node("conv", 0, "net.0", width=8),
        node("activation", 1, kind="relu"),
        node("conv", 2, "net.1", groups=0),
        node("batch_norm", 3, "net.2"),
        node("identity", 2, "net.3"),
        node("sum", (4, 5)),
        node("max_pool", 6),
        node("flatten", 7),
        node("linear", 8, "net.4", units=10),
    ),
    (9,),
)
IMAGES = Signature((("x", Tensor((1, 8, 8))),), (("y", Tensor((10,))),))
BODY = """
class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.normalize1 = Normalize((0.5,), (0.25,), 3)
        self.conv1 = nn.Conv2d(1, 8, 3, padding=1, bias=False)
        self.depthwise1 = nn.Conv2d(8, 8, 3, padding=1, groups=8, bias=False)
        self.norm1 = nn.BatchNorm2d(8)
        self.linear1 = nn.Linear(128, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.normalize1(x)
        x = self.conv1(x)  # 8 × 8 × 8
        x = F.relu(x)
        a = self.depthwise1(x)
        a = self.norm1(a)
        a = a + x
        a = F.max_pool2d(a, 2, 2)  # 8 × 4 × 4
        a = a.flatten(1)  # 128
        a = self.linear1(a)  # 10
        return a
"""


def imported(text):
    """Top-level modules that a program imports."""
    found = [n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Import | ast.ImportFrom)]
    return {(n.module if isinstance(n, ast.ImportFrom) else n.names[0].name).split(".")[0] for n in found}


@pytest.mark.parametrize("number", range(40))
def test_random_architectures_compute_the_same(number, tmp_path):
    text = kit.check_source(*random_architecture(number), tmp_path)
    assert imported(text) == {"__future__", "json", "pathlib", "torch"}


def test_it_reads_well():
    assert BODY in to_source(RESIDUAL, IMAGES, title="A network for digits.")


@pytest.fixture(scope="module")
def texts(tmp_path_factory):
    """One text for each layer, some random ones, and one with much to wrap."""
    folder = tmp_path_factory.mktemp("texts")
    columns = (*(("number", 0.123456789, 12.3456789, 1.23456789, i % 2) for i in range(30)), ("category", 12))
    many = (node("encode", -1, "front.0", columns=columns), *(node("linear", 0, f"net.{i}", units=3) for i in range(30)))
    wide = Architecture((*many, node("concat", tuple(range(1, 31))), node("sum", (31, 31, 31, 31))), (32,))
    colours = tuple(0.1 * i for i in range(1, 13))
    deep = Architecture((node("normalize", -1, "front.0", mean=colours, std=colours), node("identity", 0)), (1,))
    table = Signature((("x", Tensor((31,))),), (("y", Tensor((90,))),))
    laid = [kit.laid(case) for case in kit.CASES] + [random_architecture(number) for number in range(10)]
    laid += [(wide, table), (deep, Signature((("x", Tensor((12, 8, 8))),), (("y", Tensor((12, 8, 8))),)))]
    for number, (architecture, signature) in enumerate(laid):
        (folder / f"model{number}.py").write_text(to_source(architecture, signature, title='A "quoted" """title""" \\ of it.'))
    return folder


@pytest.mark.parametrize("command", [["format", "--diff"], ["check", "--select", "E,F,I,UP,B"]])
def test_it_is_formatted(command, texts):
    pytest.importorskip("ruff")
    run = [sys.executable, "-m", "ruff", *command, "--isolated", "--line-length", "110", str(texts)]
    done = subprocess.run(run, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_names_are_unique_and_follow_the_tensors():
    names = source_names(RESIDUAL)
    assert len(set(names.values())) == len(names)
    tensors = {"net.0/weight": 1, "net.2/running_mean": 2, "front.0/std": 3}
    expected = {"conv1.weight": 1, "norm1.running_mean": 2, "normalize1.std": 3}
    assert source_tensors(RESIDUAL, tensors) == expected


def test_shared_weights_are_one_module(tmp_path):
    twice = Architecture((node("linear", -1, "w", units=4), node("linear", 0, "w", units=4)), (1,))
    signature = Signature((("x", Tensor((4,))),), (("y", Tensor((4,))),))
    text = kit.check_source(twice, signature, tmp_path)
    assert text.count("nn.Linear") == 1
    assert text.count("self.linear1(x)") == 2
