"""The options of a decision that is still open, added up. Counted like a sum: the shape of its inputs, which must agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from netwright.core.architecture import Tensor
from netwright.errors import SpaceError
from netwright.layers.sum import Sum

__all__ = ["LAYER"]


class Mix(Sum):
    """No attributes; any number of inputs."""

    def shape(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Tensor:
        found = sorted({x.shape for x in inputs})
        if len(found) > 1:
            raise SpaceError(
                f"the options give different shapes, {' and '.join(map(str, found))}, which cannot be mixed",
                todo="Put what makes them one shape (a linear layer, a projection) inside the options.",
            )
        return inputs[0]

    def label(self, attrs: Mapping[str, Any]) -> str:
        return "mix"


LAYER = Mix()
