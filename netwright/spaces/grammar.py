"""A context-free grammar of image networks (after Schrodi et al. 2023, arXiv:2211.01842): how blocks are made, no list of them.

Its words are convolution, attention, recurrence, mixing over time, branching and routing; its rules put them one after another,
beside one another, around one another, as deep as ``max_depth``. Blocks that people invented are among its sentences: the basic
block of a ResNet (He et al. 2016, arXiv:1512.03385), the encoder block of a ViT (Dosovitskiy et al. 2021, arXiv:2010.11929), the
block of an MLP-Mixer (Tolstikhin et al. 2021, arXiv:2105.01601).
"""

from __future__ import annotations

from netwright.core.architecture import Signature
from netwright.core.contracts import Need
from netwright.core.space import Branches, Choice, Graph, Ref, Repeat, Seq, Space, Term, op
from netwright.spaces._blocks import conv_norm

__all__ = ["needs", "offers", "space"]

needs = frozenset({Need.IMAGES})
offers: frozenset[Need] = frozenset()


def _routed(rule: str) -> Term:
    """Two experts, weighed by what comes in."""
    return Graph([("one", Ref(rule), "x"), ("other", Ref(rule), "x"), ("routed", op("route"), ("x", "one", "other"))])


def _maps(width: int) -> Term:
    """Map → map, of one width and size."""
    one = Ref("map")
    separable = Seq(op("conv", kernel=Choice(3, 5), groups=0), op("batch_norm"), conv_norm(width, 1))
    return Choice(
        Seq(one, one),
        Branches(one, op("identity")),
        Branches(one, one),
        Seq(Branches(one, one, join="concat"), conv_norm(width, 1)),
        _routed("map"),
        conv_norm(width, Choice(1, 3, 5)),
        separable,
        op("squeeze_excite"),
        op("activation", kind="relu"),
        op("identity"),
    )


def _perceptron(units: int) -> Term:
    """Over the last axis, which has so many units."""
    return Seq(op("linear", units=Choice(units, 2 * units, 4 * units)), op("activation", kind="gelu"), op("linear", units=units))


def _residual(rule: str) -> Term:
    """With or without a normalisation before it."""
    return Branches(Seq(Choice(op("layer_norm"), op("identity")), Ref(rule)), op("identity"))


def _sequences(width: int) -> Term:
    """(time, width) → (time, width)."""
    one = Ref("sequence")
    return Choice(
        Seq(one, one),
        _residual("sequence"),
        Branches(one, one),
        _routed("sequence"),
        Seq(op("transpose"), Ref("turned"), op("transpose")),
        op("attention", heads=Choice(1, 2, 4)),
        Choice(op("gru", units=width), op("lstm", units=width)),
        op("conv1d", width=width, kernel=Choice(3, 5)),
        _perceptron(width),
        op("identity"),
    )


def _turned(steps: int) -> Term:
    """(width, time) → (width, time): what mixes over time."""
    one = Ref("turned")
    return Choice(Seq(one, one), _residual("turned"), _perceptron(steps), op("linear", units=steps), op("identity"))


def space(signature: Signature, *, width: int = 16, max_depth: int = 6) -> Space:
    """The space for images of that size. ``max_depth``: how deep rules may stand inside rules; ``width`` a multiple of 4."""
    _, high, wide = signature.inputs[0][1].shape
    size = max(2, min(high, wide) // 8)  # about 8 patches down and across
    cut = op("conv", width=width, kernel=size, stride=size, padding=0, bias=True)
    patches = Seq(cut, op("tokens"), Choice(op("position"), op("identity")))
    ending = Seq(Choice(op("layer_norm"), op("identity")), op("time_pool"))
    sequence = Seq(patches, Repeat(Ref("sequence"), Choice(1, 2, 3)), ending)
    blocks = Repeat(Ref("map"), Choice(1, 2, 3))
    smaller = Seq(conv_norm(width, 3, 2, "relu"), blocks)
    maps = Seq(conv_norm(width, 3, 1, "relu"), blocks, Choice(Seq(Repeat(smaller, Choice(0, 1)), op("global_pool")), sequence))
    steps = (high // size) * (wide // size)
    rules = {"map": _maps(width), "sequence": _sequences(width), "turned": _turned(steps)}
    body = Seq(Choice(maps, sequence), op("linear", units=signature.outputs))
    return Space(body, name="grammar", rules=rules, max_depth=max_depth, signature=signature)
