"""Networks for several inputs, say an image and a sound: a trunk for each, one for all, and a head for each task.

Where to join is searched: the question of Nagrani et al. 2021, arXiv:2107.00135.
Every input becomes a sequence of one width: maps (an image, a spectrogram) as patches, sequences (a sound, sensors) through a
convolution along time. Of all blocks, some stand in the trunks and the rest in the shared one, over all the sequences one after
the other; or all stand in the trunks, and their means are joined.
"""

from __future__ import annotations

from netwright.core.architecture import Signature, Tensor
from netwright.core.contracts import Need
from netwright.core.space import Branches, Choice, Input, Seq, Space, Term, Tie, op
from netwright.errors import SpaceError
from netwright.spaces._blocks import conv_norm

__all__ = ["needs", "offers", "space"]

needs = frozenset({Need.SEVERAL})
offers: frozenset[Need] = frozenset()

STEPS = 64
"""A sequence is shortened to about so many steps at most."""


def _start(name: str, tensor: Tensor, width: int) -> Term:
    """An input as a sequence, with a vector for each place."""
    shape = tensor.shape
    if len(shape) == 3:
        size = min(*shape[1:], max(1, max(shape[1:]) // 8))
        patches = op("conv", width=width, kernel=size, stride=size, padding=0, bias=True)
        first: Term = Seq(Choice(patches, Seq(conv_norm(width, 3, kind="relu"), patches)), op("tokens"))
    elif len(shape) == 2:
        stride = -(-shape[0] // STEPS)
        first = op("conv1d", width=width, kernel=Choice(3, 5, 7), stride=stride)
    else:
        raise SpaceError(f"input {name!r} is neither a map nor a sequence but {shape}", where="multimodal")
    return Tie(f"{name}.start", Seq(Input(name), first, op("position")))


def _block(width: int) -> Term:
    """What mixes over time, then what mixes features, each with a skip around it."""
    attention = op("attention", heads=Choice(1, 2, 4))
    over_time = Choice(attention, op("conv1d", width=width, kernel=Choice(3, 5)), op("gru", units=width))
    hidden = op("linear", units=Choice(width, 2 * width, 4 * width))
    features = Seq(hidden, op("activation", kind="gelu"), op("linear", units=width))
    mixing = Branches(Seq(op("layer_norm"), over_time), op("identity"))
    return Seq(mixing, Choice(Branches(Seq(op("layer_norm"), features), op("identity")), op("identity")))


def space(signature: Signature, *, width: int = 32, blocks: int = 4) -> Space:
    """The space for inputs and tasks of that kind. ``width`` is a multiple of 4."""
    block = _block(width)

    def trunk(name: str, tensor: Tensor, depth: int) -> Term:
        return Seq(_start(name, tensor, width), *(Tie(f"{name}.{i}", block) for i in range(depth)))

    def joined(depth: int) -> Term:
        """Blocks up to ``depth`` stand in the trunks."""
        trunks = [trunk(name, tensor, depth) for name, tensor in signature.inputs]
        if depth == blocks:
            means = Branches(*(Seq(each, op("layer_norm"), op("time_pool")) for each in trunks), join="concat")
            return Seq(means, op("linear", units=width))
        shared = [Tie(f"shared.{i}", block) for i in range(depth, blocks)]
        return Seq(Branches(*trunks, join="append"), *shared, op("layer_norm"), op("time_pool"))

    body = Choice(*(joined(depth) for depth in range(blocks + 1)), name="join")
    hidden = Choice(op("identity"), Seq(op("linear", units=width), op("activation", kind="gelu")))
    heads = tuple(Seq(hidden, op("linear", units=tensor.shape[0])) for _, tensor in signature.heads)
    return Space(body, name="multimodal", signature=signature, heads=heads)
