"""SpikeNAS-Bench as built against the published counts and numbers, and its neurons by hand."""

import pytest
import torch

from netwright.core.architecture import Signature, Tensor
from netwright.core.picks import replayed
from netwright.layers.counts import count
from netwright.nets.modules.lif import Lif
from netwright.nets.net import Net
from netwright.spaces import spikenas

torch.set_num_threads(1)
SIGNATURE = Signature((("x", Tensor((3, 32, 32))),), (("y", Tensor((10,))),))
SPACE = spikenas.space(SIGNATURE)


def cell(**options):
    return replayed(SPACE, spikenas.trace({f"op_{a}_{b}": options.get(f"op_{a}_{b}", 0) for a, b in spikenas.EDGES}))


def test_counts_by_hand():
    empty = cell()
    stem = 9 * 3 * 128 + 2 * 128
    between = 2 * 128 + 9 * 128 * 256 + 2 * 256
    tail = 2 * 256 + 256 * 8 * 8 * 1024 + 1024 * 100 + 100
    assert count(empty, SIGNATURE).params == stem + between + tail == 17_179_620
    one = count(cell(op_0_3=3), SIGNATURE)
    assert one.params == 17_179_620 + sum(9 * c * c + 2 * c for c in (128, 256))
    times = one.flops - count(empty, SIGNATURE).flops
    assert times == 2 * 5 * 9 * (128**2 * 32**2 + 256**2 * 16**2)  # at each of five steps


def test_every_row(nas):
    rows = nas("spikenas201_cifar10")
    assert len(rows) == 5**6
    for row in rows:
        made = replayed(SPACE, spikenas.trace(row))
        assert count(made, SIGNATURE).params == row["params"], row["id"]
        assert all(row[name] == value for name, value in spikenas.row(made).items()), row["id"]


def test_neurons_by_hand():
    x = torch.tensor([[0.8, 0.8, 0.8, 0.0, 2.0, 0.0]]).T[None]  # (batch, time, features)
    # v: 0.6, 0.75, 0.7875, 0.197, 1.549 → a spike, and 0 again
    assert Lif(1.0, 4 / 3)(x).flatten().tolist() == [0, 0, 0, 0, 1, 0]
    # at 0.7: 0.6, 0.75 → spike; 0.6; 0.15; 1.5 → spike; 0
    assert Lif(0.7, 4 / 3)(x).flatten().tolist() == [0, 1, 0, 0, 1, 0]


def test_surrogate_gradient_is_that_of_the_arc_tangent():
    x = torch.tensor([[[0.3]]], requires_grad=True)
    Lif(1.0, 4 / 3)(x).sum().backward()
    v = torch.tensor(0.3 * 3 / 4)
    assert x.grad.item() == pytest.approx(0.75 / (1 + (torch.pi * (v - 1)) ** 2).item(), rel=1e-5)
    x = torch.tensor([[[2.0], [0.0]]], requires_grad=True)
    Lif(1.0, 4 / 3)(x)[:, 1].sum().backward()
    assert x.grad[0, 0].item() == 0  # the spike put it back to 0: nothing is left of what came before


def test_a_small_one_learns_to_fire():
    small = spikenas.space(Signature((("x", Tensor((1, 8, 8))),), (("y", Tensor((2,))),)), width=8, steps=4, hidden=32)
    row = dict.fromkeys((f"op_{a}_{b}" for a, b in spikenas.EDGES), 3)
    net = Net(replayed(small, spikenas.trace(row)), small.signature, seed=0).train()
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(32, 1, 8, 8, generator=generator)
    x[:16, :, :4] += 2
    y = torch.arange(32) // 16
    optimiser = torch.optim.Adam(net.parameters(), 0.01)
    losses = []
    for _ in range(30):
        loss = torch.nn.functional.cross_entropy(net(x), y)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.2 < 0.6 < losses[0]
    assert not torch.equal(net.eval()(x[:1]), net(x[-1:]))
