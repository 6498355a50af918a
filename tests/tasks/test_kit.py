"""Every kind of task passes the conformance kit."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.utils.data import Dataset, TensorDataset

from netwright.core.architecture import Signature, Tensor
from netwright.core.contracts import Task
from netwright.errors import SealError
from netwright.tasks.arrays import ArrayTask
from netwright.tasks.load import BUNDLED, load
from netwright.testing.task import check_facts, check_score, check_seal, check_task


@pytest.mark.parametrize("name", BUNDLED)
def test_bundled(name: str) -> None:
    check_task(lambda: load(name))


def test_arrays_as_images() -> None:
    x = np.random.default_rng(0).integers(0, 255, (60, 10, 12, 3), dtype=np.uint8)
    y = np.arange(60) % 3
    check_task(lambda: load((x, y)))
    task = load((torch.from_numpy(x), torch.from_numpy(y)))
    assert task.signature.input(-1).shape == (3, 10, 12)
    assert task.describe()["options"]["flip"] is True


def test_arrays_as_a_table_for_regression() -> None:
    x = np.random.default_rng(0).normal(size=(80, 4))
    check_task(lambda: load((x, x @ [1.0, 2.0, 3.0, 4.0])))


def test_a_pair_of_data_sets() -> None:
    class Squares(Dataset):
        def __init__(self, start: int) -> None:
            self.start = start

        def __len__(self) -> int:
            return 30

        def __getitem__(self, i: int):
            x = torch.zeros(1, 8, 8)
            x[0, i % 8, (self.start + i) % 8] = i + self.start
            return x, i % 2

    check_task(lambda: load((Squares(1), Squares(100))))
    assert load((Squares(1), Squares(100))).describe()["rows"] == {"train": 24, "validation": 6, "test": 30}
    assert load(Squares(1)).describe()["rows"] == {"train": 18, "validation": 6, "test": 6}


def test_tensor_data_set_is_taken_whole() -> None:
    x = torch.randn(50, 3)
    task = load(TensorDataset(x, (x[:, 0] > 0).long()))
    assert task.kind == "classification"
    assert task.signature.input(-1).shape == (3,)


class Own(Task):
    signature = Signature((("x", Tensor((2,))),), (("y", Tensor((2,))),))

    def metrics(self):
        return ["accuracy"]

    def batches(self, split, fidelity, seed=None):
        x = torch.randn(40, 2, generator=torch.Generator().manual_seed(len(split)))
        yield x, (x.sum(1) > 0).long()

    def loss(self, output, batch):
        return torch.nn.functional.cross_entropy(output, batch.y)

    def score(self, predict, split):
        ((x, y),) = self.batches(split, None)
        return {"accuracy": float((predict(x).argmax(1) == y).float().mean())}


def test_a_task_of_ones_own() -> None:
    task = load(Own())
    check_facts(task)
    check_seal(load(Own()))
    check_score(task)
    assert (task.name, task.kind, task.classes) == ("own", "classification", ("0", "1"))
    assert load(task) is task
    with pytest.raises(SealError):
        task.batches("test")


def test_the_kit_finds_a_leak() -> None:
    task = load("iris")
    assert isinstance(task, ArrayTask)

    def leaky() -> ArrayTask:
        parts = dict(task.parts)
        parts["test"] = parts["train"]
        return ArrayTask({k: v for k, v in task.facts.items() if k != "fingerprint"}, parts)

    with pytest.raises(AssertionError):
        check_task(leaky)


def test_the_kit_finds_an_open_test() -> None:
    task = load("iris")
    task.opened = True
    with pytest.raises(AssertionError, match="seal"):
        check_seal(task)
