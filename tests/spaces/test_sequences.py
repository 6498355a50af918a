"""Spaces for sequences: published members counted by hand."""

from netwright.core.architecture import Signature, Tensor
from netwright.core.picks import everything, replayed, sample
from netwright.core.seeds import stream
from netwright.layers.counts import count
from netwright.spaces import conv1d, recurrent

SIGNATURE = Signature((("x", Tensor((30, 4))),), (("y", Tensor((3,))),))


def test_two_lstms_by_hand():
    space = recurrent.space(SIGNATURE)
    trace = {"net.0.times": 1, "dropout": 0, "read": 0}
    trace |= {"net.0.0.0": 2, "net.0.0.0=2.units": 2, "net.0.1.0": 2, "net.0.1.0=2.units": 3}
    params = 4 * (4 * 32 + 32 * 32 + 2 * 32) + 4 * (32 * 64 + 64 * 64 + 2 * 64) + 64 * 3 + 3
    found = replayed(space, trace)
    assert [node.op for node in found.nodes if node.op != "identity"] == ["lstm", "lstm", "time_pool", "linear"]
    assert count(found, SIGNATURE).params == params


def test_residual_convolutions_by_hand():
    """A stage of Wang et al.: convolutions of kernels 7, 5, 3, the later ones with a skip around each."""
    space = conv1d.space(SIGNATURE, stages=1, widths=(64,))
    trace = {"width0": 0, "activation": 0, "net.0.0.kernel": 2, "net.1.times": 2, "net.2": 0}
    for place, kernel in ((0, 1), (1, 0)):
        trace |= {f"net.1.{place}": 1, f"net.1.{place}=1.0": 0, f"net.1.{place}=1.0=0.0.kernel": kernel}
    norm = 2 * 64
    params = 7 * 4 * 64 + norm + 5 * 64 * 64 + norm + 3 * 64 * 64 + norm + 64 * 3 + 3
    assert count(replayed(space, trace), SIGNATURE).params == params


def test_supernets_and_lengths():
    for made in (conv1d.space(SIGNATURE), recurrent.space(SIGNATURE)):
        drawn = sample(made, stream(0, 0, "test"))
        assert count(everything(made), SIGNATURE).params > count(drawn, SIGNATURE).params
    assert [len(conv1d.space(Signature((("x", Tensor((n, 2))),), SIGNATURE.heads)).body.parts) for n in (5, 16, 500)] == [4, 6, 8]
