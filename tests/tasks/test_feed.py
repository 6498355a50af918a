"""Feeding: what a batch holds, and that it costs next to nothing."""

from __future__ import annotations

import time

import numpy as np
import pytest
import torch

from netwright.core.trial import Fidelity
from netwright.errors import DataError
from netwright.tasks import feed
from netwright.tasks.load import load


def images(n: int, channels: int = 1, side: int = 8) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    return rng.integers(1, 200, (n, channels, side, side), dtype=np.uint8), np.arange(n) % 2


@pytest.mark.parametrize("in_memory", [feed.IN_MEMORY, 0])
def test_shift_and_flip_are_what_they_say(monkeypatch: pytest.MonkeyPatch, in_memory: int) -> None:
    monkeypatch.setattr(feed, "IN_MEMORY", in_memory)
    x, y = images(40, 3)
    task = load((x, y), options={"shift": 2, "flip": True, "batch": 7})
    spec = task.describe()["image"]
    mean, std = (torch.tensor(spec[k]).view(3, 1, 1) for k in ("mean", "std"))
    fill = torch.tensor(spec["fill"]).view(3, 1, 1).expand(3, 12, 12)
    raw = torch.from_numpy(task.rows("train")[0])
    known: dict[bytes, int] = {}
    for i, image in enumerate(raw):
        wide = fill.clone()
        wide[:, 2:10, 2:10] = image
        for down in range(5):
            for right in range(5):
                piece = wide[:, down : down + 8, right : right + 8]
                known[piece.contiguous().numpy().tobytes()] = i
                known[piece.flip(2).contiguous().numpy().tobytes()] = i
    seen: list[int] = []
    for batch in task.batches("train", Fidelity(), 4):
        assert batch.x.is_contiguous(memory_format=torch.channels_last)
        back = (batch.x * std + mean).round()
        for image, label in zip(back, batch.y, strict=True):
            i = known[image.contiguous().numpy().tobytes()]
            assert int(label) == task.rows("train")[1][i]
            seen.append(i)
    assert sorted(seen) == list(range(len(raw)))
    plain = torch.cat([b.x for b in task.batches("validation")])
    torch.testing.assert_close(plain * std + mean, torch.from_numpy(task.rows("validation")[0]))


def test_shifts_are_drawn_evenly() -> None:
    x = np.zeros((300, 1, 8, 8), dtype=np.uint8)
    x[:, 0, 4, 4] = 100
    x[:, 0, 3, 3] = np.arange(300) % 256
    x[:, 0, 3, 4] = np.arange(300) // 256
    task = load((x, np.arange(300) % 2), options={"shift": 1})
    places = [int(image.flatten().argmax()) for b in task.batches("train", Fidelity(), 0) for image in b.x]
    assert len(set(places)) >= 9


@pytest.mark.parametrize(
    ("rows", "batch", "sizes"), [(65, 64, [65]), (66, 64, [64, 2]), (128, 64, [64, 64]), (30, 64, [30]), (129, 64, [64, 65])]
)
def test_never_a_batch_of_one(rows: int, batch: int, sizes: list[int]) -> None:
    store = feed.Store(torch.zeros(rows, 3), torch.arange(rows), 0, False, None)
    found = list(store.epoch(torch.arange(rows), batch, 0))
    assert [len(y) for _, y in found] == sizes
    assert sorted(torch.cat([y for _, y in found]).tolist()) == list(range(rows))


def test_seeds_order() -> None:
    task = load("iris")
    one, two, three = (torch.cat([b.x for b in task.batches("train", Fidelity(), seed)]) for seed in (1, 1, 2))
    assert torch.equal(one, two)
    assert not torch.equal(one, three)


def test_a_share_of_the_rows_is_fixed_nested_and_fair() -> None:
    task = load("digits")

    def rows(data: float, **more: bool) -> list[int]:
        found = [b.y for b in task.batches("train", Fidelity(1, data, **more), 0)]
        return torch.cat(found).tolist()

    tenth = rows(0.1)
    assert len(tenth) == round(0.1 * task.describe()["rows"]["train"])
    assert all(8 <= tenth.count(k) <= 14 for k in range(10))
    chosen = [set(task._chosen(Fidelity(1, share)).tolist()) for share in (0.1, 0.3)]
    assert chosen[0] < chosen[1]
    told = task.describe()["rows"]
    assert len(rows(1.0, join_validation=True)) == told["train"] + told["validation"]


def test_only_train_rows_are_shuffled() -> None:
    with pytest.raises(DataError, match="never shuffled"):
        load("iris").batches("validation", Fidelity(), 0)


def test_statistics_come_from_train_rows_alone() -> None:
    task = load("diabetes")
    x, y = task.rows("train")
    for k, column in enumerate(task.describe()["columns"]):
        assert column["mean"] == pytest.approx(x[:, k].mean(), abs=1e-6)
    batch = torch.cat([b.y for b in task.batches("train")])
    assert batch.shape == (len(y), 1)
    assert float(batch.mean()) == pytest.approx(0, abs=1e-5)
    back = dict(task.frame.back[0][1])
    assert back["mean"][0] == pytest.approx(y.mean())
    digits = load("digits")
    assert digits.describe()["image"]["mean"][0] == pytest.approx(digits.rows("train")[0].mean(), rel=1e-6)


def test_scores_are_in_the_targets_unit() -> None:
    task = load("diabetes")
    y = task.rows("validation")[1]
    mean, std = (dict(task.frame.back[0][1])[k][0] for k in ("mean", "std"))
    order = iter([torch.from_numpy(((y - mean) / std).astype(np.float32))[:, None]])
    found = task.score(lambda x: next(order), "validation")
    assert found["r2"] == pytest.approx(1, abs=1e-6)
    assert found["rmse"] < 1e-3


def test_feeding_is_quick() -> None:
    task = load("digits")
    threads, best = torch.get_num_threads(), 1.0
    torch.set_num_threads(1)
    try:
        for seed in range(30):
            start = time.perf_counter()
            count = sum(1 for _ in task.batches("train", Fidelity(), seed))
            best = min(best, (time.perf_counter() - start) / count)
    finally:
        torch.set_num_threads(threads)
    assert best < 100e-6  # some 12 µs where nothing else runs
