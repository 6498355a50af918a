"""How fast a space is walked, mutated, laid, counted and named, and which step the time goes to.

Seconds are of processor time, so that a busy neighbour matters little. Each figure is over members that were never seen
before (of NAS-Bench-201 there are 15,625, so every part of a cell is new while the skeleton around it is known). The ratio is
against laying every node of every member and working on these, as one would without parts that are stamped.

Usage: python benchmarks/spaces.py [members] [space]
"""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable
from typing import Any

from netwright.core.architecture import Architecture
from netwright.core.picks import mutate, replayed, sample
from netwright.core.seeds import stream
from netwright.example import look
from netwright.layers.canonical import canonical
from netwright.layers.counts import count, shapes

__all__ = ["main"]

TARGETS = {"random traces": 5000, "mutations": 2000, "laid": 1500, "counts": 5000, "canonical": 2000}


def main() -> None:
    members = int(sys.argv[1]) if len(sys.argv) > 1 else 4000
    name = sys.argv[2] if len(sys.argv) > 2 else "nasbench201"
    space, signature = look(name)
    rng = stream(0, 0, "benchmark")

    def fresh() -> list[Architecture]:
        return [sample(space, rng) for _ in range(members)]

    def flat(member: Architecture) -> Architecture:
        """The same, given as nodes."""
        return Architecture(member.nodes, member.outputs)

    seconds: dict[str, float] = {}
    rates: dict[str, float] = {}

    def timed(what: str, work: list[Any], each: Callable[[Any], object]) -> None:
        gc.collect()
        start = time.process_time()
        for item in work:
            each(item)
        seconds[what] = (time.process_time() - start) / len(work)
        rates[what] = 1 / seconds[what]

    fresh()  # the skeleton is known from here on
    timed("random traces", list(range(members)), lambda _: sample(space, rng))
    timed("mutations", fresh(), lambda member: mutate(space, member, rng))
    traces = [member.decisions for member in fresh()]
    timed("laid", traces, lambda trace: replayed(space, trace).nodes)
    timed("counts", fresh(), lambda member: count(member, signature))
    timed("canonical", fresh(), canonical)
    timed("trace to counts", [m.decisions for m in fresh()], lambda trace: count(replayed(space, trace), signature))
    timed("trace to canonical", [m.decisions for m in fresh()], lambda trace: canonical(replayed(space, trace)))
    few = [flat(member) for member in fresh()[: members // 10]]
    timed("counts, all nodes", few, lambda member: shapes(member, signature))
    timed("canonical, all nodes", [flat(m) for m in fresh()[: members // 10]], canonical)

    nodes = len(sample(space, rng).nodes)
    print(f"{name}, about {nodes} nodes a member, {members:,} members each; a second of one core:")
    for what, rate in rates.items():
        target = f"   (wanted {TARGETS[what]:,})" if name == "nasbench201" and what in TARGETS else ""
        print(f"  {what:22} {rate:9,.0f}{target}")
    print(f"counts against all nodes {rates['counts'] / rates['counts, all nodes']:.1f}×, ", end="")
    print(f"canonical {rates['canonical'] / rates['canonical, all nodes']:.1f}×")
    walked = seconds["random traces"]
    parts = {
        "walking the expression": walked,
        "laying nodes": seconds["laid"] - walked,
        "counting": seconds["counts"],
        "naming": seconds["canonical"],
    }
    total = sum(parts.values())
    print("share of a member that is walked, laid, counted and named: ", end="")
    print(", ".join(f"{what} {share / total:.0%}" for what, share in parts.items()))


if __name__ == "__main__":
    main()
