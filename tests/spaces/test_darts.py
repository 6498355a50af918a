"""DARTS as built against the published counts."""

import pytest

from netwright.core.architecture import Signature, Tensor
from netwright.core.picks import everything, replayed
from netwright.errors import SpaceError
from netwright.layers.counts import count
from netwright.spaces import darts

CIFAR = Signature((("x", Tensor((3, 32, 32))),), (("y", Tensor((10,))),))
IMAGENET = Signature((("x", Tensor((3, 224, 224))),), (("y", Tensor((1000,))),))

DARTS_V2 = {
    "normal": [
        *(("sep_conv_3x3", 0), ("sep_conv_3x3", 1)),
        *(("sep_conv_3x3", 0), ("sep_conv_3x3", 1)),
        *(("sep_conv_3x3", 1), ("skip_connect", 0)),
        *(("skip_connect", 0), ("dil_conv_3x3", 2)),
    ],
    "reduce": [
        *(("max_pool_3x3", 0), ("max_pool_3x3", 1)),
        *(("skip_connect", 2), ("max_pool_3x3", 1)),
        *(("max_pool_3x3", 0), ("skip_connect", 2)),
        *(("skip_connect", 2), ("max_pool_3x3", 1)),
    ],
}
"""The published cells (second order)."""


def normal(c):
    """Five separable convolutions (twice depthwise and 1×1), a dilated one."""
    once = 9 * c + c * c + 2 * c
    return 5 * 2 * once + once


def test_darts_v2_on_cifar_by_hand():
    params, (older, newer), c = 27 * 108 + 2 * 108, (108, 108), 36
    for layer in range(20):
        reduces = layer in (6, 13)
        c *= 1 + reduces
        params += older * c + 2 * c  # a 1×1 convolution, or two of half the width
        params += newer * c + 2 * c
        params += 0 if reduces else normal(c)  # pooling and skips from inside the cell cost nothing
        older, newer = newer, 4 * c
    params += newer * 10 + 10
    space = darts.space(CIFAR)
    found = replayed(space, darts.trace(DARTS_V2))
    assert count(found, CIFAR).params == params == 3_349_342


def test_darts_v2_on_imagenet():
    found = replayed(darts.space(IMAGENET), darts.trace(DARTS_V2))
    assert count(found, IMAGENET).params == 4_718_752  # as published, without the auxiliary head


def test_genotype_there_and_back():
    space = darts.space(CIFAR, layers=3, channels=4)
    found = replayed(space, darts.trace(DARTS_V2))
    again = darts.row(found)
    assert darts.trace(again) == darts.trace(DARTS_V2)
    assert again["normal"][4:6] == [("skip_connect", 0), ("sep_conv_3x3", 1)]  # inputs in order
    for wrong in ((("skip_connect", 0), ("skip_connect", 0)), (("none", 0), ("skip_connect", 1)), (("skip_connect", 2),) * 2):
        with pytest.raises(SpaceError, match="no cell of DARTS"):
            darts.trace({**DARTS_V2, "normal": [*wrong, *DARTS_V2["normal"][2:]]})


def test_supernet_holds_every_edge():
    space = darts.space(CIFAR, layers=3, channels=4)
    whole = everything(space)
    assert count(whole, CIFAR).params > count(replayed(space, darts.trace(DARTS_V2)), CIFAR).params
    edges = 2 + 3 + 4 + 5
    assert sum(node.op == "mix" for node in whole.nodes) == 3 * (edges + 4)  # one for each edge, one for each node
