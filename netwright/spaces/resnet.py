"""Residual networks (He et al. 2016, arXiv:1512.03385): depth and width of each stage."""

from __future__ import annotations

from netwright.core.architecture import Signature
from netwright.core.contracts import Need
from netwright.core.space import Branches, Choice, Repeat, Seq, Space, Term, op
from netwright.spaces._blocks import conv_norm

__all__ = ["needs", "offers", "space"]

needs = frozenset({Need.IMAGES})
offers = frozenset({Need.FINITE})

LARGE = 96
"""Images from this size on get the stem for ImageNet, which divides the map by four, and four stages; others three."""


def _block(width: Choice, stride: int, skip: Term) -> Term:
    """Two 3×3 convolutions, and what goes around them."""
    relu = op("activation", kind="relu")
    return Seq(Branches(Seq(conv_norm(width, 3, stride, "relu"), conv_norm(width, 3)), skip), relu)


def space(signature: Signature, *, width: int = 0, stages: int = 0, deepest: int = 6) -> Space:
    """The space for images of that size. ``width``: channels of the first stage (16, or 64 for large images), which it may have
    half, three quarters, one and a half times or twice as many of; each later stage has twice the channels of the one before."""
    large = min(signature.inputs[0][1].shape[1:]) >= LARGE
    width, stages = width or (64 if large else 16), stages or (4 if large else 3)
    parts: list[Term] = []
    for stage in range(stages):
        widths = sorted({max(1, width * 2**stage * part // 4) for part in (2, 3, 4, 6, 8)})
        wide = Choice(*widths, name=f"width{stage}")
        depths = range(deepest) if stage else range(1, deepest + 1)  # beside the block that halves the map
        if stage:
            parts.append(_block(wide, 2, conv_norm(wide, 1, 2)))
        else:
            parts.append(conv_norm(wide, 7 if large else 3, 2 if large else 1, "relu"))
            parts += [op("max_pool", kernel=3, stride=2, padding=1)] if large else []
        if any(depths):
            parts.append(Repeat(_block(wide, 1, op("identity")), Choice(*depths, name=f"more{stage}")))
    parts += [op("global_pool"), op("linear", units=signature.outputs)]
    return Space(Seq(*parts), name="resnet", signature=signature)
