"""Gated recurrent units: (time, features) → (time, units) (Cho et al. 2014, arXiv:1406.1078)."""

from __future__ import annotations

from types import MappingProxyType

from netwright.layers.rnn import Recurrent

__all__ = ["LAYER"]


class Gru(Recurrent):
    """Attributes: ``units``."""

    name = "gru"
    gates = (1, 0, 2)  # reset, update, new → update, reset, new
    settings = MappingProxyType({"linear_before_reset": 1})


LAYER = Gru()
