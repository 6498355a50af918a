"""Image networks as a chain of blocks in stages: kinds of convolution, kernels, widths, depth, skips, pooling, activation.

The blocks are the field's own: plain convolutions, depthwise-separable ones (Howard et al. 2017, arXiv:1704.04861) and
inverted bottlenecks (Sandler et al. 2018, arXiv:1801.04381), each with an optional residual (He et al. 2016, arXiv:1512.03385).
"""

from __future__ import annotations

from netwright.core.architecture import Signature
from netwright.core.contracts import Need
from netwright.core.space import Branches, Choice, Repeat, Seq, Space, Term, op

__all__ = ["needs", "offers", "space"]

needs = frozenset({Need.IMAGES})
offers = frozenset({Need.FINITE})

WIDTHS = (4, 6, 8, 12, 16, 24, 32, 48, 64)
SMALLEST_MAP = 4
"""Stages are added while the map stays at least this many pixels wide."""


def _conv(act: Term, width: Choice | int, kernel: Choice | int, stride: Choice | int = 1, groups: int = 1) -> Term:
    return Seq(
        op("conv", width=width, kernel=kernel, stride=stride, groups=groups),
        op("batch_norm"),
        act,
    )


def _block(stage: int, act: Term) -> Term:
    """One block at the stage's width, or nothing's equal with a skip around it."""
    width = Choice(*WIDTHS, name=f"width{stage}")
    plain = _conv(act, width, Choice(1, 3, 5))
    separable = Seq(
        op("conv", kernel=Choice(3, 5), groups=0),
        op("batch_norm"),
        _conv(act, width, 1),
    )
    bottleneck = Seq(
        op("conv", ratio=Choice(2, 3, 4), kernel=1),
        op("batch_norm"),
        act,
        op("conv", kernel=Choice(3, 5), groups=0),
        op("batch_norm"),
        act,
        op("conv", width=width, kernel=1),
        op("batch_norm"),
    )
    kinds = Choice(plain, separable, bottleneck)
    return Choice(kinds, Branches(kinds, op("identity"), project=True))


def space(signature: Signature) -> Space:
    """The chain for images of that size: one stage more for each halving down to about four pixels, at most four."""
    smallest = min(signature.inputs[0][1].shape[1:])
    stages = 1
    while smallest // 2**stages >= SMALLEST_MAP and stages < 4:
        stages += 1
    act = Choice(*(op("activation", kind=kind) for kind in ("relu", "hardswish", "silu")), name="activation")
    large = smallest >= 48
    parts: list[Term] = [_conv(act, Choice(*WIDTHS, name="width0"), Choice(3, 5), stride=2 if large else 1)]
    for stage in range(stages):
        if stage:
            parts.append(Choice(op("max_pool", kernel=2, stride=2), op("avg_pool", kernel=2, stride=2)))
        parts.append(Repeat(_block(stage, act), Choice(0, 1, 2, 3) if stage == 0 else Choice(1, 2, 3)))
    last = op("linear", units=signature.outputs)
    halved = Seq(op("max_pool", kernel=2, stride=2), op("flatten"), last)
    parts.append(Choice(Seq(op("global_pool"), last), halved, Seq(op("flatten"), last), name="head"))
    return Space(Seq(*parts), name="chain", signature=signature)
