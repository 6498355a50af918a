"""A folder with one subfolder of image files per class."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from netwright.errors import DataError
from netwright.tasks.image import Images, sized
from netwright.tasks.raw import IMAGE_SUFFIXES, image_files, image_size, read_image

__all__ = ["from_folder"]

SPLITS = {"train", "training", "test", "testing", "val", "valid", "validation"}


def from_folder(folder: Path, options: Mapping[str, Any], like: Mapping[str, Any] | None = None) -> Images:
    """Read it. ``like``: channels and size that images are to have. What cannot be read is skipped, named and counted."""
    classes = sorted(p.name for p in folder.iterdir() if p.is_dir() and not p.name.startswith(".") and image_files(p))
    _check_classes(folder, classes)
    files = [(file, label) for label, name in enumerate(classes) for file in image_files(folder / name)]
    heads: list[tuple[Path, int, tuple[int, int, bool]]] = []
    skipped: list[dict[str, str]] = []

    def skip(file: Path, error: DataError) -> None:
        skipped.append({"file": file.relative_to(folder).as_posix(), "reason": error.what})

    for file, label in files:
        try:
            heads.append((file, label, image_size(file)))
        except DataError as error:
            skip(file, error)
    if not heads:
        raise DataError(
            f"none of its {len(files)} images can be read: {skipped[0]['reason']}", where=str(folder), todo="Mend them."
        )
    spec = dict(like) if like else {**sized([head for *_, head in heads], options), "files": True}
    pixels = np.empty((len(heads), spec["channels"], spec["height"], spec["width"]), dtype=np.uint8)
    labels: list[int] = []
    ids: list[int | str] = []
    for file, label, _ in heads:
        try:
            pixels[len(ids)] = read_image(file, spec["channels"], spec["height"], spec["width"])
        except DataError as error:
            skip(file, error)
            continue
        labels.append(label)
        ids.append(file.relative_to(folder).as_posix())
    counts = Counter(labels)
    for label, name in enumerate(classes):
        if not counts[label]:
            raise DataError(
                f"no image of class {name!r} can be read", where=str(folder), todo="Mend them, or move the folder away."
            )
    made = Images(
        folder.resolve().name,
        pixels[: len(ids)],
        np.array(labels),
        ids,
        classes,
        {"image": spec, "skipped": skipped},
        where=str(folder),
    )
    if skipped:
        first = ", ".join(f"{s['file']} ({s['reason']})" for s in skipped[:3]) + (" …" if len(skipped) > 3 else "")
        made.warnings.append(f"{len(skipped)} of {len(files)} images could not be read and were skipped: {first}")
    loose = sum(p.suffix.lower() in IMAGE_SUFFIXES for p in folder.iterdir() if p.is_file())
    if loose:
        made.warnings.append(f"{loose} images lie beside the class folders and were left out")
    return made


def _check_classes(folder: Path, classes: Sequence[str]) -> None:
    where, todo = str(folder), "Put the images of each class into a subfolder of its own: cats/*.jpg, dogs/*.jpg."
    tables = sorted(p for p in folder.iterdir() if p.suffix.lower() in (".csv", ".tsv", ".parquet", ".npz"))
    if tables and not classes:
        raise DataError("a folder without images", where=where, todo=f"Give the file itself: {tables[0]}.")
    if len(classes) > 1 and {c.lower() for c in classes} <= SPLITS:
        train = next((c for c in classes if c.lower().startswith("train")), classes[0])
        todo = f"Search {folder / train}, and give the test images with --test."
        raise DataError(f"its subfolders are {', '.join(classes)}, not classes", where=where, todo=todo)
    if len(classes) == 1:
        raise DataError(f"one class only ({classes[0]!r})", where=where, todo=f"A classifier needs two or more. {todo}")
    if not classes:
        what = "an empty folder"
        if any(p.suffix.lower() in IMAGE_SUFFIXES for p in folder.iterdir()):
            what = "images, but no class subfolders"
        elif any(folder.iterdir()):
            what = f"no images ({', '.join(IMAGE_SUFFIXES)}) in its subfolders"
        raise DataError(what, where=where, todo=todo)
