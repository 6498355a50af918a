"""The recipes of papers: each can be read and composed, says whose it is and what came of it, and searches."""

from __future__ import annotations

import re
import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from netwright import api
from netwright.bench.plan import Plan, parse
from netwright.bench.problem import fitting, posed
from netwright.recipe import Budget, Recipe
from netwright.tables.read import listed

ROOT = Path(__file__).parent.parent
RECIPES = sorted((ROOT / "recipes").glob("*.toml"))
PAPERS = {"nas-rl", "regularized-evolution", "bananas", "npenas", "bohb", "hyperband", "nsga-net", "local-search"}

DEAR = {"bananas", "npenas"}
"""Those whose networks take seconds to learn."""

each = pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
slowly = [pytest.param(path, id=path.stem, marks=[pytest.mark.slow] * (path.stem in DEAR)) for path in RECIPES]


def head(path: Path) -> str:
    """The comments before the first setting, as one line."""
    lines = path.read_text(encoding="utf-8").partition("\n\n")[0].splitlines()
    assert all(line.startswith("#") for line in lines)
    return " ".join(line.removeprefix("#").strip() for line in lines)


def after(path: Path, word: str) -> str:
    """What its head says after a word and a colon."""
    found = re.search(rf"\b{word}: +(.+?)(?: (?:Published|Ours|Differs|Search|Measure): |$)", head(path))
    assert found, word
    return found[1]


def flag(command: str, name: str, default: str = "") -> str:
    words = shlex.split(command)
    return words[words.index(name) + 1] if name in words else default


def test_there_is_one_for_every_paper() -> None:
    assert {path.stem for path in RECIPES} == PAPERS


@each
def test_its_head_names_the_paper_and_both_figures(path: Path) -> None:
    assert re.search(r"\b(19|20)\d\d, arXiv:\d{4}\.\d{4,5}", head(path))
    assert re.search(r"\d", after(path, "Published"))
    ours = after(path, "Ours")
    assert re.search(r"\d+ seeds", ours)
    assert Recipe.from_toml(path).table in ours.lower().replace("-", "").replace("_", "")
    assert after(path, "Differs")
    assert after(path, "Search") == f"netwright search recipes/{path.name}"


@each
def test_the_bench_it_names_measures_its_own_strategy(path: Path) -> None:
    recipe, command = Recipe.from_toml(path), after(path, "Measure")
    assert command.startswith("netwright bench ")
    assert flag(command, "--table") == recipe.table
    assert f"random,{recipe.strategy}" == flag(command, "--strategies")
    asked = [f"maximize {flag(command, '--objective')}"]
    asked += [f"minimize {flag(command, '--minimize')}"] if "--minimize" in command else []
    assert tuple(asked) == recipe.objectives
    if recipe.budget.trials:
        assert flag(command, "--budget") == str(recipe.budget.trials)
    assert f"{flag(command, '--seeds')} seeds" in after(path, "Ours")


@each
def test_the_manual_lists_it(path: Path) -> None:
    manual = (ROOT / "docs" / "recipes.md").read_text(encoding="utf-8")
    (row,) = [line for line in manual.splitlines() if line.startswith(f"| `{path.stem}` |")]
    arxiv = re.search(r"arXiv:[\d.]+", head(path))
    assert arxiv
    assert arxiv[0] in row
    assert f"| `{Recipe.from_toml(path).strategy}` |" in row
    ours = row.split("|")[4]
    assert all(number in after(path, "Ours") for number in re.findall(r"\d+\.\d+", ours))


@each
def test_it_composes_over_its_table(path: Path) -> None:
    recipe, command = Recipe.from_toml(path), after(path, "Measure")
    if not listed()[recipe.table]:
        pytest.skip(f"no files of table {recipe.table}; set NETWRIGHT_DATA")
    budget = parse(flag(command, "--budget"))
    problem = posed(Plan(recipe.table, (recipe.strategy,), recipe.objectives, recipe.limits, budget=budget))
    assert fitting(problem, recipe.strategy)


@pytest.mark.parametrize("path", slowly)
def test_it_searches_the_bundled_table_from_anywhere(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    recipe = Recipe.from_toml(path)
    objectives = ("maximize val_acc", "minimize flops")[: len(recipe.objectives)]
    short = replace(recipe, table="minibench", objectives=objectives, budget=Budget(trials=11))
    run = api.run_recipe(short, out=tmp_path / "run")
    ended = [event for event in run.events() if event.kind == "ended"]
    assert len(ended) == 11
    assert {event.body["state"] for event in ended} <= {"finished", "stopped"}
