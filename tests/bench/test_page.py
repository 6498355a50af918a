"""The page and the files: they name what they speak of, stand alone, and hold what the figures were made of."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from netwright.bench import result
from netwright.bench.plan import Budget
from netwright.bench.play import play
from netwright.bench.problem import Problem
from netwright.bench.words import about, command, compared, headline, lines, number

Pose = Callable[..., Problem]


@pytest.fixture
def made(pose: Pose, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., result.Bench]:
    """A bench without processes."""

    def ran(**given: Any) -> result.Bench:
        problem = pose(**{"strategies": ("random", "evolution[population=5,tournament=2]"), "seeds": 4, "budget": 30, **given})
        plan = problem.plan
        monkeypatch.setattr(
            result, "searched", lambda *_: [play(problem, text, seed) for text in plan.strategies for seed in range(plan.seeds)]
        )
        begun = result.Opened(problem, ["it is short"], {"random": ["it draws"]})
        with closing(result.kept(begun, tmp_path)) as log:
            return result.run(begun, log, 1, lambda state: None)

    return ran


@pytest.mark.parametrize(
    "given",
    [
        {}, {"distinct": "class", "budget": 4}, {"objectives": ("test_acc",)}, {"objectives": ("val_acc", "latency_ms@phone", "params")},
        {"budget": Budget(80, "epochs"), "strategies": ("random", "asha(random)"), "within": 0.01}, {"budget": Budget(900, "seconds")},
        {"strategies": ("random",), "seeds": 1, "budget": 1},
    ],
    ids=["plain", "distinct", "oracle", "several", "epochs", "seconds", "least"],
)  # fmt: skip
def test_the_page_names_what_it_speaks_of(made: Callable[..., result.Bench], given: dict[str, Any]) -> None:
    bench = made(**given)
    page = (bench.folder / "bench.html").read_text()
    told = json.loads((bench.folder / "bench.json").read_text())
    assert told == json.loads(json.dumps(bench.told, allow_nan=False))
    assert "tiny" in page
    assert all(key in page for key in ("val_acc",) if "objectives" not in given)
    assert f"{told['problem']['architectures']} architectures" in page if "distinct" in given else "81 rows" in page
    assert ("An oracle problem" in page) == ("test_acc" in str(given))
    assert "it is short" in page
    assert "random: it draws." in page
    assert not re.search(r"\b(nan|None|inf)\b", re.sub(r"<(svg|style|script).*?</\1>", "", page, flags=re.S))
    assert not re.search(r'(src|href)="http', page), "it needs nothing from elsewhere"
    assert "netwright bench --table" in page


def test_the_figures_are_the_searches(made: Callable[..., result.Bench]) -> None:
    from pyarrow import parquet

    bench = made()
    rows = parquet.read_table(bench.folder / "queries.parquet").to_pylist()
    told = {each["strategy"]: each for each in bench.told["strategies"]}
    for text in bench.problem.plan.strategies:
        ends = [row["best_so_far"] for row in rows if row["strategy"] == text and row["query"] == 30 and row["epochs"] == 9]
        assert len(ends) == 4
        regrets = sorted(-bench.problem.best - end for end in ends)
        assert told[text]["regret"]["30"] == pytest.approx((regrets[1] + regrets[2]) / 2, abs=1e-9)
        assert told[text]["seeds"] == 4
    assert {row["seed"] for row in rows} == {0, 1, 2, 3}
    assert [each["baseline"] for each in bench.told["comparisons"]] == ["random"]
    assert bench.told["problem"]["versions"]["netwright"]


def test_what_people_wrote_is_escaped(made: Callable[..., result.Bench]) -> None:
    bench = made()
    bench.told["warnings"] = ["<b>bold</b>"]
    from netwright.bench.page import page

    text = page(bench.problem, bench.courses, bench.told, "<i>folder</i>")
    assert "<b>bold</b>" not in text
    assert "<i>folder</i>" not in text
    assert "&lt;i&gt;folder" in text


def test_words(made: Callable[..., result.Bench]) -> None:
    bench = made(seeds=3)
    problem, told = bench.problem, bench.told["strategies"]
    assert "of its searches" in headline(problem, told) or "median of 3 seeds" in headline(problem, told)
    columns, rows = lines(problem, told)
    assert all(len(row) == len(columns) for row in rows)
    assert all(len(row[0]) <= 16 for row in lines(problem, told, 50)[1])
    assert compared(bench.told["comparisons"])
    assert dict(about(problem, ["w"]))["warning"] == "w"
    assert [number(x) for x in (None, 0, 0.0, 82, 1234.0, 0.012345, -0.5)] == ["–", "0", "0", "82", "1,234", "0.01235", "−0.5"]


def test_where_nobody_found_it_the_distance_is_told(made: Callable[..., result.Bench]) -> None:
    bench = made(budget=1, strategies=("random",), seeds=2)
    assert "random 0." in headline(bench.problem, bench.told["strategies"])
    assert "away from the best after 1 queries" in headline(bench.problem, bench.told["strategies"])


def test_the_command_asks_for_the_same(pose: Pose) -> None:
    import shlex

    plan = pose(objectives=("val_acc",), limits=("params<=300",), distinct="class", within=0.5, first=3, seeds=9).plan
    words = shlex.split(command(plan, "some where"))
    assert words[:2] == ["netwright", "bench"]
    given = dict(zip(words[2::2], words[3::2], strict=True))
    assert given == {
        "--table": plan.table, "--maximize": "val_acc", "--limit": "params<=300", "--strategies": "random", "--seeds": "9",
        "--budget": "150", "--distinct": "class", "--within": "0.5", "--seed": "3", "--out": "some where",
    }  # fmt: skip
