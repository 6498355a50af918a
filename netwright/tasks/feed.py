"""Feeding: batches are drawn from one tensor by one index, shifted, mirrored and warped as a whole; nothing is collated."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F

from netwright.core.seeds import integer

__all__ = ["IN_MEMORY", "Store", "in_order"]

IN_MEMORY = 2 << 30
"""Bytes up to which inputs are kept as they come out of the front; above, they are kept as stored and pass it batch by batch."""

CHUNK = 1 << 20
"""Bytes that are drawn, shifted and mirrored at once: they fit the cache, and the overhead of a call does not count."""

ROWS = 256
"""Rows that pass the front at once while a store is made."""

WARPED = 8
"""Images that share a warp: it is drawn once for them all, and costs little more than for one."""

Array = npt.NDArray[Any]
Front = Callable[[Tensor], Tensor]


def _raw(x: Array) -> Tensor:
    """A copy: files that are mapped cannot be written."""
    return torch.from_numpy(np.array(x, order="C"))


def in_order(x: Array, front: Front) -> Callable[[int, int], Tensor]:
    """Rows from ``start`` to ``end`` through the front: all at once where they fit, else when they are asked for."""
    if x.size * 4 > IN_MEMORY:
        return lambda start, end: front(_raw(x[start:end]).float())
    made = torch.cat([front(_raw(x[i : i + ROWS]).float()) for i in range(0, len(x), ROWS)])
    made = made.contiguous(memory_format=torch.channels_last) if made.ndim == 4 else made.contiguous()
    return lambda start, end: made[start:end]


@dataclass(frozen=True)
class Store:
    """Rows to train on. ``x`` of images is (N, H, W, C) with a border of ``shift`` pixels; ``late``: the front acts per batch."""

    x: Tensor
    y: Tensor
    shift: int
    flip: bool
    late: Front | None
    border: Tensor = field(default_factory=lambda: torch.zeros(0))

    @classmethod
    def made(cls, parts: Sequence[Array], y: Tensor, front: Front, *, shift: int, flip: bool, fill: Sequence[float]) -> Store:
        """``fill``: the raw value of each channel that a shift brings in from outside."""
        shape = parts[0].shape[1:]
        if len(shape) != 3:
            x = torch.cat([front(_raw(part).float()) for part in parts if len(part)])
            return cls(x.contiguous(), y, 0, False, None)
        channels, high, wide = shape
        size = (len(y), high + 2 * shift, wide + 2 * shift, channels)
        late = 4 * int(np.prod(size)) > IN_MEMORY
        x = torch.empty(size, dtype=_raw(parts[0][:1]).dtype if late else torch.float32)
        border = torch.tensor(list(fill) or [0.0] * channels)
        border = border.to(x.dtype) if late else front(border.reshape(1, channels, 1, 1)).reshape(channels)
        x[:] = border
        done = 0
        for part in parts:
            for start in range(0, len(part), ROWS):
                rows = _raw(part[start : start + ROWS])
                rows = rows if late else front(rows.float())
                x[done : done + len(rows), shift : shift + high, shift : shift + wide] = rows.permute(0, 2, 3, 1)
                done += len(rows)
        return cls(x, y, shift, flip, front if late else None, border)

    def epoch(self, rows: Tensor, size: int, seed: int, warp: float = 0.0) -> Iterator[tuple[Tensor, Tensor]]:
        """One pass over ``rows`` in an order drawn from the seed. The last batch may be smaller, but never a single row.

        ``warp``: strength of random rotations, scalings, shears and shifts of images, see :func:`warped`.
        """
        draw = torch.Generator().manual_seed(integer(seed, 0, "batches"))
        rows = rows[torch.randperm(len(rows), generator=draw)]
        y = self.y.index_select(0, rows)
        ends = list(range(size, len(rows) + 1, size)) or [len(rows)]
        if len(rows) - ends[-1] > 1:
            ends.append(len(rows))
        ends[-1] = len(rows)  # a row left over joins the batch before it
        step = max(1, CHUNK // (size * self.x[0].numel() * self.x.element_size()))
        start = 0
        for k in range(0, len(ends), step):
            stop = ends[min(k + step, len(ends)) - 1]
            x = self._drawn(rows[start:stop], draw)
            if warp and self.x.ndim == 4 and not self.late:
                x = warped(x, warp, self.border, draw)
            begin = start
            for end in ends[k : k + step]:
                batch = x[start - begin : end - begin]
                yield (self.late(batch.float()) if self.late else batch), y[start:end]
                start = end

    def _drawn(self, rows: Tensor, draw: torch.Generator) -> Tensor:
        if self.x.ndim != 4:
            return self.x.index_select(0, rows)
        high, wide, channels = self.x.shape[1] - 2 * self.shift, self.x.shape[2] - 2 * self.shift, self.x.shape[3]
        if self.shift:
            down, right = torch.randint(2 * self.shift + 1, (2, len(rows)), generator=draw)
            # A view in which each run of pixels as wide as an image is a row: one index draws images and shifts them.
            runs = self.x.view(-1).unfold(0, wide * channels, channels)
            line = (rows * self.x.shape[1] + down)[:, None] + torch.arange(high)
            x = runs.index_select(0, (line * self.x.shape[2] + right[:, None]).view(-1)).view(-1, high, wide, channels)
        else:
            x = self.x.index_select(0, rows)
        if self.flip:
            turned = (torch.rand(len(rows), generator=draw) < 0.5).nonzero().view(-1)
            x.index_copy_(0, turned, x.index_select(0, turned).flip(2))
        return x.permute(0, 3, 1, 2)


def warped(x: Tensor, strength: float, border: Tensor, draw: torch.Generator) -> Tensor:
    """Images (N, C, H, W), each :data:`WARPED` of them under one random affine map; ``border`` (C,) comes in from outside.

    At strength 1: rotations up to 7°, scales up to 8 % for each axis, shears up to 0.08, shifts up to a sixteenth.
    """
    n, channels, high, wide = x.shape
    groups = math.ceil(n / WARPED)

    def up_to(most: float) -> Tensor:
        return (2 * torch.rand(groups, generator=draw) - 1) * most * strength

    angle, shear, across, along = up_to(math.radians(7)), up_to(0.08), 1 + up_to(0.08), 1 + up_to(0.08)
    cos, sin = angle.cos(), angle.sin()
    top = torch.stack([cos * across, (shear - sin) * across, up_to(0.125)], 1)  # 2 is the whole width
    maps = torch.stack([top, torch.stack([sin * along, cos * along, up_to(0.125)], 1)], 1)
    level = border.view(1, channels, 1, 1)
    flat = (x - level).contiguous()
    if groups * WARPED > n:
        flat = torch.cat([flat, flat.new_zeros(groups * WARPED - n, channels, high, wide)])
    flat = flat.reshape(groups, WARPED * channels, high, wide)
    grid = F.affine_grid(maps, list(flat.shape), align_corners=False)
    moved = F.grid_sample(flat, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
    return (moved.reshape(-1, channels, high, wide)[:n] + level).contiguous(memory_format=torch.channels_last)
