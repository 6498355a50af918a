"""Tables: what is read from files, how columns are understood, and what is said of bad input."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pytest

from netwright.errors import DataError
from netwright.tasks.load import load
from netwright.tasks.raw import encode_inputs
from netwright.testing.task import check_task

RNG = np.random.default_rng(0)


def rows(count: int = 60) -> list[str]:
    made = []
    for i in range(count):
        a, b = RNG.normal(), RNG.integers(0, 9)
        color = ("red", "green", "blue")[i % 3]
        made.append(f"{a:.4f},{b},{color},{'yes' if a + (i % 3) > 1 else 'no'}")
    return made


def table(place: Path, lines: list[str], header: str = "a,b,color,bought", name: str = "t.csv", **more: str) -> Path:
    path = place / name
    path.write_text("\n".join([header, *lines]) + "\n", **more)
    return path


def test_a_csv(tmp_path: Path) -> None:
    path = table(tmp_path, rows())
    check_task(lambda: load(path, target="bought"))
    task = load(path, target="bought")
    told = task.describe()
    assert task.classes == ("no", "yes")
    assert [c["kind"] for c in told["columns"]] == ["number", "number", "category"]
    assert told["columns"][2]["categories"] == ["blue", "green", "red"]
    assert told["inferred"] == "classification: 'bought' has 2 classes"
    assert task.signature.input(-1).shape == (5,)
    lines = path.read_text().splitlines()[1:]
    for i, row in zip(task.splits()["train"], task.rows("train")[0], strict=True):
        cells = lines[int(i)].split(",")
        assert row[0] == np.float32(cells[0])
        assert told["columns"][2]["categories"][int(row[2])] == cells[2]


def test_regression_is_inferred_and_said(tmp_path: Path) -> None:
    path = table(tmp_path, [f"{i % 7},{i * 1.5}" for i in range(80)], "size,price")
    task = load(path, target="price")
    assert task.kind == "regression"
    assert task.describe()["inferred"] == "regression: 'price' is a number with 80 distinct values"
    with pytest.raises(DataError, match="'price' has 80 distinct values in 80 rows, too many for classes"):
        load(path, target="price", task="classification")
    few = table(tmp_path, [f"{i}.5,{i % 3}" for i in range(60)], "size,grade")
    assert load(few, target="grade").kind == "classification"
    assert load(few, target="grade", task="regression").kind == "regression"
    with pytest.raises(DataError, match="unknown task 'ranking'"):
        load(few, target="grade", task="ranking")


def test_missing_values_constant_columns_and_text_among_numbers(tmp_path: Path) -> None:
    lines = []
    for i, line in enumerate(rows(100)):
        a, b, color, bought = line.split(",")
        lines.append(
            f"{'' if i % 10 == 0 else a},{'oops' if i == 7 else b},{'?' if i % 20 == 1 else color},same,{i},text {i} here,{bought if i != 5 else ''}"
        )
    path = table(tmp_path, lines, "a,b,color,constant,id,remark,bought")
    task = load(path, target="bought")
    told = task.describe()
    assert [c["name"] for c in told["columns"]] == ["a", "b", "color"]
    said = " ".join(told["notes"])
    assert "'constant' was dropped: it is 'same' in every row" in said
    assert "'id' was dropped: it counts the rows" in said
    assert "'remark' was dropped: it is text with 100 different values" in said
    warned = " ".join(told["warnings"])
    assert "column 'b': 1 cells are text where numbers were and count as missing, the first in row 7: 'oops'" in warned
    assert "1 of 100 rows were left out: 'bought' is missing" in warned
    assert 5 not in [i for names in task.splits().values() for i in names]
    assert sum(told["rows"].values()) == 99
    flagged = told["columns"][0]
    assert flagged["missing"] > 0
    x, _ = task.rows("train")
    assert int(np.isnan(x[:, 0]).sum()) == flagged["missing"]
    assert flagged["fill"] == pytest.approx(np.nanmedian(x[:, 0]), abs=1e-6)
    width = sum(len(c.get("categories", [0])) + (c["kind"] == "number" and c["missing"] > 0) for c in told["columns"])
    assert task.signature.input(-1).shape == (width,)
    assert all(bool(b.x.isfinite().all()) for b in task.batches("train"))


def test_dates_become_days(tmp_path: Path) -> None:
    lines = [f"2024-{1 + i % 12:02d}-{1 + i % 28:02d},{i % 28 + 1:02d}.03.2024,{i % 2}" for i in range(80)]
    task = load(table(tmp_path, lines, "iso,german,y"), target="y")
    assert [(c["kind"], c["format"]) for c in task.describe()["columns"]] == [("date", "iso"), ("date", "%d.%m.%Y")]
    first = int(task.splits()["train"][0])
    days = (np.datetime64(lines[first].split(",")[0]) - np.datetime64("1970-01-01")).astype(int)
    assert task.rows("train")[0][0, 0] == days


@pytest.mark.parametrize(("mark", "name"), [(";", "t.csv"), ("\t", "t.csv"), ("|", "t.csv"), ("\t", "t.tsv")])
def test_separators(tmp_path: Path, mark: str, name: str) -> None:
    path = table(tmp_path, [line.replace(",", mark) for line in rows()], f"a{mark}b{mark}color{mark}bought", name)
    assert len(load(path, target="bought").describe()["columns"]) == 3


def test_decimal_commas(tmp_path: Path) -> None:
    task = load(table(tmp_path, [f"{i},5;{i % 2}" for i in range(40)], "a;y"), target="y")
    assert task.describe()["columns"][0]["kind"] == "number"
    assert task.rows("train")[0][0, 0] == task.splits()["train"][0] + 0.5  # type: ignore[operator]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "utf-16"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    lines = [f"{('Köln', 'Zürich')[i % 2]},{i / 3:.3f},{i % 2}" for i in range(40)]
    task = load(table(tmp_path, lines, "Größe,a,y", encoding=encoding), target="y")
    assert task.describe()["columns"][0]["name"] == "Größe"
    assert task.describe()["columns"][0]["categories"] == ["Köln", "Zürich"]


def test_no_header(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("\n".join(f"M,0.{i:03d},{i % 2}" for i in range(50)))
    task = load(path, target="c2")
    assert sum(task.describe()["rows"].values()) == 50
    assert "read as a row" in task.describe()["notes"][0]


def test_quotes_hold_separators_and_lines(tmp_path: Path) -> None:
    path = table(tmp_path, [f'"a, {i % 3}\nb",{i / 7:.3f},{i % 2}' for i in range(40)], "text,a,y")
    assert load(path, target="y").describe()["columns"][0]["categories"] == ["a, 0\nb", "a, 1\nb", "a, 2\nb"]


def test_a_hundred_columns_and_twenty_rows(tmp_path: Path) -> None:
    lines = [",".join(f"{v:.3f}" for v in RNG.normal(size=99)) + f",{i % 2}" for i in range(20)]
    task = load(table(tmp_path, lines, ",".join(f"f{i}" for i in range(99)) + ",y"), target="y")
    assert sum(task.describe()["rows"].values()) == 20
    assert "train rows for 99 columns" in task.describe()["warnings"][-1]


@pytest.mark.parametrize(
    ("content", "target", "said"),
    [
        (b"", "y", "an empty file"),
        (b"a,y\n", "y", "a header, but no rows"),
        (b"a,b\n1,2\n3,4\n", "y", "there is no target column 'y'"),
        (b"a,price\n1,2\n3,4\n", "prise", "Did you mean 'price'?"),
        (b"a,y\n1,2\n3,4\n", None, "no target was named. Say which column to predict with --target. Columns: a, y."),
        (b"a,a,y\n1,2,3\n", "y", "the column name 'a' stands 2 times"),
        (b"a,b,y\n1,2,3\n1,2\n", "y", "line 3 has 2 cells, the header has 3"),
        (b"a,y\n" + b"".join(b"%d,7\n" % i for i in range(9)), "y", "one class only: 'y' is '7' in every row"),
        (b"a,y\n" + b"".join(b"%d,\n" % i for i in range(9)), "y", "'y' is missing in every row"),
        (b"a,y\n" + b"".join(b"5,%d\n" % (i % 2) for i in range(9)), "y", "no column is left"),
        (b"y\n1\n2\n", "y", "one column only"),
        (b"a,y\n" + b"".join(b"%d,%d\n" % (i * i, i > 8) for i in range(10)), "y", "class '1' has a single example"),
        (bytes(range(256)) * 20, "y", "not a text file"),
    ],
)
def test_bad_tables_get_one_line(tmp_path: Path, content: bytes, target: str | None, said: str) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        load(path, target=target)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_other_bad_data(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="Did you mean 'digits'"):
        load("digit")
    (tmp_path / "x.xlsx").write_bytes(b"PK")
    with pytest.raises(DataError, match=r"a \.xlsx cannot be read"):
        load(tmp_path / "x.xlsx")
    with pytest.raises(DataError, match="data cannot be a int"):
        load(3)
    with pytest.raises(DataError, match="Python objects"):
        load((np.array([[{}]], dtype=object), [0]))
    with pytest.raises(DataError, match="its own, not 'price'"):
        load("wine", target="price")
    with pytest.raises(DataError, match="option 'flip' is for images"):
        load("wine", options={"flip": True})


def test_groups_and_time(tmp_path: Path) -> None:
    lines = [f"{RNG.normal():.4f},u{i % 12},2024-01-{1 + i % 28:02d},{i // 2 % 2}" for i in range(120)]
    path = table(tmp_path, lines, "a,user,day,y")
    task = load(path, target="y", split_by="user")
    sides = [{int(i) % 12 for i in names} for names in task.splits().values()]
    assert sum(map(len, sides)) == 12
    assert task.describe()["split"] == {"method": "groups", "seed": 0, "own_test": False, "column": "user"}
    assert [c["name"] for c in task.describe()["columns"]] == ["a", "day"]
    task = load(path, target="y", split_by="day")
    assert task.describe()["split"]["method"] == "time order"
    days = [{lines[int(i)].split(",")[2] for i in names} for names in task.splits().values()]
    assert max(days[0]) < min(days[1])
    assert max(days[1]) < min(days[2])
    with pytest.raises(DataError, match=r"no split-by column 'usr'.*Did you mean 'user'"):
        load(path, target="y", split_by="usr")


def test_a_test_table_of_ones_own(tmp_path: Path) -> None:
    lines = rows(60)
    path = table(tmp_path, lines)
    other = table(tmp_path, [*lines[:3], *rows(20)], name="test.csv")
    check_task(lambda: load(path, target="bought", test=other))
    task = load(path, target="bought", test=other)
    assert task.describe()["rows"] == {"train": 48, "validation": 12, "test": 23}
    assert "3 of 23 test rows also stand in the data" in " ".join(task.describe()["warnings"])
    odd = table(tmp_path, ["1,2,red,maybe"], name="odd.csv")
    with pytest.raises(DataError, match=r"odd\.csv: class 'maybe' is not in the data"):
        load(path, target="bought", test=odd)
    short = table(tmp_path, ["1,red,yes"], "a,color,bought", name="short.csv")
    with pytest.raises(DataError, match="column 'b' is missing"):
        load(path, target="bought", test=short)
    with pytest.raises(DataError, match="not of the same kind"):
        load(path, target="bought", test="digits")


def test_rows_are_encoded_by_column_name(tmp_path: Path) -> None:
    path = table(tmp_path, rows())
    task = load(path, target="bought")
    new = table(tmp_path, ["purple,9,x,1.5", "red,,y,?"], "color,b,extra,a", name="new.csv")
    names, raw = encode_inputs(task.describe(), [new])
    assert names == [f"{new}:0", f"{new}:1"]
    assert raw[0].tolist() == [1.5, 9, -1]
    assert np.isnan(raw[1, :2]).all()
    assert raw[1, 2] == 2
    with pytest.raises(DataError, match="column 'a' is missing"):
        encode_inputs(task.describe(), [table(tmp_path, ["1,2"], "b,color", name="no.csv")])


def test_parquet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as parquet

    n = 60
    columns = {
        "a": [None if i % 9 == 0 else i / 7 for i in range(n)],
        "b": [f"k{i % 3}" for i in range(n)],
        "ok": [i % 4 == 0 for i in range(n)],
        "y": [i % 2 for i in range(n)],
    }
    parquet.write_table(pa.table(columns), tmp_path / "t.parquet")
    check_task(lambda: load(tmp_path / "t.parquet", target="y"))
    assert [c["kind"] for c in load(tmp_path / "t.parquet", target="y").describe()["columns"]] == [
        "number",
        "category",
        "category",
    ]
    (tmp_path / "bad.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(DataError, match="not a readable Parquet file"):
        load(tmp_path / "bad.parquet", target="y")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(DataError, match=r"netwright\[data\]"):
        load(tmp_path / "t.parquet", target="y")


DATA = Path(os.environ.get("NETWRIGHT_DATA", Path(__file__).parents[3] / "shared" / "data")) / "datasets"
have = pytest.mark.skipif(not DATA.is_dir(), reason=f"no data in {DATA}; set NETWRIGHT_DATA")


@have
def test_adult() -> None:
    task = load(DATA / "tab_adult" / "adult-train.csv", target="c14")
    assert task.classes == ("<=50K", ">50K")
    assert sum(task.describe()["rows"].values()) == 32561
    assert [c["kind"] for c in task.describe()["columns"]].count("category") == 8


@have
@pytest.mark.parametrize(("name", "shape", "test"), [("cifar10_subset", (3, 32, 32), 2000), ("mnist", (1, 28, 28), 10000)])
def test_known_images(name: str, shape: tuple[int, ...], test: int) -> None:
    task = load(DATA / f"{name}.npz")
    assert task.signature.input(-1).shape == shape
    assert task.describe()["rows"]["test"] == test
    assert len(task.classes) == 10
