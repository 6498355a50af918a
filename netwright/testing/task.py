"""Conformance kit for tasks: what every task that a run holds must keep, whoever wrote it."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from typing import Any

import torch

from netwright.core.metrics import METRICS
from netwright.core.trial import Fidelity
from netwright.errors import SealError
from netwright.tasks.arrays import ArrayTask
from netwright.tasks.load import restore
from netwright.tasks.sealed import Sealed
from netwright.tasks.split import contents

__all__ = ["check_batches", "check_facts", "check_score", "check_seal", "check_splits", "check_task", "check_workers"]

Make = Callable[[], Sealed]


def check_task(make: Make) -> None:
    """Everything. ``make`` builds the task anew, the same each time."""
    check_facts(make())
    check_seal(make())
    check_batches(make())
    check_score(make())
    task = make()
    if isinstance(task, ArrayTask):
        check_splits(make)
        check_workers(task)


def check_facts(task: Sealed) -> None:
    """Names, shapes and facts: known metrics, JSON all through, head and classes of one size."""
    assert task.kind in ("classification", "regression")
    assert task.metrics()
    assert all(METRICS[name].source == "scored" for name in task.metrics())
    assert len(task.classes) in ((0,) if task.kind == "regression" else (task.signature.outputs,))
    told = json.loads(json.dumps(task.describe()))
    assert {"name", "kind", "inputs", "classes", "rows", "split", "warnings", "notes", "skipped", "fingerprint"} <= told.keys()
    assert json.loads(json.dumps(task.splits())) == task.splits()
    assert json.loads(json.dumps(task.frame.to_json()))


def check_seal(task: Sealed) -> None:
    """The test cannot be read before it is opened; a task without it cannot be opened; opening one object opens no other."""
    cut = task.without_test()
    reads: list[Callable[[Sealed], Any]] = [
        lambda t: list(t.batches("test", Fidelity())),
        lambda t: t.rows("test"),
        lambda t: t.score(lambda x: torch.zeros(len(x), t.signature.outputs), "test"),
    ]
    for read in reads:
        _refused(read, task)
        _refused(read, cut)
    told = task.open_test()
    assert told["split"] == "test"
    assert told["fingerprint"] == task.fingerprint == cut.fingerprint
    assert told["rows"] == len(task.rows("test")[1])
    _refused(lambda t: t.open_test(), cut)
    _refused(lambda t: t.without_test().rows("test"), task)
    assert "test" not in cut.splits()


def _refused(read: Callable[[Sealed], Any], task: Sealed) -> None:
    try:
        read(task)
    except SealError:
        return
    raise AssertionError("the test split was read through its seal")


def check_splits(make: Make) -> None:
    """Disjoint by row and by content, no row twice, and the same when built again."""
    task, again = make(), make()
    assert task.splits() == again.splits()
    assert task.fingerprint == again.fingerprint
    task.open_test()
    names = ["train", "validation"] if task.describe()["split"].get("own_test") else ["train", "validation", "test"]
    rows = [row for name in names for row in task.splits()[name]]
    assert len(rows) == len(set(rows))
    seen: set[bytes] = set()
    for name in names:
        inside = set(contents(task.rows(name)[0]))  # type: ignore[arg-type]
        assert not inside & seen, f"{name} repeats rows of another split"
        seen |= inside
        assert len(task.splits()[name]) == task.describe()["rows"][name] == len(task.rows(name)[1]) > 0  # type: ignore[arg-type]


def check_batches(task: Sealed) -> None:
    """Batches fit the signature; one seed, one order; training sees each row once and never a batch of one."""
    shape = task.signature.input(-1).shape
    count = task.describe()["rows"]["train"]
    for seed in (None, 3):
        batches = list(task.batches("train", Fidelity(), seed))
        assert sum(len(b.y) for b in batches) == count
        for batch in batches:
            assert tuple(batch.x.shape[1:]) == shape
            assert batch.x.dtype == torch.float32
            assert bool(batch.x.isfinite().all())
            assert len(batch.x) == len(batch.y)
            assert seed is None or len(batch.x) > 1
            if task.kind == "classification":
                assert batch.y.dtype == torch.int64
                assert int(batch.y.min()) >= 0
                assert int(batch.y.max()) < task.signature.outputs
        again = list(task.batches("train", Fidelity(), seed))
        assert all(torch.equal(a.x, b.x) and torch.equal(a.y, b.y) for a, b in zip(batches, again, strict=True))


def check_score(task: Sealed) -> None:
    """Loss is a finite scalar that has a gradient; scores are finite, named as declared, the default one among them."""
    batch = next(iter(task.batches("train", Fidelity(), 1)))
    output = torch.zeros(len(batch.y), task.signature.outputs, requires_grad=True)
    loss = task.loss(output, batch)
    loss.backward()
    assert loss.ndim == 0
    assert bool(loss.isfinite())
    assert output.grad is not None
    found = task.score(lambda x: torch.zeros(len(x), task.signature.outputs), "validation")
    assert task.metrics()[0] in found
    assert set(found) <= set(task.metrics())
    assert all(isinstance(value, float) and value == value for value in found.values())


def check_workers(task: ArrayTask) -> None:
    """What a worker gets holds no test rows, and is the same task."""
    with tempfile.TemporaryDirectory() as folder:
        task.save(folder)
        there = restore(folder)
        assert not there.has_test
        assert set(there.splits()) == {"train", "validation"}
        assert there.fingerprint == task.fingerprint
        assert there.describe() == task.describe()
        assert there.signature == task.signature
        assert there.frame == task.frame
        for split, seed in (("train", 5), ("validation", None)):
            for mine, theirs in zip(task.batches(split, Fidelity(), seed), there.batches(split, Fidelity(), seed), strict=True):  # type: ignore[arg-type]
                assert torch.equal(mine.x, theirs.x)
                assert torch.equal(mine.y, theirs.y)
