"""Blocks that people invented are sentences of the grammar: their traces, and the same blocks written by hand."""

import pytest
import torch

from netwright.core.architecture import Signature, Tensor
from netwright.core.picks import replayed
from netwright.core.space import Branches, Seq, Space, op, unfold
from netwright.layers.counts import count
from netwright.nets.net import Net
from netwright.spaces.grammar import space

torch.set_num_threads(1)
SIGNATURE = Signature((("x", Tensor((3, 32, 32))),), (("y", Tensor((10,))),))
SPACE = space(SIGNATURE)

# what stands at which place among the options of a rule
AFTER, RESIDUAL = 0, 1
CONV, RELU = 5, 8
TURNED, ATTENTION, PERCEPTRON = 4, 5, 8

MAP = "net.0=0.1.0.map"
BASIC_BLOCK = {
    "net.0": 0,  # maps
    "net.0=0.1.times": 0,
    MAP: AFTER,
    f"{MAP}=0.0.map": RESIDUAL,
    f"{MAP}=0.0.map=1.0.map": AFTER,
    f"{MAP}=0.0.map=1.0.map=0.0.map": AFTER,
    f"{MAP}=0.0.map=1.0.map=0.0.map=0.0.map": CONV,
    f"{MAP}=0.0.map=1.0.map=0.0.map=0.0.map=5.0.kernel": 1,
    f"{MAP}=0.0.map=1.0.map=0.0.map=0.1.map": RELU,
    f"{MAP}=0.0.map=1.0.map=0.1.map": CONV,
    f"{MAP}=0.0.map=1.0.map=0.1.map=5.0.kernel": 1,
    f"{MAP}=0.1.map": RELU,
    "net.0=0.2": 0,  # to the end as a map
    "net.0=0.2=0.0.times": 0,
}

TIME = "net.0=1.1.0.sequence"
PATCHES = {"net.0": 1, "net.0=1.0.2": 0, "net.0=1.1.times": 0, "net.0=1.2.0": 0, TIME: AFTER}
FEED_FORWARD = {
    f"{TIME}=0.1.sequence": RESIDUAL,
    f"{TIME}=0.1.sequence=1.0.0": 0,
    f"{TIME}=0.1.sequence=1.0.1.sequence": PERCEPTRON,
    f"{TIME}=0.1.sequence=1.0.1.sequence=8.0.units": 2,
}
VIT_BLOCK = {
    **PATCHES,
    f"{TIME}=0.0.sequence": RESIDUAL,
    f"{TIME}=0.0.sequence=1.0.0": 0,
    f"{TIME}=0.0.sequence=1.0.1.sequence": ATTENTION,
    f"{TIME}=0.0.sequence=1.0.1.sequence=5.heads": 2,
    **FEED_FORWARD,
}
MIXER_BLOCK = {
    **PATCHES,
    f"{TIME}=0.0.sequence": RESIDUAL,
    f"{TIME}=0.0.sequence=1.0.0": 0,
    f"{TIME}=0.0.sequence=1.0.1.sequence": TURNED,
    f"{TIME}=0.0.sequence=1.0.1.sequence=4.1.turned": 2,
    f"{TIME}=0.0.sequence=1.0.1.sequence=4.1.turned=2.0.units": 1,
    **FEED_FORWARD,
}

# ---- the same by hand -----------------------------------------------------------------------------------------------------


def conv():
    return op("conv", width=16, kernel=3, stride=1), op("batch_norm")


def perceptron(hidden, units):
    return op("linear", units=hidden), op("activation", kind="gelu"), op("linear", units=units)


def around(*parts):
    return Branches(Seq(*parts), op("identity"))


RELU_LAYER = op("activation", kind="relu")
LINEAR = op("linear", units=10)
START = (op("conv", width=16, kernel=4, stride=4, padding=0, bias=True), op("tokens"), op("position"))
END = (op("layer_norm"), op("time_pool"), LINEAR)
MEMBERS = {
    "basic block of a ResNet": (
        BASIC_BLOCK,
        Seq(*conv(), RELU_LAYER, around(*conv(), RELU_LAYER, *conv()), RELU_LAYER, op("global_pool"), LINEAR),
    ),
    "encoder block of a ViT": (
        VIT_BLOCK,
        Seq(*START, around(op("layer_norm"), op("attention", heads=4)), around(op("layer_norm"), *perceptron(64, 16)), *END),
    ),
    "block of an MLP-Mixer": (
        MIXER_BLOCK,
        Seq(
            *START,
            around(op("layer_norm"), op("transpose"), *perceptron(128, 64), op("transpose")),
            around(op("layer_norm"), *perceptron(64, 16)),
            *END,
        ),
    ),
}


@pytest.mark.parametrize("name", MEMBERS)
def test_it_contains(name):
    trace, by_hand = MEMBERS[name]
    found = replayed(SPACE, trace)
    assert found.decisions == trace
    wanted = unfold(Space(by_hand), lambda path, hole: 0)
    assert [(n.op, n.inputs, n.attrs) for n in found.nodes] == [(n.op, n.inputs, n.attrs) for n in wanted.nodes]
    assert found.id == wanted.id
    assert count(found, SIGNATURE).values == count(wanted, SIGNATURE).values
    net = Net(found, SIGNATURE, seed=0)
    out = net(torch.randn(2, 3, 32, 32))
    assert out.shape == (2, 10)
    out.square().sum().backward()
    assert all(p.grad is not None for p in net.parameters())


def test_counts_by_hand():
    basic, vit, mixer = (count(replayed(SPACE, trace), SIGNATURE).params for trace, _ in MEMBERS.values())
    linear = 16 * 10 + 10
    assert basic == (9 * 3 * 16 + 32) + 2 * (9 * 16 * 16 + 32) + linear
    patches = 16 * 3 * 4 * 4 + 16 + 64 * 16  # 64 patches, each with a position
    feed_forward = 32 + (16 * 64 + 64) + (64 * 16 + 16)
    assert vit == patches + 32 + 4 * (16 * 16 + 16) + feed_forward + 32 + linear
    assert mixer == patches + 32 + (64 * 128 + 128) + (128 * 64 + 64) + feed_forward + 32 + linear


def test_it_routes_and_recurs():
    def last_but(path, hole):  # the shortest sentence, but for its first words
        wanted = {"net.0": 1, TIME: 3, f"{TIME}=3.one.sequence": 6, f"{TIME}=3.other.sequence": 4}
        return wanted.get(path, hole.count - 1 if path.endswith((".sequence", ".turned")) else 0)

    found = unfold(SPACE, last_but)
    ops = [node.op for node in found.nodes]
    assert ops[3:8] == ["gru", "transpose", "identity", "transpose", "route"]
    assert found.nodes[7].inputs == (2, 3, 6)  # what it goes by, and the two experts
    assert Net(found, SIGNATURE)(torch.randn(2, 3, 32, 32)).shape == (2, 10)
