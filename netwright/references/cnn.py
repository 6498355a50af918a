"""A fixed small convolutional network, as a tutorial would write it: two convolutions, two poolings, one linear layer."""

from __future__ import annotations

from netwright.core.architecture import Architecture, Signature
from netwright.core.picks import everything
from netwright.core.space import Seq, Space, Term, op

__all__ = ["applies", "architecture"]


def applies(kind: str, rows: int, features: int, classes: int) -> str:
    return ""


def architecture(signature: Signature) -> Architecture:
    """Widths 16 and 32, kernels 3×3, ReLU, max-pooling while the map is large enough."""
    parts: list[Term] = []
    size = min(signature.inputs[0][1].shape[1:])
    for width in (16, 32):
        parts += [op("conv", width=width, kernel=3, bias=True), op("activation", kind="relu")]
        if size >= 2:
            parts.append(op("max_pool", kernel=2, stride=2))
            size //= 2
    if size > 8:  # a large picture: a linear layer over all its places would be the whole network
        parts.append(op("global_pool"))
    parts += [op("flatten")] * (size <= 8) + [op("linear", units=signature.outputs)]
    return everything(Space(Seq(*parts), name="cnn", signature=signature))
