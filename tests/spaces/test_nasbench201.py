"""NAS-Bench-201 as built against the published counts, strings and numbers."""

import pytest

from netwright.core.architecture import Signature, Tensor
from netwright.core.picks import everything, replayed
from netwright.errors import SpaceError
from netwright.layers.counts import count
from netwright.spaces import nasbench201 as space_of

SIGNATURE = Signature((("x", Tensor((3, 32, 32))),), (("y", Tensor((10,))),))
SPACE = space_of.space(SIGNATURE)

OUTPUTS = 5 * (16 * 32 * 32 + 32 * 16 * 16 + 64 * 8 * 8)
"""Numbers that one edge gives out, over the five cells of each stage."""


def cell(text):
    return replayed(SPACE, space_of.trace({"arch": text}))


def test_counts_by_hand():
    best = cell("|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_1x1~2|")
    stem = 9 * 3 * 16 + 2 * 16
    halve = sum(
        9 * c * 2 * c + 2 * 2 * c + 9 * (2 * c) ** 2 + 2 * 2 * c + c * 2 * c  # two 3×3 with batch norms, one 1×1
        for c in (16, 32)
    )
    tail = 2 * 64 + 64 * 10 + 10
    conv3, conv1 = (sum(5 * (k * k * c * c + 2 * c) for c in (16, 32, 64)) for k in (3, 1))
    assert stem + halve + tail == 73_306
    assert count(best, SIGNATURE).params == 73_306 + 4 * conv3 + conv1
    assert (conv3, conv1) == (243_040, 28_000)


def test_every_row(nas):
    """Parameters are equal. The table's FLOPs are multiply-adds, plus 3 for each output of a convolution of the cell (ReLU 1,
    batch norm 2), 9 for each output of a mean over 3×3, and 160,832 of the same kind outside the cells."""
    rows = nas("nasbench201_cifar10")
    assert len(rows) == 5**6
    for row in rows:
        text = row["arch"]
        made = cell(text)
        assert space_of.row(made) == {"arch": text}
        counted = count(made, SIGNATURE)
        assert counted.params == round(row["params_M"] * 1e6), text
        extra = 3 * (text.count("nor_conv_3x3") + text.count("nor_conv_1x1")) + 9 * text.count("avg_pool_3x3")
        assert counted.flops / 2 + extra * OUTPUTS + 160_832 == pytest.approx(row["flops_M"] * 1e6, rel=1e-7), text


def test_the_string_is_the_published_one():
    text = "|none~0|+|skip_connect~0|nor_conv_1x1~1|+|nor_conv_3x3~0|avg_pool_3x3~1|none~2|"
    assert space_of.row(cell(text)) == {"arch": text}
    for wrong in ("|none~0|", text.replace("none", "max_pool"), text.replace("~2", "~1")):
        with pytest.raises(SpaceError, match="is not a cell"):
            space_of.trace({"arch": wrong})


def test_supernet_holds_every_edge():
    whole = everything(SPACE)
    mixes = [node for node in whole.nodes if node.op == "mix"]
    assert len(mixes) == 15 * 6
    assert len({node.hole for node in mixes}) == 6
    conv3, conv1 = 243_040, 28_000
    assert count(whole, SIGNATURE).params == 73_306 + 6 * (conv3 + conv1)
