"""Raw inputs from files, by a task's facts alone: what an exported network takes, on any machine."""

from __future__ import annotations

import struct
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from netwright.errors import DataError

__all__ = ["IMAGE_SUFFIXES", "encode_inputs", "image_files", "image_size", "read_image"]

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".webp")
GRAY = ("1", "L", "LA", "I", "I;16", "I;16B", "I;16L", "F")
DAMAGED = (OSError, SyntaxError, ValueError, EOFError, struct.error, IndexError, KeyError, TypeError, ArithmeticError)
"""What Pillow raises on files that are cut short or are no images."""


def image_files(folder: Path) -> list[Path]:
    """All images below a folder in the order of their names; hidden ones are left out."""
    found = (p for p in folder.rglob("*") if p.suffix.lower() in IMAGE_SUFFIXES)
    return sorted(p for p in found if p.is_file() and not any(part.startswith(".") for part in p.relative_to(folder).parts))


def _opened(path: Path) -> Any:
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        return Image.open(path)


def _reason(error: Exception) -> str:
    name = type(error).__name__
    if "DecompressionBomb" in name:
        return "too many pixels"
    if name == "UnidentifiedImageError":
        return "not an image"
    return str(error).split("\n")[0][:80] or name


def image_size(path: Path) -> tuple[int, int, bool]:
    """Height, width (upright) and whether it is gray, from the file's head. Raises :class:`DataError` with the reason."""
    from PIL import Image

    try:
        with _opened(path) as image:
            wide, high = image.size
            if image.getexif().get(0x0112, 1) >= 5:
                wide, high = high, wide
            return high, wide, image.mode in GRAY
    except (*DAMAGED, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise DataError(_reason(error), where=str(path)) from None


def read_image(path: Path, channels: int, high: int, wide: int) -> npt.NDArray[np.uint8]:
    """(channels, high, wide) as stored: upright, transparency on white, 16 bits cut to 8, resized bilinear with antialias."""
    from PIL import Image, ImageOps

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with _opened(path) as image:
                image.draft(None, (2 * max(high, wide),) * 2)  # large JPEG files are decoded at a fraction of their size
                image.load()
                image = ImageOps.exif_transpose(image)
                if image.mode.startswith("I") or image.mode == "F":
                    numbers = np.asarray(image, dtype=np.float64)
                    deep = image.mode.startswith("I") and numbers.max(initial=0) > 255
                    image = Image.fromarray((numbers / 256 if deep else numbers).clip(0, 255).astype(np.uint8))
                if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
                    image = image.convert("RGBA")
                    white = Image.new("RGBA", image.size, (255, 255, 255, 255))
                    image = Image.alpha_composite(white, image)
                image = image.convert("L" if channels == 1 else "RGB")
                if image.size != (wide, high):
                    image = image.resize((wide, high), Image.Resampling.BILINEAR)
                pixels = np.asarray(image, dtype=np.uint8)
    except (*DAMAGED, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise DataError(_reason(error), where=str(path)) from None
    return pixels[None] if channels == 1 else np.ascontiguousarray(pixels.transpose(2, 0, 1))


def _as_stored(path: Path, spec: Mapping[str, Any]) -> npt.NDArray[np.float32]:
    """A file's pixels as the training data had them. Data that came as arrays of 0…16 or 0…1 has files scaled to that range."""
    if spec["channels"] not in (1, 3):
        raise DataError(
            f"the data has {spec['channels']} channels, which image files do not hold", where=str(path), todo="Use model.onnx."
        )
    pixels = read_image(path, spec["channels"], spec["height"], spec["width"]).astype(np.float32)
    low, top = spec["range"]
    if spec["files"] or top > 128:
        return pixels
    if low < 0:
        raise DataError(
            f"the data's pixels go from {low:g} to {top:g}, which files do not hold", where=str(path), todo="Use model.onnx."
        )
    return pixels * np.float32(top / 255) if pixels.max() > max(top, 1) else pixels


def encode_inputs(facts: Mapping[str, Any], paths: Sequence[Path | str]) -> tuple[list[str], npt.NDArray[np.float32]]:
    """Names and raw inputs of files: one row for each image file (or each in a folder), one for each row of a table.

    ``facts`` is what a task's ``describe()`` says. Raises :class:`DataError` that names the file, or the missing column.
    """
    names: list[str] = []
    rows: list[npt.NDArray[np.float32]] = []
    for path in map(Path, paths):
        if not path.exists():
            raise DataError("no such file", where=str(path), todo="Check the path.")
        if facts["inputs"] == "images":
            found = image_files(path) if path.is_dir() else [path]
            if not found:
                raise DataError("no images in this folder", where=str(path), todo=f"Known: {', '.join(IMAGE_SUFFIXES)}.")
            rows += [_as_stored(file, facts["image"])[None] for file in found]
            names += [str(file) for file in found]
        else:
            from netwright.tasks import columns, tables

            table = tables.read(path)
            names += [f"{path}:{row}" for row in range(table.rows)]
            rows.append(columns.encoded(table, facts["columns"]))
    if not rows:
        raise DataError("no files were given", todo="Name image files, or a table with the columns of the training data.")
    return names, np.concatenate(rows)
