"""Sets a share of the numbers to zero while training (Srivastava et al. 2014, JMLR 15:1929)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from netwright.core.architecture import Tensor
from netwright.errors import SpaceError
from netwright.layers.base import Layer, OnnxNode

__all__ = ["LAYER"]


class Dropout(Layer):
    """Attributes: ``rate``. Does nothing when predicting."""

    attributes = ("rate",)
    channelwise = True

    def shape(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Tensor:
        if not 0 <= attrs["rate"] < 1:
            raise SpaceError(f"dropout rate {attrs['rate']} is outside [0, 1)")
        return inputs[0]

    def view(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> bool:
        return True

    def keeps_zero(self, attrs: Mapping[str, Any]) -> bool:
        return True

    def source(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> str:
        return f"F.dropout(x0, {attrs['rate']}, self.training)"

    def onnx(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Sequence[OnnxNode]:
        return []

    def label(self, attrs: Mapping[str, Any]) -> str:
        return f"dropout {attrs['rate']:g}"


LAYER = Dropout()
