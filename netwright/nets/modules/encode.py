"""Columns of a table to features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn

from netwright.core.architecture import Tensor

__all__ = ["Encode", "build"]


class Encode(nn.Module):
    """Fills and scales numbers, flags missing ones where asked, spreads a category over one feature per code.

    ``columns``: ("number", fill, mean, std), the same with 1 for a flag, or ("category", number of codes).
    """

    number: torch.Tensor
    flag: torch.Tensor
    column: torch.Tensor
    value: torch.Tensor
    mean: torch.Tensor
    std: torch.Tensor

    def __init__(self, columns: tuple[tuple[str | float, ...], ...]) -> None:
        super().__init__()
        # is it a number, is it a flag, its column, fill or code, mean, std
        rows: list[tuple[str | float, ...]] = []
        for column, (kind, *given) in enumerate(columns):
            if kind == "category":
                rows += [(0, 0, column, code, 0, 1) for code in range(int(given[0]))]
                continue
            rows.append((1, 0, column, *given[:3]))
            if any(given[3:]):
                rows.append((0, 1, column, 0, 0, 1))
        table = torch.tensor(rows, dtype=torch.float32).T
        dtypes = {"number": torch.bool, "flag": torch.bool, "column": torch.int64}
        for row, name in enumerate(("number", "flag", "column", "value", "mean", "std")):
            self.register_buffer(name, table[row].to(dtypes.get(name, torch.float32)), persistent=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x[:, self.column]
        gaps = x.isnan()
        scaled = (torch.where(gaps, self.value, x) - self.mean) / self.std
        # Floats, as ONNX Runtime has no Where over booleans.
        indicator = torch.where(self.flag, gaps.float(), (x == self.value).float())
        return torch.where(self.number, scaled, indicator)


def build(inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> nn.Module:
    return Encode(attrs["columns"])
