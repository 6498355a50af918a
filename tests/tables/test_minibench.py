"""The table of our own: whole, as small and as sure as its page says, and what its script makes."""

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

from netwright.core.architecture import Signature
from netwright.core.picks import enumerated, replayed
from netwright.layers.canonical import canonical
from netwright.layers.counts import count
from netwright.spaces import minibench

parquet = pytest.importorskip("pyarrow.parquet")

ROOT = Path(__file__).parents[2]
PATH = ROOT / "netwright" / "tables" / "minibench.parquet"
TABLE = parquet.read_table(PATH)
TOLD = json.loads(TABLE.schema.metadata[b"netwright"])
SIGNATURE = Signature.from_json(TOLD["signature"])
SPACE = minibench.space(SIGNATURE)
KEYS = TABLE.select(TOLD["key"]).to_pylist()
CURVES = ("val_acc", "test_acc", "val_loss", "test_loss", "train_loss", "train_s")


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("minibench_script", ROOT / "benchmarks" / "minibench.py")
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = made
    spec.loader.exec_module(made)
    return made


def test_every_distinct_network_has_one_row():
    space = list(enumerated(SPACE))
    classes = {canonical(each) for each in space}
    rows = [replayed(SPACE, minibench.trace(key)) for key in KEYS]
    assert len(rows) == len({canonical(each) for each in rows}) == len(classes) >= 500
    assert len(space) == len(rows), "some trace of the space has no row"
    assert [minibench.row(each) for each in rows] == KEYS


def test_a_row_that_is_none():
    from netwright.errors import SpaceError

    with pytest.raises(SpaceError, match=r"'conv_9x9'.* is none of its networks"):
        minibench.trace({**KEYS[0], "second": "conv_9x9"})


def test_counts_are_those_of_the_networks():
    for place in range(0, len(KEYS), 7):
        counted = count(replayed(SPACE, minibench.trace(KEYS[place])), SIGNATURE)
        assert (counted.params, counted.flops) == (TABLE["params"][place].as_py(), TABLE["flops"][place].as_py())
    assert min(TABLE["latency_ms"].to_pylist()) > 0


def test_it_is_small_and_its_curves_are_whole(script):
    assert PATH.stat().st_size < 3_000_000
    seeds = {name.partition(".")[2] for name in TABLE.column_names if name.startswith("val_acc.")}
    assert seeds == {str(seed) for seed in range(script.SEEDS)}
    for name in CURVES:
        for seed in seeds:
            curves = TABLE[f"{name}.{seed}"].to_pylist()
            assert all(len(curve) == script.EPOCHS and all(value == value for value in curve) for curve in curves), (name, seed)
            if name.endswith("acc"):
                assert all(0 <= value <= 1 for curve in curves for value in curve)
            if name == "train_s":
                assert all(value > 0 for curve in curves for value in curve)


def test_the_networks_differ_by_more_than_the_noise(script):
    for name, figures in script.noise(PATH).items():
        assert figures["split-half"] >= 0.85, name
        assert figures["split-half, best tenth"] >= 0.5, name


def test_the_page_has_its_figures(script):
    page = (ROOT / "docs" / "tables" / "minibench.md").read_text(encoding="utf-8")
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in page.splitlines() if line.startswith("| ")]
    found = {row[0]: row[1:] for row in rows}
    told = script.noise(PATH)
    for what in next(iter(told.values())):
        assert found[what] == [f"{values[what]:.3f}" for values in told.values()], what


@pytest.mark.parametrize("place", [3, 260, 510])
def test_training_again_gives_the_row(script, place):
    """To the last digit on the machine that made it; elsewhere sums are taken in another order, and small differences grow."""
    import torch

    seed = place % script.SEEDS
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        again = script.trained(replayed(SPACE, minibench.trace(KEYS[place])), seed, script.digits())
    finally:
        torch.set_num_threads(threads)
    stored = {name: TABLE[f"{name}.{seed}"][place].as_py() for name in CURVES}
    assert again["train_loss"][0] == pytest.approx(stored["train_loss"][0], rel=1e-3)
    assert again["val_loss"][-1] == pytest.approx(stored["val_loss"][-1], rel=0.05)
    assert again["test_loss"][-1] == pytest.approx(stored["test_loss"][-1], rel=0.05)
    assert again["val_acc"][-1] == pytest.approx(stored["val_acc"][-1], abs=0.02)
    assert again["test_acc"][-1] == pytest.approx(stored["test_acc"][-1], abs=0.02)
