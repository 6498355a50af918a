"""Networks for tables: a chain of linear layers, with widths, depth, activation, normalisation, dropout and residuals.

Residual blocks for tables as in Gorishniy et al. 2021, arXiv:2106.11959.
"""

from __future__ import annotations

from netwright.core.architecture import Signature
from netwright.core.contracts import Need
from netwright.core.space import Branches, Choice, Repeat, Seq, Space, op

__all__ = ["needs", "offers", "space"]

needs = frozenset({Need.TABLES})
offers = frozenset({Need.FINITE})

WIDTHS = (8, 16, 24, 32, 48, 64, 96, 128, 192, 256)


def space(signature: Signature) -> Space:
    """From a linear model (depth 0) to five hidden layers."""
    act = Choice(*(op("activation", kind=kind) for kind in ("relu", "gelu", "silu", "tanh")), name="activation")
    width = Choice(*WIDTHS, name="width")
    norm = Choice(op("identity"), op("batch_norm"), op("layer_norm"), name="norm")
    drop = op("dropout", rate=Choice(0.0, 0.1, 0.25, 0.5, name="dropout"))
    layer = Seq(op("linear", units=Choice(*WIDTHS)), norm, act, drop)
    inner = Seq(norm, op("linear", units=width), act, drop, op("linear", units=width))
    head = op("linear", units=signature.outputs)
    plain = Seq(layer, Repeat(layer, Choice(0, 1, 2, 3)), head)
    residual = Seq(op("linear", units=width), Repeat(Branches(inner, op("identity")), Choice(1, 2)), norm, act, head)
    return Space(Choice(head, plain, residual), name="mlp", signature=signature)
