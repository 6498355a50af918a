"""Static quantisation to eight bits with ONNX Runtime, calibrated on training rows (Jacob et al. 2018, arXiv:1712.05877)."""

from __future__ import annotations

import logging
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx

__all__ = ["QUANTISED", "quantised"]

QUANTISED = (
    "Conv",
    "Gemm",
    "MatMul",
    "Relu",
    "MaxPool",
    "AveragePool",
    "GlobalAveragePool",
    "ReduceMean",
    "Flatten",
    "Reshape",
    "Add",
)
"""Operators worth it, or on the way between two that are. Scaling of raw values and of the target stays float."""


class _Rows:
    """What ONNX Runtime's calibration reads: one batch after another, then None."""

    def __init__(self, name: str, rows: npt.NDArray[Any]) -> None:
        self.left = [{name: rows[i : i + 32]} for i in range(0, len(rows), 32)]

    def get_next(self) -> dict[str, npt.NDArray[Any]] | None:
        return self.left.pop(0) if self.left else None


def quantised(model: bytes, rows: npt.NDArray[np.float32]) -> bytes:
    """The model with 8-bit weights (a scale for each output channel) and activations, in QDQ form."""
    from onnxruntime import quantization

    proto = onnx.load_from_string(model)
    constants = {tensor.name for tensor in proto.graph.initializer}
    shifts = [n.name for n in proto.graph.node if n.op_type == "Add" and constants.intersection(n.input)]  # no sum of branches
    with tempfile.TemporaryDirectory(prefix="netwright-") as place, warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        disabled = logging.root.manager.disable
        logging.disable(logging.WARNING)  # advice on preprocessing, which the exporter has done
        try:
            quantization.quantize_static(
                proto,
                str(Path(place) / "int8.onnx"),
                _Rows(proto.graph.input[0].name, rows),
                quant_format=quantization.QuantFormat.QDQ,
                op_types_to_quantize=list(QUANTISED),
                nodes_to_exclude=shifts,
                per_channel=True,
            )
        finally:
            logging.disable(disabled)
        made = onnx.load(str(Path(place) / "int8.onnx"))
    del made.metadata_props[:]
    made.metadata_props.extend(proto.metadata_props)
    written: bytes = made.SerializeToString()
    return written
