"""Images: from a folder with one subfolder per class, or from arrays, to a task with pixel values as stored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from netwright.core.architecture import Frame, Signature, Tensor
from netwright.errors import DataError
from netwright.tasks.arrays import ArrayTask, Part
from netwright.tasks.labels import Labels, read_labels
from netwright.tasks.split import SHARES, contents, split_rows

__all__ = ["Images", "image_task", "laid_out", "sized"]

TINY = 16
"""Pixels below which a whole one is too much to shift by: `benchmarks/recipes.py` (a warp moves by parts of one)."""

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
    where: str = ""

    def __post_init__(self) -> None:
        self.where = self.where or self.name


def sized(heads: Sequence[tuple[int, int, bool]], options: Mapping[str, Any]) -> dict[str, Any]:
    """One size for all (height, width, is gray): the one asked for, else the median size with at most 64 pixels a side."""
    sizes = Counter((high, wide) for high, wide, _ in heads)
    if options.get("size"):
        side = _asked(options["size"])
    else:
        middle = [float(np.median([head[k] for head in heads])) for k in (0, 1)]
        scale = min(1.0, LONGEST / max(middle))
        side = max(1, round(middle[0] * scale)), max(1, round(middle[1] * scale))
    resized = set(sizes) != {side}
    return {
        "channels": 1 if all(gray for *_, gray in heads) else 3,
        "height": side[0],
        "width": side[1],
        "resized": resized,
        "method": "bilinear with antialias, stretched to this size" if resized else "none",
        "sizes": {f"{high}×{wide}": n for (high, wide), n in sizes.most_common(5)},
    }


def _resized(x: Array, high: int, wide: int) -> Array:
    """As files are: bilinear with antialias, each channel by itself."""
    from PIL import Image

    if x.shape[2:] == (high, wide):
        return x
    made = np.empty((*x.shape[:2], high, wide), dtype=x.dtype)
    for i, image in enumerate(x):
        for c, plane in enumerate(image):
            made[i, c] = np.asarray(Image.fromarray(plane).resize((wide, high), Image.Resampling.BILINEAR))
    return made


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
    labels = read_labels(data.y, data.where, classes=data.classes, kind=kind or ("classification" if data.classes else None))
    spec = data.facts.get("image") or {**sized([(*data.x.shape[2:], True)], options), "channels": data.x.shape[1], "files": False}
    x = _resized(data.x[labels.rows], spec["height"], spec["width"])
    if not np.isfinite(x).all():
        raise DataError("pixels that are not numbers (NaN or infinite)", where=data.where, todo="Mend or remove those images.")
    ids = [data.ids[i] for i in labels.rows]
    digests = contents(x)
    shares = {"train": 0.8, "validation": 0.2} if test else SHARES
    parts = split_rows(
        digests,
        seed,
        labels=labels.y.tolist() if labels.classes else None,
        classes=labels.classes,
        shares=shares,
        where=data.where,
    )
    warnings = data.warnings + labels.warnings + parts.warnings
    made = {name: Part(x[rows], labels.y[rows], [ids[i] for i in rows]) for name, rows in parts.rows.items()}
    if test:
        made["test"] = _own_test(test, labels, x.shape[1:], set(digests), warnings)
    channels, high, wide = x.shape[1:]
    tiny = min(high, wide) < TINY
    shift, warp = (0, 1.0) if tiny else (min(high, wide) // 8, 0.0)
    used = {"batch": 64, "smoothing": 0.05, "shift": shift, "warp": warp, "flip": channels == 3, **options}
    used["shift"] = min(int(used["shift"]), high - 1, wide - 1)
    train = made["train"].x
    mean, std = _moments(train)
    notes = [*data.notes, _augmentation(used)]
    if spec["resized"]:
        notes.append(f"images were resized to {high}×{wide} outside the graph ({spec['method']})")
    facts = {
        "name": data.name,
        "kind": labels.kind,
        "inputs": "images",
        "inferred": inferred or labels.inferred,
        "classes": list(labels.classes),
        "target": labels.facts,
        "rows": {name: len(part.y) for name, part in made.items()},
        "split": {"method": "stratified" if labels.classes else "by chance", "seed": seed, "own_test": test is not None},
        "image": {**spec, "range": [float(train.min()), float(train.max())], "fill": _border(train), "mean": mean, "std": std},
        "skipped": data.facts.get("skipped", []),
        "warnings": warnings,
        "notes": notes,
        "options": used,
        **_shapes(x.shape[1:], labels, made["train"].y, mean, std),
    }
    return ArrayTask(facts, made)


def _shapes(shape: tuple[int, ...], labels: Labels, y: Array, mean: list[float], std: list[float]) -> dict[str, Any]:
    heads = (("y", Tensor((len(labels.classes) or 1,))),)
    signature = Signature((("x", Tensor(tuple(shape))),), heads)
    frame = Frame(signature, (("normalize", (("mean", tuple(mean)), ("std", tuple(std)))),), labels.back(y))
    return {"signature": signature.to_json(), "frame": frame.to_json()}


def _moments(x: Array) -> tuple[list[float], list[float]]:
    """Mean and spread of each channel over the train rows; a channel without spread is divided by 1."""
    sums = np.zeros((2, x.shape[1]))
    for start in range(0, len(x), 1024):
        pixels = x[start : start + 1024].astype(np.float64)
        sums += [pixels.sum((0, 2, 3)), (pixels**2).sum((0, 2, 3))]
    mean, square = sums / (len(x) * x.shape[2] * x.shape[3])
    std = np.sqrt(np.maximum(square - mean**2, 0))
    return [float(m) for m in mean], [float(s) if s > 1e-8 else 1.0 for s in std]


def _border(x: Array) -> list[float]:
    """The middle value of each channel along the border: what a shift brings in."""
    rows = x[:: max(1, len(x) // 1000)]
    edge = np.concatenate([rows[:, :, 0], rows[:, :, -1], rows[:, :, :, 0], rows[:, :, :, -1]], axis=2)
    return [
        float(np.round(np.median(edge[:, c]))) if x.dtype == np.uint8 else float(np.median(edge[:, c])) for c in range(x.shape[1])
    ]


def _own_test(test: Images, labels: Labels, shape: tuple[int, ...], known: set[bytes], warnings: list[str]) -> Part:
    if test.x.shape[1] != shape[0]:
        todo = "Bring the same kind of images."
        raise DataError(f"images of {test.x.shape[1]} channels, but the data has {shape[0]}", where=test.where, todo=todo)
    names = [test.classes[i] for i in test.y] if test.classes else None
    y, rows = labels.apply(names or test.y, test.where, named=names is not None)
    x = _resized(test.x[rows], *shape[1:])
    repeated = sum(digest in known for digest in contents(x))
    if repeated:
        warnings.append(f"{repeated} of {len(x)} test images also stand in the data: the test score is too good by them")
    warnings.extend(f"test: {text}" for text in test.warnings)
    return Part(x, y, [test.ids[i] for i in rows])


def _augmentation(options: Mapping[str, Any]) -> str:
    """What the training rows are put through, in words."""
    parts = [f"shifts up to {options['shift']} pixels"] * (options["shift"] > 0) + ["mirroring"] * bool(options["flip"])
    parts += [f"small rotations, scalings and shears (strength {options['warp']:g}) in the final training"] * (
        options["warp"] > 0
    )
    return f"augmentation: {', '.join(parts) or 'none'}"
