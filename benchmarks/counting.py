"""How fast parameters, FLOPs and peak memory are counted, against building the torch modules and adding up their sizes.

Seconds are of processor time, so that a busy neighbour does not matter.

Usage: python benchmarks/counting.py [architectures]
"""

from __future__ import annotations

import statistics
import sys
import time

from netwright.core.architecture import Architecture, Signature, Tensor
from netwright.core.picks import at_random
from netwright.core.seeds import stream
from netwright.core.space import Branches, Choice, Range, Repeat, Seq, Space, Term, op, unfold
from netwright.layers.counts import count, steps

__all__ = ["main", "space"]

SIGNATURE = Signature((("x", Tensor((3, 32, 32))),), (("y", Tensor((10,))),))


def _block(width: Choice, stride: int) -> Term:
    kind = Choice(
        Seq(op("conv", width=width, kernel=Choice(1, 3, 5), stride=stride), op("batch_norm"), op("activation", kind="relu")),
        Seq(
            op("conv", kernel=Choice(3, 5, 7), stride=stride, groups=0),
            op("batch_norm"),
            op("conv", width=width, kernel=1),
            op("batch_norm"),
            op("activation", kind=Choice("relu", "silu", "hardswish")),
        ),
    )
    if stride > 1:
        return kind
    return Choice(kind, Seq(Branches(kind, op("identity"), project=True), op("activation", kind="relu")))


def space() -> Space:
    """A chain of three stages with two or three blocks each."""
    stages = []
    for stage, stride in enumerate((1, 2, 2)):
        width = Choice(*range(8, 136, 8), name=f"width{stage}")
        stages.append(Seq(_block(width, stride), Repeat(_block(width, 1), Range(1, 2))))
    return Space(Seq(*stages, op("global_pool"), op("linear", units=10)), name="benchmark")


def _seconds(work: list[Architecture], each: object) -> float:
    start = time.process_time()
    for architecture in work:
        each(architecture)  # type: ignore[operator]
    return time.process_time() - start


def main() -> None:
    import torch

    from netwright.nets.net import build

    torch.set_num_threads(1)
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    tried = space()
    start = time.process_time()
    drawn = [unfold(tried, at_random(stream(0, number, "benchmark"))) for number in range(size)]
    drawing = time.process_time() - start
    cold = _seconds(drawn, lambda a: count(a, SIGNATURE))
    warm = _seconds(drawn, lambda a: count(a, SIGNATURE))
    few = drawn[: max(1, size // 50)]

    def numel(architecture: Architecture) -> int:
        return sum(p.numel() for step in steps(architecture, SIGNATURE) for p in build(step).parameters())

    built = _seconds(few, numel) / len(few)
    print(f"architectures            {size}, {statistics.mean(len(a.nodes) for a in drawn):.0f} nodes each on average")
    print(f"unfolding                {size / drawing:,.0f} architectures/s")
    print(f"counting, empty cache    {size / cold:,.0f} architectures/s")
    print(f"counting, filled cache   {size / warm:,.0f} architectures/s")
    print(f"building torch modules   {1 / built:,.0f} architectures/s")
    print(f"ratio                    {built / (cold / size):,.0f} times faster than building (empty cache)")


if __name__ == "__main__":
    main()
