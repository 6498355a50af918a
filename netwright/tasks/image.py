"""Images: from a folder with one subfolder per class, or from arrays, to a task with pixel values as stored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from netwright.core.architecture import Frame, Signature, Tensor
from netwright.errors import DataError
from netwright.tasks.arrays import ArrayTask, Part
from netwright.tasks.labels import Labels, read_labels
from netwright.tasks.raw import IMAGE_SUFFIXES, image_files, image_size, read_image
from netwright.tasks.split import SHARES, contents, split_rows

__all__ = ["Images", "from_folder", "image_task", "laid_out"]

LONGEST = 64
"""Pixels that the longer side has at most where no size is asked for."""

Array = npt.NDArray[Any]


@dataclass
class Images:
    """``x``: (N, C, H, W), uint8 or float32; ``y``: labels as they came; ``ids``: row numbers or file names."""

    name: str
    x: Array
    y: Sequence[Any] | Array
    ids: Sequence[int | str]
    classes: Sequence[str] = ()
    facts: dict[str, Any] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def from_folder(folder: Path, options: Mapping[str, Any], like: Mapping[str, Any] | None = None) -> Images:
    """Read a folder with one subfolder per class. ``like``: channels and size of the images it is to be tested with."""
    where = str(folder)
    classes = sorted(p.name for p in folder.iterdir() if p.is_dir() and not p.name.startswith(".") and image_files(p))
    _check_classes(folder, classes)
    loose = sum(p.suffix.lower() in IMAGE_SUFFIXES for p in folder.iterdir() if p.is_file())
    files = [(file, label) for label, name in enumerate(classes) for file in image_files(folder / name)]
    heads: list[tuple[Path, int, tuple[int, int, bool]]] = []
    skipped: list[dict[str, str]] = []
    for file, label in files:
        try:
            heads.append((file, label, image_size(file)))
        except DataError as error:
            skipped.append({"file": file.relative_to(folder).as_posix(), "reason": error.what})
    if not heads:
        raise DataError(f"none of its {len(files)} images can be read", where=where, todo=f"First: {skipped[0]['reason']}.")
    spec = dict(like) if like else _spec([head for _, _, head in heads], options)
    pixels = np.empty((len(heads), spec["channels"], spec["height"], spec["width"]), dtype=np.uint8)
    labels: list[int] = []
    ids: list[int | str] = []
    for file, label, _ in heads:
        name = file.relative_to(folder).as_posix()
        try:
            pixels[len(ids)] = read_image(file, spec["channels"], spec["height"], spec["width"])
        except DataError as error:
            skipped.append({"file": name, "reason": error.what})
            continue
        labels.append(label)
        ids.append(name)
    made = Images(folder.resolve().name, pixels[: len(ids)], np.array(labels), ids, classes, {"image": spec, "skipped": skipped})
    if skipped:
        first = ", ".join(f"{s['file']} ({s['reason']})" for s in skipped[:3]) + (" …" if len(skipped) > 3 else "")
        made.warnings.append(f"{len(skipped)} of {len(files)} images could not be read and were skipped: {first}")
    if loose:
        made.warnings.append(f"{loose} images lie beside the class folders and were left out")
    counts = Counter(labels)
    for label, name in enumerate(classes):
        if not counts[label]:
            raise DataError(
                f"no image of class {name!r} can be read", where=where, todo="Mend its files, or move the folder away."
            )
    return made


def _check_classes(folder: Path, classes: Sequence[str]) -> None:
    where, layout = str(folder), _layout(folder, "Put the images of each class into a subfolder of its own: cats/*.jpg, dogs/*.jpg.")
    if len(classes) > 1:
        if {c.lower() for c in classes} <= {"train", "training", "test", "testing", "val", "valid", "validation"}:
            raise DataError(
                f"its subfolders are {', '.join(classes)}, not classes",
                where=where,
                todo=f"Search {folder / classes[-1]}, and give a test set of your own with --test.",
            )
        return
    if len(classes) == 1:
        raise DataError(f"one class only ({classes[0]!r})", where=where, todo=f"A classifier needs two or more. {layout}")
    if any(p.suffix.lower() in IMAGE_SUFFIXES for p in folder.iterdir()):
        raise DataError("images, but no class subfolders", where=where, todo=layout)
    if not any(folder.iterdir()):
        raise DataError("an empty folder", where=where, todo=layout)
    raise DataError(f"no images ({', '.join(IMAGE_SUFFIXES)}) in its subfolders", where=where, todo=layout)


def _layout(folder: Path, todo: str) -> str:
    """What to do, where the folder holds a table instead."""
    tables = sorted(p for p in folder.iterdir() if p.suffix.lower() in (".csv", ".tsv", ".parquet", ".npz"))
    return f"Give the file itself: {tables[0]}." if tables else todo


def _spec(heads: Sequence[tuple[int, int, bool]], options: Mapping[str, Any]) -> dict[str, Any]:
    """One size for all: as they are where they agree and are small, else the median size with at most 64 pixels a side."""
    sizes = Counter((high, wide) for high, wide, _ in heads)
    if options.get("size"):
        high, wide = _asked(options["size"])
    else:
        high, wide = (float(np.median([head[k] for head in heads])) for k in (0, 1))
        scale = min(1.0, LONGEST / max(high, wide))
        high, wide = max(1, round(high * scale)), max(1, round(wide * scale))
    resized = set(sizes) != {(high, wide)}
    return {
        "channels": 1 if all(gray for *_, gray in heads) else 3,
        "height": int(high),
        "width": int(wide),
        "resized": resized,
        "method": "bilinear with antialias, stretched to this size" if resized else "none",
        "sizes": [f"{h}×{w}: {n}" for (h, w), n in sizes.most_common(5)],
        "transparency": "on white",
        "orientation": "EXIF applied",
        "range": "0…255 as stored",
    }


def _asked(size: Any) -> tuple[int, int]:
    try:
        sides = [int(part) for part in str(size).lower().replace("×", "x").split("x")]
        if len(sides) > 2 or min(sides) < 1:
            raise ValueError
    except ValueError:
        raise DataError(f"size {size!r} cannot be read", todo="Write 32, or 32x48 for height × width.") from None
    return sides[0], sides[-1]


def laid_out(x: Array, where: str) -> Array:
    """(N, H, W), (N, H, W, C) or (N, C, H, W) → (N, C, H, W), uint8 kept and everything else float32."""
    if x.ndim == 3:
        x = x[:, None]
    elif x.shape[-1] in (1, 3, 4) and x.shape[1] not in (1, 3, 4):
        x = x.transpose(0, 3, 1, 2)
    if not all(x.shape):
        raise DataError(f"no images: the array has shape {x.shape}", where=where, todo="Bring some rows.")
    return np.ascontiguousarray(x if x.dtype == np.uint8 else x.astype(np.float32))


def image_task(
    data: Images, *, test: Images | None, seed: int, kind: str | None, options: Mapping[str, Any], inferred: str = ""
) -> ArrayTask:
    """Split, measure the train pixels, and put the facts together."""
    labels = read_labels(data.y, data.name, classes=data.classes, kind=kind or ("classification" if data.classes else None))
    x = data.x[labels.rows]
    if not np.isfinite(x).all():
        raise DataError("pixels that are not numbers (NaN or infinite)", where=data.name, todo="Mend or remove those images.")
    ids = [data.ids[i] for i in labels.rows]
    digests = contents(x)
    shares = {"train": 0.8, "validation": 0.2} if test else SHARES
    parts = split_rows(
        digests,
        seed,
        labels=labels.y.tolist() if labels.classes else None,
        classes=labels.classes,
        shares=shares,
        where=data.name,
    )
    warnings = data.warnings + labels.warnings + parts.warnings
    made = {name: Part(x[rows], labels.y[rows], [ids[i] for i in rows]) for name, rows in parts.rows.items()}
    if test:
        made["test"] = _own_test(test, labels, x.shape[1:], set(digests), warnings)
    channels, high, wide = x.shape[1:]
    if high > 256 or wide > 256:
        warnings.append(f"{high}×{wide} pixels make a slow search; option size=64 makes them smaller")
    used = {"batch": 64, "smoothing": 0.0, "shift": max(1, min(high, wide) // 8), "flip": channels == 3, **options}
    used["shift"] = min(int(used["shift"]), high - 1, wide - 1)
    spec = {
        "channels": channels,
        "height": high,
        "width": wide,
        "resized": False,
        "method": "none",
        **data.facts.get("image", {}),
        "fill": _border(made["train"].x),
    }
    notes = [*data.notes, f"augmentation: shifts up to {used['shift']} pixels{', mirroring' if used['flip'] else ''}"]
    if spec["resized"]:
        notes.append(f"images were resized to {high}×{wide} outside the graph ({spec['method']})")
    mean, std = _moments(made["train"].x)
    facts = {
        "name": data.name,
        "kind": labels.kind,
        "inputs": "images",
        "inferred": inferred or labels.inferred,
        "classes": list(labels.classes),
        "target": labels.facts,
        "rows": {name: len(part.y) for name, part in made.items()},
        "split": {"method": "own test set" if test else "stratified" if labels.classes else "by chance", "seed": seed},
        "image": {**spec, "mean": list(mean), "std": list(std)},
        "skipped": data.facts.get("skipped", []),
        "warnings": warnings,
        "notes": notes,
        "options": used,
        **_shapes(x.shape[1:], labels, made["train"].y, mean, std),
    }
    return ArrayTask(facts, made)


def _shapes(shape: tuple[int, ...], labels: Labels, y: Array, mean: tuple[float, ...], std: tuple[float, ...]) -> dict[str, Any]:
    heads = (("y", Tensor((len(labels.classes) or 1,))),)
    signature = Signature((("x", Tensor(tuple(shape))),), heads)
    frame = Frame(signature, (("normalize", (("mean", mean), ("std", std))),), labels.back(y))
    return {"signature": signature.to_json(), "frame": frame.to_json()}


def _moments(x: Array) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and spread of each channel over the train rows; a channel without spread is divided by 1."""
    sums = np.zeros((2, x.shape[1]))
    for start in range(0, len(x), 1024):
        pixels = x[start : start + 1024].astype(np.float64)
        sums += [pixels.sum((0, 2, 3)), (pixels**2).sum((0, 2, 3))]
    mean, square = sums / (len(x) * x.shape[2] * x.shape[3])
    std = np.sqrt(np.maximum(square - mean**2, 0))
    return tuple(float(m) for m in mean), tuple(float(s) if s > 1e-8 else 1.0 for s in std)


def _border(x: Array) -> list[float]:
    """The middle value of each channel along the border: what a shift brings in."""
    rows = x[:: max(1, len(x) // 1000)]
    edge = np.concatenate([rows[:, :, 0], rows[:, :, -1], rows[:, :, :, 0], rows[:, :, :, -1]], axis=2)
    return [
        float(np.round(np.median(edge[:, c]))) if x.dtype == np.uint8 else float(np.median(edge[:, c])) for c in range(x.shape[1])
    ]


def _own_test(test: Images, labels: Labels, shape: tuple[int, ...], known: set[bytes], warnings: list[str]) -> Part:
    if test.x.shape[1:] != shape:
        raise DataError(
            f"images of {test.x.shape[1:]}, but the data has {shape}", where=test.name, todo="Bring the same kind of images."
        )
    names = [test.classes[i] for i in test.y] if test.classes else None
    y, rows = labels.apply(names or test.y, test.name, named=names is not None)
    x = test.x[rows]
    repeated = sum(digest in known for digest in contents(x))
    if repeated:
        warnings.append(f"{repeated} of {len(x)} test images also stand in the data: the test score is too good by them")
    warnings.extend(f"test: {text}" for text in test.warnings)
    return Part(x, y, [test.ids[i] for i in rows])
