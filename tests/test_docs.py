"""The docs tell the truth: every example in README, CONTRIBUTING and ``docs/`` is run.

Fenced blocks are read by their first line. ``console``: each ``$ netwright …`` is run; searches, resumes and exports are read and
checked only, and really done, with tiny budgets, in the slow tests. ``console error``: it ends with exit code 2 and says just that.
``python``: is run; ``python slow``: in the slow tests; ``python file=NAME``: is written to that file, which others import.
``toml NAME``: is written to that file. Text in other fences is left alone.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).parent.parent
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")])
LEAST = {
    "estimator": {"epochs": 1, "final_epochs": 1},
    "control": {"finalists": 1, "randoms": 1, "seeds": 1, "references": False},
}


@dataclass(frozen=True)
class Block:
    """A fenced block: its page, line, first line's words, and text."""

    page: Path
    line: int
    words: tuple[str, ...]
    text: str

    @property
    def name(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"

    @property
    def file(self) -> str:
        """The file that it is to be written to."""
        if self.words[:1] == ("toml",) and len(self.words) == 2:
            return self.words[1]
        return next((word.removeprefix("file=") for word in self.words if word.startswith("file=")), "")


def blocks() -> Iterator[Block]:
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for match in re.finditer(r"^```([^\n`]*)\n(.*?)^```$", text, re.M | re.S):
            yield Block(page, text.count("\n", 0, match.start()) + 1, tuple(match[1].split()), match[2])


ALL = list(blocks())
PYTHON = [block for block in ALL if block.words[:1] == ("python",) and not block.file]
CALLS = [
    pytest.param(line.removeprefix("$ "), block, id=f"{block.name} {line}")
    for block in ALL
    if block.words[:1] == ("console",)
    for line in block.text.splitlines()
    if line.startswith("$ ")
]


# ---- a place to work in -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with everything that the docs speak of: data, files, and the finished run ``runs/digits-1``."""
    import netwright

    place = tmp_path_factory.mktemp("docs")
    _data(place)
    for block in ALL:
        if block.file:
            file = place / block.file
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(block.text, encoding="utf-8")
    netwright.search("digits", budget="3 trials", options=LEAST, out=place / "runs" / "digits-1")
    return place


def _data(place: Path) -> None:
    from PIL import Image
    from sklearn.datasets import load_digits

    rng = np.random.default_rng(0)
    area, rooms = rng.uniform(20, 200, 150), rng.integers(1, 7, 150)
    price = 1000 * area + 5000 * rooms + rng.normal(0, 4000, 150)
    rows = [f"{r},{a:.1f},{'NSW'[int(r) % 3]},{p:.0f}" for r, a, p in zip(rooms, area, price, strict=True)]
    (place / "table.csv").write_text("\n".join(["rooms,area,district,price", *rows]) + "\n", encoding="utf-8")
    (place / "new_rows.csv").write_text("rooms,area,district\n3,80,N\n1,30,\n", encoding="utf-8")
    days = [
        f"2025-{1 + i // 28:02}-{1 + i % 28:02},{i % 7},{rng.uniform(0, 30):.1f},{'yes' if i % 3 else 'no'}" for i in range(180)
    ]
    (place / "shop.csv").write_text("\n".join(["day,weekday,degrees,sold", *days]) + "\n", encoding="utf-8")
    for label, name in enumerate(("cats", "dogs")):
        (place / "photos" / name).mkdir(parents=True)
        for i in range(20):
            pixels = rng.integers(0, 100, (12, 12, 3)) + 100 * label
            Image.fromarray(pixels.astype(np.uint8)).save(place / "photos" / name / f"{i}.png")
    seven = load_digits().images[7] * 16
    Image.fromarray(seven.clip(0, 255).astype(np.uint8)).save(place / "seven.png")
    np.savez(place / "objects.npz", x=np.array([{"a": 1}, None], dtype=object), y=np.array([0, 1]))


@pytest.fixture
def here(made: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(made)
    monkeypatch.setattr("webbrowser.open", lambda address: True)
    return made


# ---- commands ---------------------------------------------------------------------------------------------------------


def call(line: str, monkeypatch: pytest.MonkeyPatch) -> int:
    """Run a documented command line in this process; its exit code."""
    from netwright.cli.main import main

    words = shlex.split(line)
    while "=" in words[0]:
        name, _, value = words.pop(0).partition("=")
        monkeypatch.setenv(name, value)
    assert words.pop(0) == "netwright"
    return main(words)


def known(line: str) -> bool:
    """Whether it is a call of ``netwright``; else it must be one of the few others that the docs show."""
    if re.match(r"(\w+=\S+ )*netwright\b", line):
        return True
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    target = line.removeprefix("make ").split()[0] if line.startswith("make ") else ""
    allowed = ("git clone ", "cd ", "python", "pip install ", "source .venv", ".venv/bin/")
    assert (f"\n{target}:" in makefile) if target else line.startswith(allowed), line
    return False


DEAR = re.compile(r"netwright (search|resume|export)\b")


@pytest.mark.parametrize(("line", "block"), CALLS)
def test_a_command_runs(
    line: str, block: Block, here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if not known(line) or not (set(re.findall(r"runs/[\w-]+", line)) <= {"runs/digits-1"}):
        return
    if "error" in block.words:
        shown = block.text.partition(f"$ {line}\n")[2].partition("\n")[0]
        assert call(line, monkeypatch) == 2
        assert capsys.readouterr().err.strip() == shown
        return
    if DEAR.match(line):
        _read_only(monkeypatch)
    if line.startswith("netwright bench"):
        line = _short(line)
    assert call(line, monkeypatch) == 0
    assert capsys.readouterr().out


def _short(line: str) -> str:
    """A bench with one seed and the least budget."""
    rest = re.sub(r'--(seeds|budget) ("[^"]*"|\S+)', "", line)
    return f"{rest} --seeds 1 --workers 1 --budget {'20epochs' if 'epochs' in line else '5'}"


def _read_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """In place of the work, a look at whether its recipe can be composed."""
    from netwright import api, compose
    from netwright.forecast import settings

    run = api.Run("runs/digits-1")

    def checked(recipe: Any, **named: Any) -> api.Run:
        if recipe.table:
            assert recipe.table == "minibench", recipe.table  # the one that everybody has
            return run
        compose.build_goal(recipe)
        compose.build_estimator(recipe)
        settings(recipe)
        if recipe.space:
            compose._space_module(recipe.space)
        data = recipe.data.rstrip("/")
        assert Path(data).exists() or data in ("digits", "iris", "wine", "diabetes", "breast_cancer"), data
        return run

    def forecast(recipe: Any, **named: Any) -> dict[str, Any]:
        checked(recipe)
        return dict(next(event.body for event in run.events() if event.kind == "forecast"))

    monkeypatch.setattr(api, "run_recipe", checked)
    monkeypatch.setattr(api, "dry_run", forecast)
    monkeypatch.setattr(api, "resume", lambda *given, **named: run)
    monkeypatch.setattr(api, "export", lambda *given, **named: run.folder / "model")


@pytest.mark.slow
@pytest.mark.parametrize(("line", "block"), [c for c in CALLS if DEAR.search(c.values[0]) or "table-1" in c.values[0]])
def test_a_dear_command_runs(line: str, block: Block, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For real, with the smallest budget."""
    if not known(line) or "error" in block.words:
        return
    words = shlex.split(line)
    if "runs/table-1" in words and not Path("runs/table-1").exists():
        assert call(_tiny(["netwright", "search", "table.csv", "--target", "price", "--out", "runs/table-1"]), monkeypatch) == 0
    finished = words[1] == "resume" and "--budget" not in words
    assert call(_tiny(words), monkeypatch) == (2 if finished else 0)


def _tiny(words: list[str]) -> str:
    if "--budget" in words or words[1] == "search":
        while "--budget" in words:
            at = words.index("--budget")
            del words[at : at + 2]
        words += ["--budget", "2 trials" if words[1] == "search" else "+2 trials"]
    if words[1] == "search" and "--table" not in words:  # over a table nothing is trained
        for part, values in LEAST.items():
            for name, value in values.items():
                words += ["--set", f"{part}.{name}={str(value).lower()}"]
    return shlex.join(words)


# ---- Python and files -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("block", [b for b in PYTHON if "slow" not in b.words], ids=lambda block: block.name)
def test_python_runs(block: Block, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _run(block, here, monkeypatch)


@pytest.mark.slow
@pytest.mark.parametrize("block", [b for b in PYTHON if "slow" in b.words], ids=lambda block: block.name)
def test_slow_python_runs(block: Block, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _run(block, here, monkeypatch)


def _run(block: Block, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import netwright.strategies

    # What a page writes to netwright/strategies/ is found there.
    paths = [*netwright.strategies.__path__, str(here / "netwright" / "strategies")]
    monkeypatch.setattr(netwright.strategies, "__path__", paths)
    code = compile("\n" * block.line + block.text, str(block.page), "exec", dont_inherit=True)
    exec(code, {"__name__": "__main__"})


def test_the_worked_example_fulfils_the_house(made: Path) -> None:
    """The strategy of CONTRIBUTING is typed and formatted as all others are, and is short."""
    import ast
    import subprocess
    import sys

    file = made / "netwright" / "strategies" / "hill.py"
    body = [node for node in ast.parse(file.read_text(encoding="utf-8")).body if isinstance(node, ast.ClassDef)]
    assert body[0].end_lineno is not None
    assert body[0].end_lineno - body[0].lineno < 20
    config = str(ROOT / "pyproject.toml")
    for command in (["ruff", "check", "--config", config], ["ruff", "format", "--check", "--config", config]):
        subprocess.run([sys.executable, "-m", *command, str(file)], check=True, cwd=ROOT)


def test_every_recipe_that_is_shown_can_be_read(made: Path) -> None:
    from netwright.recipe import Recipe

    files = [block.file for block in ALL if block.words[:1] == ("toml",) and block.file]
    assert files
    for file in files:
        Recipe.from_toml(made / file)


# ---- pages ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", [*PAGES, ROOT / "CHANGELOG.md"], ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)\s]+)\)", re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.S))
    broken = [
        link for link in links if not re.match(r"https?://|#", link) and not (page.parent / link.partition("#")[0]).exists()
    ]
    assert not broken


def test_every_page_can_be_reached() -> None:
    """From the README or the index, in two steps at most."""
    text = (ROOT / "docs" / "index.md").read_text(encoding="utf-8") + (ROOT / "docs" / "decisions" / "README.md").read_text(
        encoding="utf-8"
    )
    pages = [page for page in (ROOT / "docs").rglob("*.md") if page.name not in ("index.md", "README.md")]
    assert not [page.name for page in pages if f"{page.name})" not in text]


def test_the_picture_is_small() -> None:
    assert (ROOT / "docs" / "report.png").stat().st_size < 200_000


def test_what_show_json_is_said_to_hold(made: Path) -> None:
    import netwright

    told = json.loads(json.dumps(netwright.Run(made / "runs" / "digits-1").facts.to_json()))
    page = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    listed = re.search(r"one object: (`state`.*?) and more", page)
    assert listed is not None
    assert set(re.findall(r"`(\w+)`", listed[1])) <= told.keys()
