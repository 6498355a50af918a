"""A training that goes on from a checkpoint is, bit for bit, one that was never paused, its schedule that of the full length."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from netwright.core.contracts import Site
from netwright.core.metrics import parse_objective
from netwright.core.objectives import Goal
from netwright.core.picks import sample
from netwright.core.seeds import stream
from netwright.core.trial import Fidelity, Measurement, Proposal
from netwright.devices.cpu import Cpu
from netwright.estimators.stages import Stages
from netwright.estimators.train import Train
from netwright.nets.checkpoint import unpack
from netwright.nets.net import Net
from netwright.registry import module
from netwright.stores.memory import MemoryStore
from netwright.tasks.load import load


def site(space: str, number: int = 3, *objectives: str) -> tuple[Proposal, Site]:
    task = load("digits")
    drawn = sample(module("spaces", space).space(task.signature), stream(0, 3, "test"))
    goal = Goal(tuple(parse_objective(text) for text in ("accuracy", *objectives)))
    return Proposal(drawn), Site(task, Cpu(seconds=0.01), MemoryStore(), goal, 0, number)


def earlier(number: int, measurement: Measurement) -> dict[str, Any]:
    assert measurement.fidelity is not None
    told = {"number": number, "epochs": measurement.fidelity.epochs, "checkpoint": measurement.checkpoint}
    return {"continues": {**told, "values": dict(measurement.values)}}


def trained(proposal: Proposal, where: Site, *ends: int, optimizer: str = "sgd") -> list[Measurement]:
    """Up to each of these epochs in turn, every step going on from the last one's checkpoint; the last step of all is whole."""
    found: list[Measurement] = []
    for end in ends:
        notes = earlier(3, found[-1]) if found else {}
        step = replace(proposal, fidelity=Fidelity(end, 0.2, of=ends[-1]), notes=notes)
        found += [*Train(optimizer=optimizer).estimate(step, where)][-1:]
    return found


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
@pytest.mark.parametrize("space", ["chain", "transformer"])
def test_going_on_is_training_through(space: str, optimizer: str) -> None:
    proposal, where = site(space)
    whole, steps = trained(proposal, where, 5, optimizer=optimizer), trained(proposal, where, 1, 2, 5, optimizer=optimizer)
    assert steps[-1].values == whole[-1].values
    assert steps[-1].notes["train_loss"] == whole[-1].notes["train_loss"]
    assert [m.fidelity for m in steps] == [Fidelity(1, 0.2, of=5), Fidelity(2, 0.2, of=5), Fidelity(5, 0.2)]
    assert [bool(m.checkpoint) for m in steps] == [True, True, False], "there is nothing to go on with"


def test_a_beginning_has_the_schedule_of_the_whole() -> None:
    """Two epochs of five are not two epochs of two."""
    proposal, where = site("chain")
    (beginning,) = Train().estimate(replace(proposal, fidelity=Fidelity(2, 0.2, of=5)), where)
    *_, short = Train().estimate(replace(proposal, fidelity=Fidelity(2, 0.2)), where)
    through = [*Train().estimate(replace(proposal, fidelity=Fidelity(5, 0.2)), where)]
    assert beginning.notes["train_loss"] != short.notes["train_loss"]
    assert beginning.values == next(m.values for m in through if m.fidelity and m.fidelity.epochs == 2)


def test_where_the_checkpoint_is_gone_it_is_trained_from_the_start_to_the_same_values() -> None:
    proposal, where = site("chain")
    first, second = trained(proposal, where, 2, 4)
    where.vault.remove(first.checkpoint)
    (again,) = Train().estimate(replace(proposal, fidelity=Fidelity(4, 0.2), notes=earlier(3, first)), where)
    assert again.values == second.values
    assert again.notes["rows"] > second.notes["rows"], "all of its epochs are paid for again"


def test_a_full_disk_costs_the_checkpoint_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    proposal, where = site("chain")

    def full(blob: bytes) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(where.vault, "put", full)
    (measured,) = Train().estimate(replace(proposal, fidelity=Fidelity(1, 0.2, of=3)), where)
    assert measured.values
    assert not measured.checkpoint


def test_a_checkpoint_is_read_without_running_anything() -> None:
    proposal, where = site("chain")
    net = Net(proposal.architecture, where.task.signature, seed=0)
    with pytest.raises(Exception, match="a checkpoint cannot be read"):
        unpack(b"\x80\x04K\x01.", net, torch.optim.SGD(net.parameters(), lr=0.1))


def test_what_goes_on_takes_over_its_latency() -> None:
    proposal, where = site("chain", 3, "latency_ms")
    stages = Stages(Train())
    first = [*stages.estimate(replace(proposal, fidelity=Fidelity(1, 0.2, of=2)), where)]
    before = {name: value for m in first for name, value in m.values.items()}
    told = {"continues": {**earlier(3, first[-1])["continues"], "values": before}}
    values = {
        k: v
        for m in stages.estimate(replace(proposal, fidelity=Fidelity(2, 0.2), notes=told), where)
        for k, v in m.values.items()
    }
    assert values["latency_ms"] == before["latency_ms"]
