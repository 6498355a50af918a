"""Shared weights: members run with slices of them as they do alone, and training a member trains its slices."""

import copy
import random

import pytest
import torch

from netwright.core.architecture import Signature, Tensor
from netwright.core.picks import replayed, sample
from netwright.core.space import Branches, Cell, Choice, Edge, Graph, Op, Recur, Repeat, Seq, Space, Subset, op, unfold
from netwright.errors import SpaceError
from netwright.nets.net import Net
from netwright.nets.weights import SharedBank
from netwright.testing import supernet as kit

torch.set_num_threads(1)
IMAGES = Signature((("x", Tensor((2, 8, 8))),), (("y", Tensor((3,))),))
SERIES = Signature((("x", Tensor((5, 4))),), (("y", Tensor((3,))),))


def _mobile() -> Space:
    """Widths, kernels, ratios, squeeze-and-excitation, depth, residuals, projections."""
    width = Choice(4, 6, 8, name="width")
    block = Seq(
        op("conv", ratio=Choice(1, 2, 3), kernel=1),
        op("batch_norm"),
        op("conv", groups=0, kernel=Choice(3, 5, 7)),
        op("batch_norm"),
        Choice(op("identity"), op("squeeze_excite", ratio=4)),
        op("conv", width=width, kernel=1, bias=True),
        op("batch_norm"),
    )
    skip = Branches(block, op("identity"), project=True)
    stem = Seq(op("conv", width=Choice(4, 8)), op("batch_norm"))
    body = Seq(stem, Repeat(skip, Choice(0, 1, 2)), op("max_pool"), op("flatten"), op("linear", units=3))
    return Space(body, name="mobile", signature=IMAGES)


def _cells() -> Space:
    """Cells whose nodes are concatenated, with elastic widths before and after: indices that are no range."""
    width = Choice(3, 5, 6, name="width")
    unit = Seq(op("conv", width=width, kernel=1), op("batch_norm"))
    ops = Choice(op("identity"), op("conv", width=width), op("max_pool", kernel=3, stride=1, padding=1), op("zero"))
    cell = Cell(((Edge(0, ops),), (Edge(0, ops), Edge(1, ops))), output="concat")
    after = Seq(op("batch_norm"), op("channel_shuffle", groups=2), op("conv", groups=0, kernel=3), op("batch_norm"))
    body = Seq(unit, cell, after, op("conv", width=Choice(4, 7), kernel=3), op("flatten"), op("linear", units=3))
    return Space(body, name="cells", signature=IMAGES)


def _series() -> Space:
    units = Choice(4, 8, name="units")
    kinds = Choice(op("lstm", units=units), op("gru", units=units), op("conv1d", width=units, kernel=Choice(1, 3)))
    attention = Branches(Seq(op("layer_norm"), op("attention", heads=Choice(2, 4))), op("identity"))
    kept = Subset((op("identity"), op("activation", kind="tanh"), op("linear", units=units)), 1, 2)
    body = Seq(op("linear", units=units), Repeat(kinds, Choice(1, 2)), attention, kept, op("time_pool"), op("linear", units=3))
    return Space(body, name="series", signature=SERIES)


def _recurrence() -> Space:
    units = Choice(3, 5, name="units")
    act = Choice(op("activation", kind="tanh"), op("activation", kind="relu"))
    nodes = (
        ("h", Op("state", (("name", "h"), ("units", units))), ("x",)),
        ("i", op("linear", units=units), ("x",)),
        ("r", op("linear", units=units), ("h",)),
        ("s", op("sum"), ("i", "r")),
        ("a", act, ("s",)),
        ("c", op("carry"), ("h", "a")),
    )
    body = Seq(op("linear", units=Choice(2, 4)), Recur(Graph(nodes, "c")), op("time_pool"), op("linear", units=3))
    return Space(body, name="recurrence", signature=SERIES)


SPACES = {"mobile": _mobile(), "cells": _cells(), "series": _series(), "recurrence": _recurrence()}


def bank(name: str, seed: int = 0) -> SharedBank:
    space = SPACES[name]
    assert space.signature is not None
    return SharedBank(space, space.signature, seed=seed)


@pytest.mark.parametrize("name", SPACES)
def test_the_kit_passes(name):
    space = SPACES[name]
    kit.check_supernet(space, space.signature, members=12)


@pytest.mark.parametrize("name", SPACES)
@pytest.mark.parametrize("seed", range(3))
def test_training_inside_is_training_alone(name, seed):
    """The same gradients, and the same running statistics, in the slices; nothing outside them."""
    shared = kit.moved(bank(name))
    space, signature = shared.supernet.space, shared.supernet.signature
    member = sample(space, random.Random(seed))
    own = Net(member, signature).train()
    own.load_tensors(shared.cut(member))
    inside = shared.restricted(member).train()
    x = torch.randn(4, *signature.inputs[0][1].shape, generator=torch.Generator().manual_seed(seed))
    torch.manual_seed(0)
    one = inside(x)
    torch.manual_seed(0)
    other = own(x)
    assert torch.equal(one, other)
    one.square().sum().backward()
    other.square().sum().backward()
    alone, cut = own.tensors(), shared.cut(member)
    for name in cut:
        assert torch.equal(alone[name], cut[name]), name  # statistics too
    gradients = {id(parameter): parameter.grad for parameter in own.parameters()}
    places = {f"{p}/{n}": t for p, i in own._places.items() for n, t in own.bank[i].named_parameters()}
    for name, kept in shared.supernet.cuts(member).items():
        if name in places:
            part = shared[name].grad[torch.meshgrid([torch.tensor(list(k)) for k in kept], indexing="ij")]
            assert torch.allclose(part, gradients[id(places[name])], atol=1e-5), name


def test_it_starts_as_the_largest_network_does():
    shared = bank("mobile", seed=5)
    largest = replayed(SPACES["mobile"], dict.fromkeys(shared.supernet.whole.decisions))
    assert largest == shared.supernet.whole
    start = Net(largest, IMAGES, seed=5).tensors()
    tensors = shared.tensors()
    assert all(torch.equal(start[name], tensors[name]) for name in start)
    only = {name for name in tensors if name not in start}
    assert {name.rpartition(".")[2] for name in only} == {"fit/weight"}  # projections, which the largest network does not need
    again = bank("mobile", seed=5).tensors()
    assert all(torch.equal(again[name], tensors[name]) for name in tensors)


def test_torchs_random_state_is_left_alone():
    before = torch.get_rng_state()
    shared = bank("cells")
    shared.restricted(sample(SPACES["cells"], random.Random(0)))
    assert torch.equal(before, torch.get_rng_state())


def test_it_holds_what_is_laid_and_no_more():
    space = Space(
        Seq(Choice(op("conv", width=Choice(2, 4)), op("conv", width=4, kernel=1)), op("global_pool"), op("linear", units=3)),
        signature=IMAGES,
    )
    shared = SharedBank(space, IMAGES)
    assert sum(p.numel() for p in shared.parameters()) == 4 * 2 * 9 + 4 * 2 + 4 * 3 + 3
    assert shared.supernet.mixes == {"net.0": 2}


def test_statistics_reach_slices_that_are_no_range():
    shared = bank("cells")
    narrow = {"width": 0}
    member = sample(SPACES["cells"], random.Random(0))
    member = replayed(SPACES["cells"], {**member.decisions, **narrow})
    name = "net.2.0/running_mean"
    assert shared.supernet.cuts(member)[name] == ((0, 1, 2, 6, 7, 8),)
    shared.restricted(member).train()(torch.randn(4, 2, 8, 8))
    changed = shared[name] != 0
    assert not changed[[3, 4, 5, 9, 10, 11]].any()
    before = shared[name].clone()
    shared.restricted(member).eval()(torch.randn(4, 2, 8, 8))
    assert torch.equal(before, shared[name])


def test_losses_of_several_members_can_be_added():
    """As the sandwich rule does (Yu & Huang 2019): statistics change between a forward and its backward pass."""
    shared = bank("cells")
    members = [sample(SPACES["cells"], random.Random(seed)) for seed in range(4)]
    x = torch.randn(4, 2, 8, 8)
    sum(shared.restricted(member).train()(x).square().mean() for member in members).backward()


def test_a_bank_trains_by_sampling_members():
    shared = bank("series")
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(64, 5, 4, generator=generator)
    y = (x.mean((1, 2)) > 0).long()
    optimiser = torch.optim.Adam(shared.parameters(), 0.01)
    members = [sample(SPACES["series"], random.Random(seed)) for seed in range(6)]
    nets = [shared.restricted(member).train() for member in members]
    losses = []
    for _ in range(25):
        loss = sum(torch.nn.functional.cross_entropy(net(x), y) for net in nets) / len(nets)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 2


def test_open_decisions_are_mixed_by_shares_that_can_be_learned():
    shared = kit.moved(bank("series"))
    mixed = shared.restricted(shared.supernet.whole).eval()
    x = torch.randn(3, 5, 4)
    shares = {hole: torch.full((n,), 1 / n, requires_grad=True) for hole, n in shared.supernet.mixes.items()}
    assert set(shares) == {"net.1.0", "net.1.1", "net.1.times", "net.3"}
    mixed(x, shares=shares).square().sum().backward()
    assert all(share.grad is not None and share.grad.any() for share in shares.values())
    ones = {hole: torch.ones(n) for hole, n in shared.supernet.mixes.items()}
    assert torch.equal(mixed(x), mixed(x, shares=ones))
    assert not torch.equal(mixed(x), mixed(x, shares={"net.3": torch.tensor([1.0, 0.0, 0.0])}))


def test_some_options_of_a_decision_can_be_kept():
    shared = kit.moved(bank("cells"))
    part = sample(SPACES["cells"], random.Random(1)).decisions | {"net.1.1.0.op": (0, 2)}
    kept = replayed(SPACES["cells"], part)
    assert not kept.hard
    x = torch.randn(3, 2, 8, 8)
    net = shared.restricted(kept).eval()
    one = shared.restricted(replayed(SPACES["cells"], part | {"net.1.1.0.op": 2})).eval()
    assert torch.equal(net(x, shares={"net.1.1.0.op": torch.tensor([0.0, 1.0])}), one(x))


def test_tensors_travel_and_are_checked():
    shared, other = kit.moved(bank("mobile")), bank("mobile", seed=1)
    kept = shared.tensors()
    other.load_tensors(kept)
    assert all(torch.equal(kept[name], tensor) for name, tensor in other.tensors().items())
    name = next(iter(kept))
    with pytest.raises(SpaceError, match=r"there is none of this name"):
        other.load_tensors({k: v for k, v in kept.items() if k != name})
    with pytest.raises(SpaceError, match=r"it has shape \(1,\)"):
        other.load_tensors(kept | {name: torch.zeros(1)})


def test_a_member_of_another_space_is_refused():
    member = sample(SPACES["cells"], random.Random(0))
    with pytest.raises(SpaceError, match="has no such layer here"):
        bank("mobile").restricted(member)


def test_a_space_without_a_supernet_says_why():
    space = Space(Seq(op("global_pool"), op("activation", kind=Choice("relu", "tanh")), op("linear", units=3)), signature=IMAGES)
    with pytest.raises(SpaceError, match="no largest"):
        SharedBank(space, IMAGES)


def test_a_restricted_network_can_be_copied_and_used_for_prediction_first():
    shared = bank("cells")
    member = sample(SPACES["cells"], random.Random(3))
    net = shared.restricted(member)
    x = torch.randn(3, 2, 8, 8)
    with torch.inference_mode():
        own = Net(member, IMAGES).eval()
        own.load_tensors(shared.cut(member))
        assert torch.equal(net.eval()(x), own(x))
    net.train()(x).sum().backward()
    twin = copy.deepcopy(net).eval()
    assert torch.equal(twin(x), net.eval()(x))


@pytest.mark.parametrize("spoil", ["cut", "train", "mix"])
def test_the_kit_can_fail(spoil, monkeypatch):
    shared = kit.moved(bank("mobile"))
    member = sample(SPACES["mobile"], random.Random(0))
    if spoil == "cut":
        true = shared.cut
        monkeypatch.setattr(shared, "cut", lambda a: {name: tensor * (1 + 1e-6) for name, tensor in true(a).items()})
        with pytest.raises(AssertionError, match="cut out gives something else"):
            kit.check_cut(shared, member)
    elif spoil == "train":
        true_cuts = shared.supernet.cuts
        monkeypatch.setattr(
            shared.supernet,
            "cuts",
            lambda a: {name: kept for name, kept in true_cuts(a).items() if not name.endswith("running_var")},
        )
        with pytest.raises(AssertionError, match="what the network does not use"):
            kit.check_training(_trained_by(shared, true_cuts, monkeypatch), member)
    else:
        monkeypatch.setattr("netwright.nets.modules.mix.Mix.shares", property(lambda self: None, lambda self, value: None))
        with pytest.raises(AssertionError, match="mixing gives something else"):
            kit.check_mixed(shared)


def _trained_by(shared, true_cuts, monkeypatch):
    """The bank restricts with the true cuts, and says fewer."""
    said = shared.supernet.cuts

    def restricted(member):
        monkeypatch.setattr(shared.supernet, "cuts", true_cuts)
        try:
            return SharedBank.restricted(shared, member)
        finally:
            monkeypatch.setattr(shared.supernet, "cuts", said)

    monkeypatch.setattr(shared, "restricted", restricted)
    return shared


def test_no_hole_no_mixing():
    space = Space(Seq(op("global_pool"), op("linear", units=3)), signature=IMAGES)
    kit.check_supernet(space, IMAGES)
    assert unfold(space, lambda path, hole: 0) == SharedBank(space, IMAGES).supernet.whole
