"""Each layer: its counts, its ONNX graph and its text against torch."""

import pytest
import torch

from netwright.core.architecture import Architecture, Node, Signature, Tensor
from netwright.errors import SpaceError
from netwright.layers.base import layer, names
from netwright.layers.counts import count, shapes
from netwright.testing import layers as kit

torch.set_num_threads(1)
RECURRENT = ("rnn", "gru", "lstm")


def title(case):
    return f"{case.op}-{'-'.join(str(v) for v in case.attrs.values())}-{case.inputs}"[:60]


each = pytest.mark.parametrize("case", kit.CASES, ids=title)


@pytest.mark.parametrize("name", names())
def test_every_layer_has_a_case(name):
    assert name in {case.op for case in kit.CASES}, f"add {name} to CASES in netwright/testing/layers.py"
    assert isinstance(layer(name).label(next(case.attrs for case in kit.CASES if case.op == name)), str)


@each
def test_counts(case):
    laid = kit.laid(case)
    kit.check_shapes(*laid)
    kit.check_params(*laid)
    if case.op != "carry":  # counted as what it keeps for the next step, though torch hands the same tensor on
        kit.check_peak(*laid)
    if case.op in RECURRENT:
        assert count(*laid).flops == kit.unrolled_flops(*laid)
    else:
        kit.check_flops(*laid)


@each
def test_graph(case):
    kit.check_onnx(*kit.laid(case))


@each
def test_source(case, tmp_path):
    kit.check_source(*kit.laid(case), tmp_path)


@pytest.mark.parametrize(
    ("op", "attrs", "shape", "says"),
    [
        ("conv", {"width": 8, "kernel": 4}, (3, 8, 8), "even"),
        ("conv", {"width": 8}, (8,), r"needs \(channels, height, width\)"),
        ("conv", {"kernel": 3}, (3, 8, 8), "needs the attribute 'width'"),
        ("conv", {"width": 8, "kernal": 3}, (3, 8, 8), "no attribute 'kernal'. Known: width"),
        ("max_pool", {"kernel": 3}, (3, 2, 8), "3×3 window does not fit a 2×8 map"),
        ("activation", {"kind": "rely"}, (3,), "unknown activation 'rely'. Known: relu"),
        ("dropout", {"rate": 1.0}, (3,), "outside"),
        ("attention", {"heads": 4}, (5, 6), "cannot be split into 4 heads"),
        ("normalize", {"mean": (0.0,), "std": (1.0,)}, (3, 8, 8), "do not fit 3 channels"),
        ("encode", {"columns": (("number", 0.0, 0.0, 1.0),)}, (3,), "1 columns are described, 3 come in"),
        ("encode", {"columns": (("text", 1),)}, (1,), "unknown kind 'text'"),
        ("embedding", {"count": 3, "units": 2}, (4,), "whole numbers"),
        ("batch_norm", {}, (2, 3, 4, 4), "needs"),
        ("convolution", {}, (3, 8, 8), "unknown layer 'convolution'"),
    ],
)
def test_what_does_not_fit_is_said_in_one_line(op, attrs, shape, says):
    architecture = Architecture((Node(op, (-1,), tuple(sorted(attrs.items())), "net.3"),), (0,))
    with pytest.raises(SpaceError, match=says) as caught:
        count(architecture, Signature((("x", Tensor(shape)),), (("y", Tensor((1,))),)))
    assert str(caught.value).startswith("node 0 (")
    assert "net.3" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_two_inputs_that_do_not_meet():
    signature = Signature((("x", Tensor((3, 8, 8))), ("z", Tensor((4, 8, 8)))), (("y", Tensor((1,))),))
    for op, says in (("sum", "project=True"), ("identity", "takes 1 inputs, not 2")):
        with pytest.raises(SpaceError, match=says):
            shapes(Architecture((Node(op, (-1, -2)),), (0,)), signature)
    small = Signature((("x", Tensor((3, 8, 8))), ("z", Tensor((4, 6, 3)))), (("y", Tensor((1,))),))
    with pytest.raises(SpaceError, match="no stride leads"):
        shapes(Architecture((Node("project", (-1, -2)),), (0,)), small)
