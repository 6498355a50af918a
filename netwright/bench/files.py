"""What a bench leaves in its folder: every query as Parquet, what it came to as JSON, and a page."""

from __future__ import annotations

import importlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from netwright.bench.page import page
from netwright.bench.play import Played
from netwright.bench.problem import Problem

__all__ = ["written"]


def written(folder: Path, problem: Problem, played: Sequence[Played], courses: Mapping[str, Any], told: dict[str, Any]) -> None:
    """Write them: each is whole or not there."""
    write: Any = importlib.import_module("netwright.stores.folders")
    write.write_bytes(folder / "queries.parquet", _parquet(problem, played))
    write.write_text(folder / "bench.json", json.dumps(told, ensure_ascii=False, allow_nan=False, indent=2) + "\n")
    write.write_text(folder / "bench.html", page(problem, courses, told, str(folder)))


def _parquet(problem: Problem, played: Sequence[Played]) -> bytes:
    """One row for each query of each search, and where trainings are seen before they are over, for each measurement."""
    import pyarrow
    from pyarrow import parquet

    keys = [objective.key for objective in problem.goal.objectives]
    columns: dict[str, list[Any]] = {name: [] for name in ("strategy", "seed", "query", "row", *keys, "best_so_far", "epochs")}
    columns |= {"cost": [], "ask_ms": []}
    for each in played:
        columns["strategy"] += [each.strategy] * len(each.query)
        columns["seed"] += [each.seed] * len(each.query)
        for place, key in enumerate(keys):
            columns[key] += [None if values is None else values[place] for values in each.values]
        columns["best_so_far"] += _best(problem, each)
        for name in ("query", "row", "epochs", "cost", "ask_ms"):
            columns[name] += getattr(each, name)
    kinds = {"strategy": pyarrow.dictionary(pyarrow.int32(), pyarrow.string()), "seed": pyarrow.int64()}
    kinds |= {"query": pyarrow.int32(), "row": pyarrow.int32(), "epochs": pyarrow.int32()}
    arrays = {name: pyarrow.array(values, kinds.get(name, pyarrow.float64())) for name, values in columns.items()}
    out = pyarrow.BufferOutputStream()
    parquet.write_table(pyarrow.table(arrays), out, compression="zstd")
    return bytes(out.getvalue())


def _best(problem: Problem, played: Played) -> list[float | None]:
    """The best so far of the first objective."""
    objective, best = problem.goal.primary, None
    found: list[float | None] = []
    for values in played.values:
        if values is not None and (best is None or objective.cost(values[0]) < objective.cost(best)):
            best = values[0]
        found.append(best)
    return found
