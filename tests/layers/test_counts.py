"""Counts of whole architectures: random ones against torch, and a few by hand."""

import pytest
import torch

from netwright.core.architecture import Architecture, Node, Signature, Tensor
from netwright.errors import SpaceError
from netwright.layers.counts import count, steps
from netwright.testing import layers as kit
from netwright.testing.architectures import random_architecture

torch.set_num_threads(1)
SIGNATURE = Signature((("x", Tensor((10,))),), (("y", Tensor((2,))),))


def linear(source, units, weights):
    return Node("linear", (source,), (("units", units),), weights)


@pytest.mark.parametrize("number", range(60))
def test_random_architectures_are_counted_as_torch_counts_them(number):
    laid = random_architecture(number)
    kit.check_shapes(*laid)
    kit.check_params(*laid)
    kit.check_flops(*laid)
    kit.check_peak(*laid)


def test_random_architectures_use_what_there_is_to_use():
    laid = [random_architecture(number)[0] for number in range(60)]
    ops = {node.op for architecture in laid for node in architecture.nodes}
    assert {"sum", "concat", "project", "conv", "linear", "attention", "squeeze_excite", "zero", "flatten"} <= ops
    paths = [[node.weights for node in architecture.nodes if node.weights] for architecture in laid]
    assert any(len(set(found)) < len(found) for found in paths)  # shared weights
    assert max(len(architecture.nodes) for architecture in laid) > 20


def test_by_hand():
    nodes = (linear(-1, 20, "a"), Node("activation", (0,), (("kind", "relu"),), "b"), linear(1, 2, "c"))
    counts = count(Architecture(nodes, (2,)), SIGNATURE)
    assert counts.params == 10 * 20 + 20 + 20 * 2 + 2
    assert counts.flops == 2 * (10 * 20 + 20 * 2)
    assert counts.peak_bytes == 4 * (20 + 20)  # a ReLU beside its input; the network's input is gone by then
    assert counts.values == {"params": 262.0, "flops": 480.0, "peak_kib": 160 / 1024}


def test_a_skip_keeps_its_start_alive_and_a_view_costs_nothing():
    nodes = (linear(-1, 30, "a"), Node("identity", (0,)), linear(1, 30, "b"), Node("sum", (0, 2)), linear(3, 2, "c"))
    assert count(Architecture(nodes, (4,)), SIGNATURE).peak_bytes == 4 * (30 + 30 + 30)


def test_weights_at_one_path_are_counted_once_and_must_be_one_layer():
    twice = Architecture((linear(-1, 10, "a"), linear(0, 10, "a")), (1,))
    assert count(twice, SIGNATURE).params == 110
    assert count(twice, SIGNATURE).flops == 400
    with pytest.raises(SpaceError, match="two layers share weights"):
        steps(Architecture((linear(-1, 10, "a"), linear(0, 2, "a")), (1,)), SIGNATURE)
