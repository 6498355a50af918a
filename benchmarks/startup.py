"""How long ``import netwright`` and ``netwright --help`` take, against a Python that does nothing.

python benchmarks/startup.py [REPETITIONS]
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

__all__ = ["main", "seconds"]

CALLS = {
    "python -c pass": ["-c", "pass"],
    "import netwright": ["-c", "import netwright"],
    "netwright --help": ["-m", "netwright", "--help"],
    "netwright search --help": ["-m", "netwright", "search", "--help"],
}


def seconds(arguments: list[str], repetitions: int) -> float:
    """Median wall-clock seconds of a fresh interpreter; one more before them fills the file cache."""
    taken = []
    for _ in range(repetitions + 1):
        began = time.perf_counter()
        subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
        taken.append(time.perf_counter() - began)
    return statistics.median(taken[1:])


def main(repetitions: int = 11) -> None:
    found = {name: seconds(arguments, repetitions) for name, arguments in CALLS.items()}
    base = found["python -c pass"]
    print(f"median of {repetitions}")
    for name, taken in found.items():
        print(f"{name:24} {1000 * taken:6.0f} ms  {taken / base:5.1f} × python -c pass")


if __name__ == "__main__":
    main(*(int(text) for text in sys.argv[1:2]))
