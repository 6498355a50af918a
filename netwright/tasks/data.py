"""What a person brings, read into images or a table."""

from __future__ import annotations

import difflib
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from netwright.errors import DataError
from netwright.tasks import tables
from netwright.tasks.folder import from_folder
from netwright.tasks.image import Images, laid_out
from netwright.tasks.tables import Table

__all__ = ["BUNDLED", "OPTIONS", "checked", "read"]

BUNDLED = ("digits", "wine", "breast_cancer", "diabetes", "iris")
"""Real data that comes with scikit-learn: no download."""

OPTIONS = ("batch", "smoothing", "size", "shift", "flip", "warp")

Array = npt.NDArray[Any]
Source = Images | Table
_X, _Y = ("x", "X", "images", "data", "features"), ("y", "Y", "labels", "label", "target", "targets")


def checked(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options, if their names and values are known."""
    for name, value in options.items():
        if name not in OPTIONS:
            close = difflib.get_close_matches(name, OPTIONS, n=1)
            todo = f"Did you mean {close[0]!r}?" if close else f"Known: {', '.join(OPTIONS)}."
            raise DataError(f"unknown task option {name!r}", todo=todo)
        least = {"batch": 2, "smoothing": 0, "shift": 0, "warp": 0}.get(name)
        if least is not None and (isinstance(value, bool) or not isinstance(value, (int, float)) or value < least):
            raise DataError(f"option {name} is {value!r}", todo=f"It is a number, {least} or more.")
    return dict(options)


def read(
    data: Any, *, target: str | None, options: Mapping[str, Any], like: Mapping[str, Any] | None = None
) -> tuple[Source, Source | None]:
    """The data, and the test set that came with it, if one did. ``like``: the channels and size that images are to have."""
    if isinstance(data, (str, Path)):
        if str(data) in BUNDLED and not Path(data).exists():
            return _bundled(str(data)), None
        return _path(Path(data).expanduser(), options, like)
    if isinstance(data, (Images, Table)):
        return data, None
    if _is_set(data):
        return _from_set(data, "data"), None
    if isinstance(data, (tuple, list)) and len(data) == 2:
        if all(_is_set(part) for part in data):
            return _from_set(data[0], "data"), _from_set(data[1], "test data")
        return from_arrays(*data, where="data"), None
    raise DataError(
        f"data cannot be a {type(data).__name__}",
        todo="Give a path, a bundled name, arrays (x, y), torch data sets, or a Task.",
    )


def _path(path: Path, options: Mapping[str, Any], like: Mapping[str, Any] | None) -> tuple[Source, Source | None]:
    if not path.exists():
        close = difflib.get_close_matches(path.name, BUNDLED, n=1)
        todo = f"Did you mean {close[0]!r}?" if close else f"Check the path, or use bundled data: {', '.join(BUNDLED)}."
        raise DataError("no such file or folder", where=str(path), todo=todo)
    if path.is_dir():
        return from_folder(path, options, like), None
    if path.suffix.lower() == ".npz":
        return _npz(path)
    if path.suffix.lower() in tables.SUFFIXES:
        return tables.read(path), None
    raise DataError(
        f"a {path.suffix or 'file without a suffix'} cannot be read",
        where=str(path),
        todo=f"Known: a folder of images, .npz, {', '.join(tables.SUFFIXES)}.",
    )


def _bundled(name: str) -> Source:
    from sklearn import datasets

    found = getattr(datasets, f"load_{name}")()
    x, y = np.asarray(found.data), np.asarray(found.target)
    if name == "digits":
        classes = [str(c) for c in found.target_names]
        pixels = x.reshape(-1, 1, 8, 8).astype(np.uint8)
        return Images(name, pixels, y, range(len(y)), classes, notes=["pixel values 0…16 as stored"])
    labels: Any = y if name == "diabetes" else [str(found.target_names[i]) for i in y]
    columns = dict(zip([str(f) for f in found.feature_names], x.T, strict=True))
    return Table(name, columns, len(y), labels=labels)


def _npz(path: Path) -> tuple[Source, Source | None]:
    """Arrays x and y, or x_train, y_train, x_test, y_test: the file's own test rows are then the test split."""
    where = str(path)
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            arrays = {key: file[key] for key in file.files}
    except (ValueError, OSError, EOFError, zipfile.BadZipFile, KeyError, TypeError, AttributeError) as error:
        if "allow_pickle" in str(error):
            raise DataError(
                "holds Python objects, which are never unpickled", where=where, todo="Save plain arrays of numbers or text."
            ) from None
        raise DataError("not a readable .npz file", where=where, todo="Save it again with numpy.savez.") from None
    names = [str(c) for c in arrays.get("class_names", arrays.get("classes", []))]

    def pair(*ends: str) -> tuple[Array, Array] | None:
        found = [next((arrays[k + e] for e in ends for k in keys if k + e in arrays), None) for keys in (_X, _Y)]
        return (found[0], found[1]) if found[0] is not None and found[1] is not None else None

    train, test = pair("_train", "") or pair("_tr"), pair("_test")
    if train is None:
        raise DataError(
            f"no arrays x and y among {', '.join(list(arrays)[:8]) or 'none'}",
            where=where,
            todo="Name them x, y or x_train, y_train, x_test, y_test.",
        )
    made = from_arrays(*train, where=path.stem, classes=names)
    if test is None:
        return made, None
    own = from_arrays(*test, where=f"{path.stem} (test)", classes=names)
    made.notes.append("the file's own test rows are the test split")
    return made, own


def _plain(values: Any, where: str) -> Array:
    """A torch tensor, a list or an array → an array of numbers or text."""
    array = values.detach().cpu().numpy() if hasattr(values, "detach") else np.asarray(values)
    if array.dtype.kind == "O":
        raise DataError("an array of Python objects", where=where, todo="Bring plain arrays of numbers or text.")
    return array


def from_arrays(x: Any, y: Any, *, where: str, classes: Sequence[str] = ()) -> Source:
    """Arrays with three or four dimensions are images, with two a table."""
    x, y = _plain(x, where), _plain(y, where)
    y = y.reshape(-1) if y.ndim == 2 and y.shape[1] == 1 else y
    if y.ndim != 1 or x.ndim < 1 or len(x) != len(y):
        raise DataError(f"x has shape {x.shape} and y {y.shape}", where=where, todo="Bring one label for each row of x.")
    if not len(x):
        raise DataError("no rows", where=where, todo="Bring some data.")
    if x.dtype.kind not in "iufb":
        raise DataError(f"x holds {x.dtype}, not numbers", where=where, todo="Bring numbers, or a CSV file.")
    if classes and (y.dtype.kind not in "iu" or y.min() < 0 or y.max() >= len(classes)):
        raise DataError(f"labels do not fit the {len(classes)} class names", where=where, todo="Bring labels from 0.")
    if x.ndim in (3, 4):
        return Images(where, laid_out(x, where), y, range(len(y)), classes)
    if x.ndim == 2:
        columns = {f"x{i}": x[:, i].astype(np.float64) for i in range(x.shape[1])}
        return Table(where, columns, len(y), labels=[classes[i] for i in y] if classes else y)
    raise DataError(
        f"x has shape {x.shape}", where=where, todo="Bring (rows, columns), or images (N, H, W), (N, C, H, W) or (N, H, W, C)."
    )


def _is_set(data: Any) -> bool:
    from torch.utils.data import Dataset

    return isinstance(data, Dataset)


def _from_set(data: Any, where: str) -> Source:
    """Every example once, in order, into arrays."""
    from torch.utils.data import IterableDataset, TensorDataset

    if isinstance(data, IterableDataset) or not hasattr(data, "__len__"):
        raise DataError("a data set without a length", where=where, todo="Bring one with __len__ and __getitem__, or arrays.")
    if not len(data):
        raise DataError("no rows", where=where, todo="Bring some data.")
    classes = [str(c) for c in getattr(data, "classes", ())]
    if type(data) is TensorDataset and len(data.tensors) == 2:
        return from_arrays(*data.tensors, where=where, classes=classes)
    first = _example(data, 0, where)
    _check_memory(first[0].nbytes, len(data), where)
    x = np.empty((len(data), *first[0].shape), dtype=first[0].dtype)
    y = []
    for i in range(len(data)):
        row, label = _example(data, i, where)
        if row.shape != first[0].shape:
            todo = "Resize in the data set."
            raise DataError(f"example {i} has shape {row.shape}, example 0 has {first[0].shape}", where=where, todo=todo)
        x[i] = row
        y.append(label)
    return from_arrays(x, np.array(y), where=where, classes=classes)


def _example(data: Any, i: int, where: str) -> tuple[Array, Any]:
    try:
        row, label = data[i]
    except (TypeError, ValueError) as error:
        raise DataError(
            f"example {i} is not a pair (x, y): {str(error)[:60]}", where=where, todo="Return one x and one y."
        ) from None
    return _plain(row, where), label.item() if hasattr(label, "item") else label


def _check_memory(each: int, rows: int, where: str) -> None:
    import psutil

    free = psutil.virtual_memory().available
    if each * rows * 3 > free:
        raise DataError(
            f"{rows} examples take {each * rows / 2**30:.1f} GiB, thrice that in preparation; {free / 2**30:.1f} GiB are free",
            where=where,
            todo="Bring smaller examples (uint8, fewer pixels) or fewer of them.",
        )
