"""TransNAS-Bench-101 micro as built against the table's counts."""

import pytest

from netwright.core.architecture import Signature, Tensor
from netwright.core.picks import everything, replayed
from netwright.errors import SpaceError
from netwright.layers.counts import count
from netwright.spaces import transnas_micro

CLASSES = {"class_scene": 63, "class_object": 100, "room_layout": 9}


def built(outputs):
    signature = Signature((("x", Tensor((3, 256, 256))),), (("y", Tensor((outputs,))),))
    return transnas_micro.space(signature), signature


def test_counts_by_hand():
    space, signature = built(63)
    found = replayed(space, transnas_micro.trace({"arch": "64-41414-3_00_200"}))
    params = 27 * 32 + 2 * 32 + 9 * 32 * 64 + 2 * 64
    for c in (64, 128, 256):  # modules 1, 3, 5: their first cell doubles the channels
        params += 9 * c * 2 * c + 2 * 2 * c + 9 * 4 * c * c + 2 * 2 * c  # the 3×3 convolution, twice
        params += c * 2 * c + 2 * 2 * c + 4 * c * c + 2 * 2 * c  # the 1×1 convolution, twice
    for c in (128, 256):  # modules 2, 4
        params += 2 * (9 * c * c + 2 * c + c * c + 2 * c)
    assert count(found, signature).params == params + 512 * 63 + 63


@pytest.mark.parametrize("task", CLASSES)
def test_every_row(nas, task):
    space, signature = built(CLASSES[task])
    rows = [row for row in nas("transnasbench101_micro_7tasks_zc") if row["task"] == task]
    assert len(rows) > 600
    for row in rows:
        made = replayed(space, transnas_micro.trace(row))
        assert transnas_micro.row(made) == {"arch": row["arch"]}
        assert count(made, signature).params == pytest.approx(row["params"] * 1e6, rel=1e-7), row["arch"]


def test_both_ways_to_write_a_cell():
    assert transnas_micro.trace({"arch": "64-41414-1_02_333"}) == transnas_micro.trace({"arch": "(1, 0, 2, 3, 3, 3)"})
    for wrong in ("64-41414-1_02_33", "(1, 0, 2, 3, 3, 4)", "64-1234-basic"):
        with pytest.raises(SpaceError, match="is not a cell"):
            transnas_micro.trace({"arch": wrong})


def test_supernet():
    space, signature = built(63)
    whole = everything(space)
    assert sum(node.op == "mix" for node in whole.nodes) == 10 * 6
    assert count(whole, signature).params > 0
