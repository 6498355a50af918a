"""Networks for sequences: residual stages of convolutions along time (Wang et al. 2017, arXiv:1611.06455).

Convolutions are plain, dilated (Bai et al. 2018, arXiv:1803.01271) or depthwise-separable.
"""

from __future__ import annotations

from netwright.core.architecture import Signature
from netwright.core.contracts import Need
from netwright.core.space import Branches, Choice, Repeat, Seq, Space, Term, op

__all__ = ["needs", "offers", "space"]

needs = frozenset({Need.SEQUENCES})
offers = frozenset({Need.FINITE})

SHORTEST = 8
"""Stages are added while the sequence stays at least this long."""


def _block(width: Choice, act: Choice, kernels: tuple[int, ...]) -> Term:
    """A convolution of one of three kinds, with its batch normalization and activation."""
    end = (op("batch_norm"), act)
    kernel = Choice(*kernels)
    plain = Seq(op("conv1d", width=width, kernel=kernel), *end)
    dilated = Seq(op("conv1d", width=width, kernel=3, dilation=Choice(2, 4)), *end)
    separable = Seq(op("conv1d", kernel=kernel, groups=0), op("conv1d", width=width, kernel=1), *end)
    return Choice(plain, dilated, separable)


def space(
    signature: Signature,
    *,
    widths: tuple[int, ...] = (8, 16, 32, 64, 128),
    kernels: tuple[int, ...] = (3, 5, 7, 9),
    stages: int = 0,
) -> Space:
    """The space for sequences of that length: one stage more for each halving down to about eight steps, at most three."""
    steps, _ = signature.inputs[0][1].shape
    stages = stages or 1 + sum(steps // 2**halved >= SHORTEST for halved in (1, 2))
    act = Choice(*(op("activation", kind=kind) for kind in ("relu", "gelu", "silu")), name="activation")
    parts: list[Term] = []
    for stage in range(stages):
        width = Choice(*widths, name=f"width{stage}")
        start = op("conv1d", width=width, kernel=Choice(*kernels), stride=2 if stage else 1)
        body = _block(width, act, tuple(kernels))
        parts += [Seq(start, op("batch_norm"), act)]
        parts += [Repeat(Choice(body, Branches(body, op("identity"))), Choice(0, 1, 2, 3))]
    pool = Choice(*(op("time_pool", kind=kind) for kind in ("mean", "max", "last")))
    return Space(Seq(*parts, pool, op("linear", units=signature.outputs)), name="conv1d", signature=signature)
