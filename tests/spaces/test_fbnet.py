"""FBNet: a member counted by hand, and the rows of its table."""

import json

import pytest

from netwright.core.architecture import Signature, Tensor
from netwright.core.picks import everything, replayed
from netwright.errors import SpaceError
from netwright.layers.counts import count
from netwright.spaces import fbnet

IMAGENET = Signature((("x", Tensor((3, 224, 224))),), (("y", Tensor((1000,))),))
SPACE = fbnet.space(IMAGENET)
WIDTHS = [16, *[24] * 4, *[32] * 4, *[64] * 4, *[112] * 4, *[184] * 4, 352]


def by_hand(names):
    params, before = 27 * 16 + 2 * 16, 16
    for name, width in zip(names, WIDTHS, strict=True):
        if name == "skip":
            params += 0 if before == width else before * width + 2 * width
        else:
            kernel, expand, groups = (int(part[1:]) for part in [*name.split("_"), "g1"][:3])
            wide = before * expand
            params += before * wide // groups + 2 * wide + kernel**2 * wide + 2 * wide + wide * width // groups + 2 * width
        before = width
    return params + 352 * 1984 + 2 * 1984 + 1984 * 1000 + 1000


@pytest.mark.parametrize("index", range(9))
def test_counts_by_hand(index):
    indices = [index if place % 3 else (index + 4) % 9 for place in range(22)]
    found = replayed(SPACE, fbnet.trace({"op_indices": indices}))
    assert count(found, IMAGENET).params == by_hand([fbnet.LAYERS[i] for i in indices])
    assert fbnet.row(found) == {"op_indices": indices}


def test_rows(nas):
    rows = [json.loads(row["op_indices"]) for row in nas("fbnet_hardware")]
    assert len({tuple(fbnet.trace({"op_indices": row}).items()) for row in rows}) == 5000
    with pytest.raises(SpaceError, match="is not a network"):
        fbnet.trace({"op_indices": rows[0][1:]})


def test_supernet():
    whole = everything(SPACE)
    assert sum(node.op == "mix" for node in whole.nodes) == 22
    assert count(whole, IMAGENET).params > by_hand(["k5_e6"] * 22)
