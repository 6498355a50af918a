"""The options of a decision that is still open, added up. Counted like a sum: the shape of its inputs, which must agree."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from netwright.layers.sum import Sum

__all__ = ["LAYER"]


class Mix(Sum):
    """No attributes; any number of inputs."""

    def label(self, attrs: Mapping[str, Any]) -> str:
        return "mix"


LAYER = Mix()
