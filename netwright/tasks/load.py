"""From what a person brings (a name, a path, arrays, a data set, a task) to a task."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from netwright.core.contracts import Task
from netwright.errors import DataError
from netwright.tasks import data as sources
from netwright.tasks.arrays import ArrayTask
from netwright.tasks.image import Images, image_task
from netwright.tasks.own import OwnTask
from netwright.tasks.sealed import Sealed
from netwright.tasks.tables import Table

__all__ = ["BUNDLED", "load", "restore"]

BUNDLED = sources.BUNDLED
"""Real data that comes with scikit-learn: no download."""


def load(
    data: Any,
    *,
    target: str | None = None,
    test: Any = None,
    split_by: str | None = None,
    seed: int = 0,
    task: str | None = None,
    options: Mapping[str, Any] | None = None,
) -> Sealed:
    """A task from ``data``: a bundled name, a folder of images, a .csv, .tsv, .parquet or .npz file, arrays ``(x, y)``,
    one or two torch data sets, or a task, which is returned as it is.

    ``test``: a test set of one's own. ``split_by``: a column of times or groups. ``task``: classification or regression, else
    inferred. ``options``: batch 64, smoothing, and for images size, shift, flip, warp. Raises :class:`DataError`, one line.
    """
    if isinstance(data, Task):
        return data if isinstance(data, Sealed) else OwnTask(data)
    options = sources.checked(options or {})
    brought, own = sources.read(data, target=target, options=options)
    if test is not None:
        like = brought.facts.get("image") if isinstance(brought, Images) else None
        own, beside = sources.read(test, target=target, options=options, like=like)
        if beside is not None:
            raise DataError(f"{own.where} holds train and test rows of its own", todo="Give the test rows alone as the test set.")
    if type(own) is not type(brought) and own is not None:
        raise DataError("the data and the test set are not of the same kind", todo="Give images for both, or tables for both.")
    if isinstance(brought, Table):
        from netwright.tasks.tabular import table_task

        assert own is None or isinstance(own, Table)
        return table_task(brought, target=target, test=own, split_by=split_by, seed=seed, kind=task, options=options)
    if split_by is not None:
        raise DataError(
            f"split-by {split_by!r}: images have no columns",
            where=brought.where,
            todo="Leave it out, or bring a test set of your own.",
        )
    if target not in (None, "class"):
        raise DataError(f"images have no column {target!r}", where=brought.where, todo="Leave the target out: it is the class.")
    assert own is None or isinstance(own, Images)
    return image_task(brought, test=own, seed=seed, kind=task, options=options)


def restore(folder: Path | str) -> ArrayTask:
    """The task that ``ArrayTask.save(folder)`` wrote: train and validation rows, mapped from the disk; no test rows."""
    return ArrayTask.restored(folder)
