"""Long short-term memory: (time, features) → (time, units) (Hochreiter & Schmidhuber 1997, Neural Computation 9:1735)."""

from __future__ import annotations

from netwright.layers.rnn import Recurrent

__all__ = ["LAYER"]


class Lstm(Recurrent):
    """Attributes: ``units``."""

    name = "lstm"
    gates = (0, 3, 1, 2)  # input, forget, cell, output → input, output, forget, cell


LAYER = Lstm()
