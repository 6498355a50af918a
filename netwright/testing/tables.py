"""A tiny table of measured architectures, made up: what readers of tables and searches over them are tested with."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

from netwright.core.seeds import stream
from netwright.spaces.nasbench201 import EDGES, OPS

__all__ = ["EPOCHS", "described", "rows", "tiny", "write"]

EPOCHS = 9
_KINDS = (0, 1, 3)


def rows() -> list[dict[str, Any]]:
    """81 cells of NAS-Bench-201: three kinds of operation on four of its edges, with curves of two trainings each."""
    found = []
    for number, kinds in enumerate(product(_KINDS, repeat=4)):
        codes = (*kinds, 1, 1)
        nodes = ["", "", ""]
        for (start, end), code in zip(EDGES, codes, strict=True):
            nodes[end - 1] += f"{OPS[code]}~{start}|"
        heavy, rng = codes.count(3), stream(0, number, "tiny table")
        top = 0.5 + 0.1 * heavy + 0.01 * codes[0]
        row: dict[str, Any] = {"arch": "+".join(f"|{node}" for node in nodes), "class": str(heavy)}
        for seed in (0, 1):
            noise = rng.uniform(-0.01, 0.01)
            row[f"val.{seed}"] = [round(top * (1 - 0.5**epoch) + noise, 6) for epoch in range(1, EPOCHS + 1)]
            row[f"test.{seed}"] = [round(value - 0.02, 6) for value in row[f"val.{seed}"]]
            row[f"seconds.{seed}"] = [10.0 + heavy] * EPOCHS
        row |= {"params": 100 * (1 + heavy), "phone": 1.0 + heavy + 0.1 * codes[1]}
        found.append(row)
    return found


def described(**changes: Any) -> dict[str, Any]:
    """What the tiny table says of itself."""
    curve = {"curve": True, "dataset": "toy", "metric": "accuracy", "direction": "maximize"}
    told: dict[str, Any] = {
        "schema": 1,
        "name": "tiny",
        "title": "A made-up table of 81 cells",
        "space": "nasbench201",
        "settings": {"width": 4, "cells": 1},
        "signature": {"inputs": {"x": {"shape": [1, 8, 8]}}, "heads": {"y": {"shape": [10]}}},
        "key": ["arch"],
        "columns": [
            {"pattern": r"val\.(?P<seed>\d)", "name": "val_acc", "seed": "{seed}", "split": "validation", **curve},
            {"pattern": r"test\.(?P<seed>\d)", "name": "test_acc", "seed": "{seed}", "split": "test", **curve},
            {"pattern": r"seconds\.(?P<seed>\d)", "name": "training_s", "seed": "{seed}", "role": "cost", "curve": True},
            {"field": "params"},
            {"field": "phone", "name": "latency_ms@phone"},
        ],
        "licence": "CC0-1.0",
        "source": "made up",
    }
    return {**told, **changes}


def write(path: Path, rows: Sequence[Mapping[str, Any]], about: Mapping[str, Any] | None) -> Path:
    """A Parquet file of these rows, which says of itself what ``about`` says."""
    import pyarrow
    import pyarrow.parquet as parquet

    table = pyarrow.table({name: [row[name] for row in rows] for name in rows[0]})
    metadata = {} if about is None else {"netwright": json.dumps(about)}
    parquet.write_table(table.replace_schema_metadata(metadata), path, compression="zstd")
    return path


def tiny(folder: Path, **changes: Any) -> Path:
    """The tiny table in a folder."""
    return write(folder / "tiny.parquet", rows(), described(**changes))
