"""How often the truth lies in the interval that ``curve`` foretells, and how wide it is: ``python benchmarks/curves.py [count]``.

Over learning curves of SpikeNAS, drawn at random, each within its own schedule.
"""

from __future__ import annotations

import statistics
import sys
from pathlib import Path

from netwright.core.seeds import stream
from netwright.estimators.curve import LEAST, forecast
from netwright.tables.read import read

SHARES = (0.35, 0.5, 0.65, 0.8)
POINTS = 15


def main(count: int = 400) -> None:
    table = read("spikenas")
    values = table.values(table.asked("val_acc").columns[0])
    rows = stream(1, 0, Path(__file__).stem).sample(range(len(table)), count)
    print(f"{count} curves; nominal 90 %")
    for share in SHARES:
        inside = below = above = 0
        widths, errors = [], []
        for row in rows:
            whole = values.length(row)
            every = max(1, whole // POINTS)
            seen = [(epoch, values.at(row, epoch)) for epoch in range(every, int(share * whole) + 1, every)]
            if len(seen) < LEAST:
                continue
            low, high = forecast(seen, whole)
            truth = values.at(row, whole)
            inside, below, above = inside + (low <= truth <= high), below + (truth < low), above + (truth > high)
            widths.append(high - low)
            errors.append(abs((low + high) / 2 - truth))
        every_one = max(1, len(widths))
        print(
            f"after {share:.0%}: inside {inside / every_one:.1%}, truth below {below / every_one:.1%}, above "
            f"{above / every_one:.1%}; width {statistics.median(widths):.2f} points, error {statistics.median(errors):.2f}"
        )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
