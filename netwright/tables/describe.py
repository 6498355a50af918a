"""What there is to know of a table before it is searched: rows, objectives with their range and noise, costs, as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from netwright.core.picks import replayed
from netwright.layers.canonical import canonical
from netwright.tables.schema import Column
from netwright.tables.table import Table
from netwright.tables.values import Asked

__all__ = ["described"]


def described(table: Table, compute: bool = False) -> dict[str, Any]:
    """Everything that ``netwright table describe`` says; ``compute``: also how many of its networks compute something of
    their own (``canonical``), beside whatever the table calls distinct. Raises :class:`DataError` for a key that does not fit
    the space."""
    about = table.described
    distinct = len({frozenset(trace.items()) for trace in table.traces})
    families = table.families.values()
    space = table.whole_space()
    return {
        "name": table.name,
        "title": about.title,
        "files": [str(path) for path in table.files],
        "rows": len(table) + table.dropped,
        "architectures": distinct,
        **({"canonical": len({canonical(replayed(space, trace)) for trace in table.traces})} if compute else {}),
        "doubled": table.dropped,
        "space": table.space,
        "settings": table.settings,
        "whole": about.whole,
        "signature": table.signature.to_json(),
        "key": list(about.key),
        "default": table.default,
        "objectives": [_objective(table, columns) for columns in families if columns[0].role == "objective"],
        "costs": [_cost(table, columns) for columns in families if columns[0].role == "cost"],
        "information": [_information(table, columns) for columns in families if columns[0].role == "info"],
        "licence": about.licence,
        "source": about.source,
        "made_by": about.made_by,
    }


def _objective(table: Table, columns: Sequence[Column]) -> dict[str, Any]:
    """A metric, over all of its budgets and seeds; range and missing at the largest budget, the mean of the seeds."""
    import numpy as np

    first = columns[0]
    asked = Asked(first.name, tuple(columns))
    curve = any(column.curve for column in columns)
    values = table.everywhere(asked)
    known = values[~np.isnan(values)]
    return {
        "name": first.name,
        "names": [f"{first.name}@{budget}" for budget in asked.budgets] or [first.name],
        "metric": first.metric,
        "unit": first.unit,
        "direction": first.direction,
        "split": first.split,
        "dataset": first.dataset,
        "budgets": list(asked.budgets),
        "curve": curve,
        "epochs": max((table.values(c).all(None).shape[1] for c in columns if c.curve), default=None),
        "seeds": sorted({column.seed for column in columns if column.seed is not None}),
        "low": float(known.min()) if len(known) else None,
        "high": float(known.max()) if len(known) else None,
        "missing": int(np.isnan(values).sum()),
        "noise": _noise(table, asked),
    }


def _noise(table: Table, asked: Asked) -> dict[str, float] | None:
    """Where there are seeds: how far they lie apart, and how well one half of them ranks the architectures as the other."""
    import numpy as np

    columns = asked.at(table.epochs)
    if len(columns) < 2:
        return None
    values = np.array([table.values(column).all(table.epochs) for column in columns])[:, table.rows]
    values = values[:, ~np.isnan(values).any(axis=0)]
    half = len(columns) // 2
    ranks = [_ranks(values[part].mean(axis=0)) for part in (slice(0, half), slice(half, None))]
    return {
        "std": float(np.median(values.std(axis=0, ddof=1))),
        "spread": float(values.mean(axis=0).std()),
        "halves": float(np.corrcoef(*ranks)[0, 1]),
    }


def _ranks(values: Any) -> Any:
    """Ranks from 0, equal values sharing their mean."""
    import numpy as np

    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = counts.cumsum()
    return (ends - (counts + 1) / 2)[place]


def _cost(table: Table, columns: Sequence[Column]) -> dict[str, Any]:
    rows = table.rows[:: max(1, len(table) // 1000)]
    seconds = [table.seconds(row, table.epochs, columns[0].dataset) for row in rows]
    known = [second for second in seconds if second == second]
    return {
        "name": columns[0].name,
        "dataset": columns[0].dataset,
        "curve": any(column.curve for column in columns),
        "seeds": sorted({column.seed for column in columns if column.seed is not None}),
        "mean_s": sum(known) / len(known),
        "low_s": min(known),
        "high_s": max(known),
    }


def _information(table: Table, columns: Sequence[Column]) -> dict[str, Any]:
    return {"name": columns[0].name, "columns": len(columns), "distinct": table.distinct(columns[0])}
