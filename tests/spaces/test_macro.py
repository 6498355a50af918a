"""NAS-Bench-Macro as built against the published counts."""

import pytest

from netwright.core.architecture import Signature, Tensor
from netwright.core.picks import everything, replayed
from netwright.errors import SpaceError
from netwright.layers.counts import count
from netwright.spaces import macro

SIGNATURE = Signature((("x", Tensor((3, 32, 32))),), (("y", Tensor((10,))),))
SPACE = macro.space(SIGNATURE)


def test_counts_by_hand():
    def bottleneck(cin, cout, expand, kernel):
        wide = cin * expand
        return cin * wide + 2 * wide + kernel**2 * wide + 2 * wide + wide * cout + 2 * cout

    stem, tail = 27 * 32 + 2 * 32, 256 * 1280 + 2 * 1280 + 1280 * 10 + 10
    best = replayed(SPACE, macro.trace({"arch": "22212202"}))
    layers = [
        bottleneck(32, 64, 6, 5) + bottleneck(64, 64, 6, 5),
        bottleneck(64, 128, 6, 5) + bottleneck(128, 128, 3, 3) + bottleneck(128, 128, 6, 5),
        bottleneck(128, 256, 6, 5) + 0 + bottleneck(256, 256, 6, 5),
    ]
    assert count(best, SIGNATURE).params == stem + sum(layers) + tail


def test_every_row(nas):
    """Parameters are equal; the table's FLOPs are multiply-adds of convolutions and of the linear layer, half of ours."""
    rows = nas("nasbench_macro_cifar10")
    assert len(rows) == 3**8
    for row in rows:
        made = replayed(SPACE, macro.trace(row))
        counted = count(made, SIGNATURE)
        assert (counted.params, counted.flops) == (row["params"], 2 * row["flops"]), row["arch"]
        assert macro.row(made) == {"arch": row["arch"]}


def test_a_string_that_is_none():
    for wrong in ("0120", "01201203", "0120120x"):
        with pytest.raises(SpaceError, match="is not a network"):
            macro.trace({"arch": wrong})


def test_supernet_holds_every_layer():
    whole = everything(SPACE)
    assert len([node for node in whole.nodes if node.op == "mix"]) == 8
    assert count(whole, SIGNATURE).params > count(replayed(SPACE, macro.trace({"arch": "22222222"})), SIGNATURE).params
