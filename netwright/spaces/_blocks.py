"""Parts that several spaces are built of. None of them holds a hole but those it is given."""

from __future__ import annotations

from netwright.core.space import Branches, Choice, Seq, Term, op

__all__ = ["bottleneck", "conv_norm", "factorized", "halvings", "relu_conv_norm"]


def conv_norm(width: int | Choice, kernel: int | Choice = 1, stride: int = 1, kind: str | Choice = "") -> Seq:
    """Convolution, batch normalization, and the activation ``kind`` if there is one."""
    parts = (op("conv", width=width, kernel=kernel, stride=stride), op("batch_norm"))
    return Seq(*parts, op("activation", kind=kind)) if kind else Seq(*parts)


def relu_conv_norm(width: int, kernel: int = 1, stride: int = 1) -> Seq:
    """The order of cells: ReLU, convolution, batch normalization."""
    return Seq(op("activation", kind="relu"), op("conv", width=width, kernel=kernel, stride=stride), op("batch_norm"))


def factorized(width: int, stride: int = 2) -> Seq:
    """A map of half the size: two 1×1 convolutions with a stride, of which one sees the pixels that the other leaves out."""
    halves = (width // 2, width - width // 2)
    first, second = (op("conv", width=half, kernel=1, stride=stride) for half in halves)
    return Seq(op("activation", kind="relu"), Branches(first, Seq(op("shift"), second), join="concat"), op("batch_norm"))


def bottleneck(
    width: int,
    expand: int | Choice,
    kernel: int | Choice,
    stride: int = 1,
    *,
    kind: str = "relu",
    excite: Term | None = None,
    skip: bool = True,
) -> Term:
    """An inverted bottleneck (Sandler et al. 2018, arXiv:1801.04381). Expansion 1 has no first convolution."""
    act = op("activation", kind=kind)
    wide = [] if expand == 1 else [op("conv", ratio=expand, kernel=1), op("batch_norm"), act]
    inner = [op("conv", kernel=kernel, stride=stride, groups=0), op("batch_norm"), act]
    body = Seq(*wide, *inner, *([excite] if excite else []), op("conv", width=width, kernel=1), op("batch_norm"))
    return Branches(body, op("identity")) if skip else Branches(body)  # a branch either way: its decisions have one path


def halvings(size: int, strides: tuple[int, ...], smallest: int) -> tuple[int, ...]:
    """The strides that a map of ``size`` pixels bears: none that makes it smaller than ``smallest``."""
    found = []
    for stride in strides:
        stride = stride if -(-size // stride) >= smallest else 1
        size = -(-size // stride)
        found.append(stride)
    return tuple(found)
