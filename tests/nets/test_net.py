"""The network: starting weights, saving and loading, several outputs, training."""

import copy
from pathlib import Path

import pytest
import safetensors.numpy
import safetensors.torch
import torch

from netwright.core.architecture import Architecture, Node, Signature, Tensor
from netwright.errors import SpaceError
from netwright.layers.base import names
from netwright.nets import modules
from netwright.nets.net import Net
from netwright.testing import layers as kit

torch.set_num_threads(1)
SIGNATURE = Signature((("x", Tensor((2, 8, 8))),), (("y", Tensor((3,))),))


def node(op, source, weights="", **attrs):
    sources = source if isinstance(source, tuple) else (source,)
    return Node(op, sources, tuple(sorted(attrs.items())), weights)


def network(width=8, rate=0.5):
    return Architecture(
        (
            node("conv", -1, "net.0", width=width, kernel=3),
            node("batch_norm", 0, "net.1"),
            node("activation", 1, "net.2", kind="relu"),
            node("conv", 2, "net.3", groups=0, kernel=3, bias=True),
            node("dropout", 3, "net.4", rate=rate),
            node("global_pool", 4, "net.5"),
            node("linear", 5, "net.6", units=3),
        ),
        (6,),
    )


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def test_every_layer_has_its_torch_side():
    files = {path.stem for path in Path(modules.__file__).parent.glob("*.py")} - {"__init__"}
    assert files == set(names())


def test_start_depends_on_the_seed_alone():
    first = Net(network(), SIGNATURE, seed=3).tensors()
    torch.rand(5)
    assert same(first, Net(network(), SIGNATURE, seed=3).tensors())
    assert not same(first, Net(network(), SIGNATURE, seed=4).tensors())
    assert same(Net(network(), SIGNATURE).tensors(), Net(network(), SIGNATURE, seed=0).tensors())


def test_torchs_random_state_is_left_alone():
    before = torch.get_rng_state()
    Net(network(), SIGNATURE, seed=3)
    assert torch.equal(before, torch.get_rng_state())


def test_a_layer_at_one_path_starts_the_same_in_every_architecture():
    other = Architecture((*network().nodes[:1], node("flatten", 0), node("linear", 1, "net.6", units=3)), (2,))
    one, two = Net(network(), SIGNATURE, seed=1).tensors(), Net(other, SIGNATURE, seed=1).tensors()
    assert torch.equal(one["net.0/weight"], two["net.0/weight"])
    assert one["net.6/weight"].shape != two["net.6/weight"].shape


def test_start_keeps_the_scale_of_signals():
    tensors = Net(network(width=256), SIGNATURE, seed=0).tensors()
    assert tensors["net.0/weight"].std().item() == pytest.approx((2 / (256 * 9)) ** 0.5, rel=0.05)
    assert tensors["net.3/weight"].std().item() == pytest.approx((2 / 9) ** 0.5, rel=0.1)  # depthwise: by its own outputs
    assert not tensors["net.3/bias"].any()
    assert tensors["net.1/running_var"].eq(1).all()


def test_tensors_are_copies_that_survive_a_file(tmp_path):
    net = kit.trained(network(), SIGNATURE)
    kept = net.tensors()
    safetensors.torch.save_file(kept, tmp_path / "weights.safetensors")
    with torch.no_grad():
        next(net.parameters()).zero_()
    assert kept["net.0/weight"].any()
    fresh = Net(network(), SIGNATURE, seed=9).eval()
    fresh.load_tensors(safetensors.torch.load_file(tmp_path / "weights.safetensors"))
    assert same(fresh.tensors(), kept)
    fresh.load_tensors(safetensors.numpy.load_file(tmp_path / "weights.safetensors"))
    frozen = {name: tensor.numpy().copy() for name, tensor in kept.items()}
    for array in frozen.values():
        array.setflags(write=False)  # as when read from bytes: torch would warn of sharing it
    fresh.load_tensors(frozen)
    x = torch.randn(4, 2, 8, 8)
    assert torch.equal(fresh(x), kit.trained(network(), SIGNATURE)(x))


def test_tensors_do_not_depend_on_memory_format():
    net = Net(network(), SIGNATURE)
    plain = net.tensors()
    last = net.to(memory_format=torch.channels_last).tensors()
    assert same(plain, last)
    assert all(tensor.is_contiguous() for tensor in last.values())


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda tensors: tensors.pop("net.1/running_mean"), "net.1/running_mean: there is no tensor"),
        (
            lambda tensors: tensors.update({"net.6/bias": torch.zeros(4)}),
            r"net.6/bias: the weights have shape \(4,\), not \(3,\)",
        ),
    ],
)
def test_weights_that_do_not_fit_are_named(spoil, says):
    net = Net(network(), SIGNATURE)
    tensors = net.tensors()
    spoil(tensors)
    with pytest.raises(SpaceError, match=says):
        net.load_tensors(tensors)


def test_inputs_and_outputs_may_be_several():
    signature = Signature((("a", Tensor((4,))), ("b", Tensor((4,)))), (("p", Tensor((2,))), ("q", Tensor((4,)))))
    nodes = (node("linear", -2, "w", units=4), node("sum", (-1, 0)), node("linear", 1, "v", units=2))
    net = Net(Architecture(nodes, (2, 1)), signature)
    a, b = torch.randn(3, 4), torch.randn(3, 4)
    p, q = net(a, b)
    assert torch.equal(q, a + net.layers[0](b))
    assert torch.equal(p, net.layers[2](q))


def test_an_output_that_nobody_reads_does_no_harm():
    nodes = (node("linear", -1, "w", units=4), node("linear", -1, "u", units=4), node("linear", 0, "v", units=2))
    signature = Signature((("x", Tensor((4,))),), (("y", Tensor((2,))),))
    net = Net(Architecture(nodes, (2,)), signature)
    x = torch.randn(3, 4)
    assert torch.equal(net(x), net.layers[2](net.layers[0](x)))


def test_it_trains_and_drops_only_while_training():
    torch.manual_seed(0)
    net = Net(network(rate=0.2), SIGNATURE, seed=0)
    x = torch.randn(64, 2, 8, 8)
    y = (x.mean((1, 2, 3)) > 0).long()
    assert not torch.equal(net.train()(x), net(x))
    optimiser = torch.optim.SGD(net.parameters(), 0.5, momentum=0.9)
    losses = []
    for _ in range(30):
        loss = torch.nn.functional.cross_entropy(net(x), y)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 2
    assert all(parameter.grad is not None for parameter in net.parameters())
    twin = copy.deepcopy(net).eval()
    assert torch.equal(twin(x), net.eval()(x))
    assert twin.layers[0] is not net.layers[0]
