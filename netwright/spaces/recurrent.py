"""Stacked recurrent networks for sequences, layer by layer.

Layers are Elman's (1990, Cognitive Science 14:179), GRU (Cho et al. 2014, arXiv:1406.1078) or LSTM (Hochreiter & Schmidhuber
1997, doi:10.1162/neco.1997.9.8.1735).
"""

from __future__ import annotations

from netwright.core.architecture import Signature
from netwright.core.contracts import Need
from netwright.core.space import Choice, Range, Repeat, Seq, Space, op

__all__ = ["needs", "offers", "space"]

needs = frozenset({Need.SEQUENCES})
offers = frozenset({Need.FINITE})


def space(signature: Signature, *, units: tuple[int, ...] = (8, 16, 32, 64, 128), deepest: int = 3) -> Space:
    """One to ``deepest`` layers, each of its own kind and width, what is read off at the end, and a linear layer."""
    layer = Choice(*(op(kind, units=Choice(*units)) for kind in ("rnn", "gru", "lstm")))
    drop = Choice(op("identity"), *(op("dropout", rate=rate) for rate in (0.1, 0.25, 0.5)), name="dropout")
    read = Choice(*(op("time_pool", kind=kind) for kind in ("last", "mean", "max")), name="read")
    parts = (Repeat(Seq(layer, drop), Range(1, deepest)), read, op("linear", units=signature.outputs))
    return Space(Seq(*parts), name="recurrent", signature=signature)
