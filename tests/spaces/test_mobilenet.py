"""The designs of mobilenet against rows of their tables and against counts by hand."""

import json
from math import prod

import pytest

from netwright.core.architecture import Signature, Tensor
from netwright.core.picks import everything, replayed, sample
from netwright.core.seeds import stream
from netwright.errors import SpaceError
from netwright.layers.counts import count, steps
from netwright.spaces import mobilenet

IMAGENET = Signature((("x", Tensor((3, 224, 224))),), (("y", Tensor((1000,))),))
OFA = mobilenet.space(IMAGENET, design="ofa")
ACCEL = mobilenet.space(IMAGENET, design="accel")


def bottleneck(cin, cout, wide, kernel, hidden=0):
    params = (cin * wide + 2 * wide) * (wide > cin) + kernel**2 * wide + 2 * wide + wide * cout + 2 * cout
    return params + (2 * wide * hidden + hidden + wide) * bool(hidden)


def test_once_for_all_by_hand():
    """The smallest member: two layers in each stage, kernel 3, expansion 3."""
    row = {"resolution": 128, "ks": [3] * 20, "e": [3] * 20, "d": [2] * 5}
    found = replayed(OFA, mobilenet.trace(row))
    hidden = {24: 0, 40: (24, 32), 80: 0, 112: (64, 88), 160: (88, 120)}  # a quarter of the expanded, by eights
    params, before = 27 * 16 + 2 * 16 + bottleneck(16, 16, 16, 3), 16
    for width, units in hidden.items():
        first, second = units or (0, 0)
        params += bottleneck(before, width, 3 * before, 3, first) + bottleneck(width, width, 3 * width, 3, second)
        before = width
    params += 160 * 960 + 2 * 960 + 960 * 1280 + 1280 * 1000 + 1000
    counted = count(found, IMAGENET)
    assert counted.params == params
    assert mobilenet.row(found)["e"] == [3, 3, 0, 0] * 5


def test_once_for_all_largest_member_and_supernet():
    largest = replayed(OFA, mobilenet.trace({"resolution": 224, "ks": [7] * 20, "e": [6] * 20, "d": [4] * 5}))
    assert count(largest, IMAGENET).params == count(everything(OFA), IMAGENET).params == 7_664_760


def test_rows_of_once_for_all(nas):
    rows = nas("ofa_mobilenetv3_hardware")
    ids = set()
    for row in rows:
        key = {name: json.loads(row[name]) if name != "resolution" else row[name] for name in ("resolution", "ks", "e", "d")}
        trace = mobilenet.trace(key)
        ids.add(tuple(sorted(trace.items())))
    assert len(ids) == len(rows) == 5000
    made = replayed(OFA, trace)
    assert mobilenet.trace(mobilenet.row(made)) == trace


def test_rows_of_accel(nas):
    """Parameters are equal. The table's MACs are multiply-adds, plus 4 for each output of a batch norm, plus one for each number
    that a global mean reads or gives out."""
    for row in nas("accel_nasbench_imagenet")[::20]:
        made = replayed(ACCEL, mobilenet.trace(row))
        assert all(row[key] == value for key, value in mobilenet.row(made).items())
        counted = count(made, IMAGENET)
        assert counted.params == pytest.approx(row["params_M"] * 1e6, rel=1e-7)
        extra = 0
        for step in steps(made, IMAGENET):
            extra += 4 * prod(step.output.shape) if step.node.op == "batch_norm" else 0
            if step.node.op in ("global_pool", "squeeze_excite"):
                extra += (prod(step.inputs[0].shape[1:]) + 1) * step.inputs[0].shape[0]
        assert counted.flops / 2 + extra == pytest.approx(row["macs_M"] * 1e6, rel=1e-6)


def test_design_and_rows_that_are_none():
    with pytest.raises(SpaceError, match="unknown design"):
        mobilenet.space(IMAGENET, design="v2")
    small = Signature((("x", Tensor((1, 8, 8))),), (("y", Tensor((10,))),))
    drawn = sample(mobilenet.space(small), stream(0, 0, "test"))
    with pytest.raises(SpaceError, match="has no row"):
        mobilenet.row(drawn)
