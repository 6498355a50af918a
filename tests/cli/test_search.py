"""From flags to a recipe, and what is said while it runs and at its end; the search itself is a log that is played back."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from netwright import api
from netwright.cli.main import main
from netwright.cli.search import recipe_from
from netwright.core.contracts import Event
from netwright.errors import LimitError, RecipeError
from netwright.recipe import Budget, Recipe
from netwright.report.facts import facts
from netwright.testing.sample_log import sample_log


def made(data: str = "digits", **given: Any) -> Recipe:
    lists = {name: given.pop(name, []) for name in ("maximize", "minimize", "limits", "budget", "settings")}
    return recipe_from(data, given, **lists)


def test_flags_make_a_recipe() -> None:
    recipe = made(
        target="price", seed=3, maximize=["f1"], minimize=["latency_ms", "params"], limits=["params<=20k"],
        budget=["90s", "200 trials"], settings=["strategy.population=50", "estimator.epochs=5"],
    )  # fmt: skip
    assert recipe.objectives == ("maximize f1", "minimize latency_ms", "minimize params")
    assert recipe.limits == ("params<=20k",)
    assert recipe.budget == Budget(90.0, 200)
    assert recipe.options == {"strategy": {"population": 50}, "estimator": {"epochs": 5}}
    assert (recipe.data, recipe.target, recipe.seed) == ("digits", "price", 3)


def test_flags_override_a_recipe_file(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    told = Recipe(
        data="wine", seed=4, limits=("params<=1k",), budget=Budget(60.0), options={"strategy": {"population": 9, "tournament": 2}}
    )
    file.write_text(told.to_toml())
    assert made(str(file)) == told
    recipe = made(str(file), seed=0, budget=["5 trials"], settings=["strategy.population=10"], target=None)
    assert recipe == replace(told, seed=0, budget=Budget(trials=5), options={"strategy": {"population": 10, "tournament": 2}})


def test_a_wrong_direction_or_name_is_said_before_anything_is_loaded() -> None:
    with pytest.raises(LimitError, match="--maximize accuracy"):
        made(minimize=["accuracy"])
    with pytest.raises(RecipeError, match="evolution"):
        made(strategy="evolve")


class Played:
    """Stands in for ``api.run_recipe``: tells the events of a finished search."""

    def __init__(self, folder: Path, fail: type[BaseException] | None = None, after: int = 60) -> None:
        self.folder, self.fail, self.after = folder, fail, after
        self.called: dict[str, Any] = {}
        self.events = sample_log(40)

    def __call__(self, recipe: Recipe, *, out: Path | None, tell: Callable[[Event], None], started: float | None) -> Any:
        self.called = {"recipe": recipe, "out": out, "started": started}
        for number, event in enumerate(self.events):
            tell(event)
            if self.fail is not None and number == self.after:
                raise self.fail()
        return SimpleNamespace(folder=self.folder, facts=facts(self.events))


@pytest.fixture
def played(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Played:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    instead = Played(Path("runs/digits-1"))
    monkeypatch.setattr(api, "run_recipe", instead)
    return instead


def test_a_budget_is_always_there(played: Played) -> None:
    assert main(["search", "digits", "--quiet"]) == 0
    assert played.called["recipe"].budget == api.DEFAULT_BUDGET
    assert main(["search", "digits", "--quiet", "--budget", "7 trials", "--out", "here"]) == 0
    assert played.called["recipe"].budget == Budget(None, 7)
    assert played.called["out"] == Path("here")
    assert played.called["started"] is not None


def test_lines_where_there_is_no_terminal(played: Played, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["search", "digits"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert "\x1b" not in out
    lines = out.splitlines()
    assert lines[0].startswith("data: digits")
    assert sum(line.startswith("forecast: ") for line in lines) == 1
    assert [line for line in lines if line.startswith("best so far: ")]
    for phase in ("final training …", "test …", "export …", "report …"):
        assert lines.count(phase) == 1
    assert "on the sealed test (95 % interval" in out
    assert "netwright predict runs/digits-1 FILE…" in out


def test_quiet_is_the_last_line(played: Played, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["search", "digits", "--quiet"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert out.count("\n") == 1
    assert "sealed test" in out
    assert out.endswith("runs/digits-1\n")


def test_json_is_what_show_prints(played: Played, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["search", "digits", "--json"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert json.loads(out) == json.loads(json.dumps(facts(played.events).to_json()))


def test_an_interruption_says_how_to_go_on(played: Played, capsys: pytest.CaptureFixture[str]) -> None:
    played.fail = KeyboardInterrupt
    assert main(["search", "digits", "--quiet", "--out", "my runs/a"]) == 130
    assert capsys.readouterr().err == "Stopped. Go on with: netwright resume 'my runs/a'\n"


def test_an_interruption_before_the_run_began(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def early(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(api, "run_recipe", early)
    assert main(["search", "digits"]) == 130
    assert capsys.readouterr().err == "Stopped before the run began.\n"
