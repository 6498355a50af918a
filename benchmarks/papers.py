"""Papers as recipes: what each published, what its recipe says of ours, and what comes out now.

    python benchmarks/papers.py [--seeds N] [--only NAME ...] [--out FOLDER]

Each recipe of `recipes/` ends its head with the command that measured ours; that is run, with its seeds or so many.
"""

from __future__ import annotations

import argparse
import json
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from netwright.bench.plan import Plan
from netwright.bench.problem import posed

MEDIANS = ("median_queries", "median_epochs", "median_seconds")
RECIPES = Path(__file__).parent.parent / "recipes"


def head(path: Path) -> dict[str, str]:
    """The comments before the recipe: ``paper``, then what stands after each word with a colon."""
    lines = [line.removeprefix("#").strip() for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("#")]
    paper, _, rest = "\n".join(lines).partition("\n\n")
    found = re.findall(r"^(Published|Ours|Differs|Search|Measure): +(.+(?:\n(?!\w+: ).+)*)", rest, flags=re.M)
    return {"paper": paper.replace("\n", " "), **{name.lower(): text.replace("\n", " ") for name, text in found}}


def measured(command: str, seeds: int, out: Path) -> dict[str, Any]:
    """What the bench of a recipe says, with so many seeds; 0 for its own."""
    words = shlex.split(command)
    words += ["--json", "--out", str(out), *(["--seeds", str(seeds)] if seeds else [])]  # of two, the last counts
    done = subprocess.run([sys.executable, "-m", *words], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.returncode)  # the bench has said why
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def told(result: Mapping[str, Any]) -> Sequence[str]:
    """A line for each strategy: means over the seeds at the end of the budget, and how soon it was found."""
    about = result["problem"]
    problem = posed(Plan(about["table"], (), tuple(about["objectives"])))
    lines = []
    for each in result["strategies"]:
        regret, test = (list((each.get(f"{name}_mean") or {0: None}).values())[-1] for name in ("regret", "test_regret"))
        what = f"{1 - regret:.1%} of the hypervolume" if problem.several else f"regret {regret:.3f}"
        if test is not None:
            what += f", test accuracy {-problem.tests_best - test:.2f}"
        soon = next((f", median {each[key]:,.0f} {key[7:]}" for key in MEDIANS if each.get(key)), "")
        lines.append(f"{each['strategy']}: {what}; found by {each['found_share']:.0%}{soon}")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=0, help="instead of those of the recipe")
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--out", type=Path, help="where the benches are kept, and go on")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        for path in sorted(RECIPES.glob("*.toml")):
            if given.only and path.stem not in given.only:
                continue
            said = head(path)
            print(f"{path.stem}: {said['paper']}")
            print(f"  published  {said['published']}")
            print(f"  ours       {said['ours']}")
            result = measured(said["measure"], given.seeds, (given.out or Path(place)) / path.stem)
            for line in told(result):
                print(f"  now        {line}", flush=True)
            print()


if __name__ == "__main__":
    main()
