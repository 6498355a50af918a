"""FBNet (Wu et al. 2019, arXiv:1812.03443): which of nine layers stands at each of 22 positions.

A layer is an inverted bottleneck of some kernel and expansion, its 1×1 convolutions in one or two groups, or nothing. The network
around them is the published one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from netwright.core.architecture import Answer, Architecture, Signature
from netwright.core.contracts import Need
from netwright.core.space import Branches, Choice, Seq, Space, Term, op
from netwright.errors import SpaceError
from netwright.spaces._blocks import conv_norm, halvings

__all__ = ["LAYERS", "STAGES", "needs", "offers", "row", "space", "trace"]

needs = frozenset({Need.IMAGES})
offers = frozenset({Need.FINITE})

LAYERS = ("k3_e1", "k3_e1_g2", "k3_e3", "k3_e6", "k5_e1", "k5_e1_g2", "k5_e3", "k5_e6", "skip")
"""The published names: kernel, expansion, groups."""

STAGES = ((16, 1, 1), (24, 4, 2), (32, 4, 2), (64, 4, 2), (112, 4, 1), (184, 4, 2), (352, 1, 1))
"""Width, positions, and the stride of the first of them."""


def _layer(name: str, width: int, stride: int, same: bool) -> Term:
    relu = op("activation", kind="relu")
    if name == "skip":
        return op("identity") if same else conv_norm(width, 1, stride, "relu")
    kernel, expand, *grouped = (int(part[1:]) for part in name.split("_"))
    groups = grouped[0] if grouped else 1
    shuffle = [op("channel_shuffle", groups=groups)] if groups > 1 else []
    wide = (op("conv", ratio=expand, kernel=1, groups=groups), op("batch_norm"), relu, *shuffle)
    inner = (op("conv", kernel=kernel, stride=stride, groups=0), op("batch_norm"), relu)
    body = Seq(*wide, *inner, op("conv", width=width, kernel=1, groups=groups), op("batch_norm"))
    return Branches(body, op("identity")) if same else body


def space(signature: Signature, *, features: int = 1984) -> Space:
    """The space for images of that size; small ones are halved less often. ``features``: channels after the last position."""
    size = min(signature.inputs[0][1].shape[1:])
    strides = halvings(size, (2, *(stride for *_, stride in STAGES)), 4 if size < 96 else 1)
    parts: list[Term] = [conv_norm(16, 3, strides[0], "relu")]
    before = 16
    for (width, depth, _), first in zip(STAGES, strides[1:], strict=True):
        for place in range(depth):
            stride = 1 if place else first
            kinds = (_layer(name, width, stride, stride == 1 and width == before) for name in LAYERS)
            parts.append(Choice(*kinds, name=f"layer{len(parts) - 1}"))
            before = width
    parts += [conv_norm(features, kind="relu"), op("global_pool"), op("linear", units=signature.outputs)]
    return Space(Seq(*parts), name="fbnet", signature=signature)


def trace(row: Mapping[str, Any]) -> dict[str, Answer]:
    """The decisions of a row: ``op_indices``, a number for each position."""
    found = row["op_indices"]
    if len(found) != sum(depth for _, depth, _ in STAGES) or any(not 0 <= index < len(LAYERS) for index in found):
        raise SpaceError(f"{found!r} is not a network of FBNet", where="fbnet")
    return {f"layer{i}": int(index) for i, index in enumerate(found)}


def row(architecture: Architecture) -> dict[str, Any]:
    """The row of an architecture."""
    decisions = architecture.decisions
    return {"op_indices": [decisions[f"layer{i}"] for i in range(sum(depth for _, depth, _ in STAGES))]}
