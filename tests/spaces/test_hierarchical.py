"""Motifs of motifs: decisions are those of the motif, weights those of the place."""

import random

import pytest
import torch

from netwright.core.architecture import Signature, Tensor
from netwright.core.picks import replayed, sample
from netwright.core.size import size
from netwright.errors import SpaceError
from netwright.layers.counts import count, shapes
from netwright.layers.elastic import Supernet
from netwright.nets.net import Net
from netwright.spaces.hierarchical import space

torch.set_num_threads(1)
SIGNATURE = Signature((("x", Tensor((3, 32, 32))),), (("y", Tensor((10,))),))

CHAIN = {"motif1.0": (0,), "motif1.0.0.op": 2, "motif1.1": (1,), "motif1.1.1.op": 5, "motif1.2": (2,), "motif1.2.2.op": 5}
"""A separable convolution, then nothing twice."""

RESIDUAL = {
    "motif2.0": (0,),
    "motif2.0.0.op": 0,
    "motif2.1": (0, 1),
    "motif2.1.0.op": 5,
    "motif2.1.1.op": 1,
    "motif2.2": (2,),
    "motif2.2.2.op": 0,
}
"""A 1×1 convolution, beside the input and itself after a depthwise one, then a 1×1 convolution."""

CELL = {
    "cell.0": (0,),
    "cell.0.0.op": 0,
    "cell.1": (1,),
    "cell.1.1.op": 1,
    "cell.2": (0, 2),
    "cell.2.0.op": 0,
    "cell.2.2.op": 1,
    "cell.3": (3,),
    "cell.3.3.op": 0,
}
MEMBER = {**CHAIN, **RESIDUAL, **CELL}


def test_a_member_by_hand():
    made = replayed(space(SIGNATURE), MEMBER)
    assert made.decisions == MEMBER
    norm = 2 * 16
    separable = 9 * 16 + 16 * 16 + norm  # motif 1 on 16 channels
    residual = (16 * 16 + norm) + (9 * 16 + norm) + ((16 + 16) * 16 + norm)  # motif 2
    last = 9 * 32 + 32 * 16 + norm  # motif 1 on the two that node 3 sets side by side
    first_cell = 9 * 3 * 16 + norm + separable + residual + separable + residual + last
    place = next(i for i, node in enumerate(made.nodes) if dict(node.attrs).get("stride") == 2)
    part = [node for node in made.nodes[:place] if node.op in ("conv", "batch_norm")]
    outs = shapes(made, SIGNATURE)
    assert outs[place - 1].shape == (16, 32, 32)
    counted = sum(p.numel() for p in torch.nn.ModuleList(Net(made, SIGNATURE).layers[:place]).parameters())
    assert len({node.weights for node in part}) == len(part)
    assert counted == first_cell


def test_a_motif_decides_once_and_weighs_everywhere():
    made = replayed(space(SIGNATURE), MEMBER)
    depthwise = [node for node in made.nodes if node.op == "conv" and dict(node.attrs).get("groups") == 0]
    assert len(depthwise) == 3 * (3 + 2) + 2  # three cells; motif 1 stands three times in each, motif 2 twice; two on the way
    other = replayed(space(SIGNATURE), {**MEMBER, "motif1.0.0.op": 0})
    assert sum(dict(n.attrs).get("groups") == 0 for n in other.nodes if n.op == "conv") == 3 * 2 + 2


def test_exact_size_of_a_small_one():
    small = space(SIGNATURE, motifs=2, inner=2, outer=3, join="sum")
    cells = 2 * (2 + 2 + 4)  # a first node of one edge, a second of the one, the other or both; each edge one of two motifs
    alone = 2 * 3  # those that use one motif only
    assert size(small).count == alone * 6 + (cells - alone) * 6 * 6


def test_sums_have_a_supernet_and_concatenations_say_why_not():
    small = {"motifs": 2, "inner": 3, "outer": 3}
    Supernet(space(SIGNATURE, join="sum", **small), SIGNATURE)
    with pytest.raises(SpaceError, match="joins them by concat"):
        Supernet(space(SIGNATURE, **small), SIGNATURE)


@pytest.mark.slow
def test_200_random_members_run():
    made = space(SIGNATURE, width=4)
    for seed in range(200):
        member = sample(made, random.Random(seed))
        assert count(member, SIGNATURE).params > 0
        net = Net(member, SIGNATURE, seed=seed)
        net(torch.randn(2, 3, 32, 32)).square().sum().backward()
