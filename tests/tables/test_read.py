"""The reader: names, budgets, seeds, costs, keys; and one line for each thing that can be wrong with a file."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from netwright.core.picks import replayed, sample
from netwright.core.seeds import stream
from netwright.errors import DataError, LimitError, UserError
from netwright.registry import module
from netwright.tables.describe import described as facts
from netwright.tables.read import known, listed, read
from netwright.tables.table import Table
from netwright.testing.tables import EPOCHS, described, rows, tiny, write

pytest.importorskip("pyarrow", reason="reading tables needs pyarrow: pip install 'netwright[data]'")


@pytest.fixture
def table(tmp_path: Path) -> Table:
    return read(str(tiny(tmp_path)))


def test_a_row_by_its_architecture(table: Table) -> None:
    space = module("spaces", "nasbench201").space(table.signature, **table.settings)
    assert len(table) == 81
    for place in (0, 40, 80):
        assert table.find(replayed(space, table.traces[place])) == place


def test_a_miss_is_an_error_that_names_the_key(table: Table) -> None:
    space = module("spaces", "nasbench201").space(table.signature)
    held = {frozenset(trace.items()) for trace in table.traces}
    other = next(a for k in range(99) if frozenset((a := sample(space, stream(0, k, "test"))).trace) not in held)
    with pytest.raises(DataError, match=r"table tiny: no row with arch '\|"):
        table.find(other)


def test_a_name_is_a_metric_at_a_budget_of_a_seed_or_the_mean_of_all(table: Table) -> None:
    row = rows()[7]
    means = [(a + b) / 2 for a, b in zip(row["val.0"], row["val.1"], strict=True)]

    def value(text: str, epochs: int = EPOCHS) -> float:
        return table.value(7, table.asked(text), epochs)

    assert value("val_acc") == pytest.approx(means[-1])
    assert value("val_acc", 3) == value("val_acc@3") == pytest.approx(means[2])
    assert value("val_acc@3#1") == row["val.1"][2]
    assert value("val_acc#0") == row["val.0"][-1]
    assert value("latency_ms@phone") == row["phone"]
    assert value("phone") == row["phone"], "a Parquet column's own name will do"
    assert table.metric("val_acc@3").direction == "maximize"
    assert table.metric("latency_ms@phone").unit == "ms"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("val_axc", "Did you mean 'val_acc'"),
        ("val_acc@99", "Its curves go from @1 to @9"),
        ("val_acc#7", "Its repetitions: #0, #1"),
        ("params@3", "It has params"),
        ("training_s", "is cost, no objective"),
        ("class", "is info, no objective"),
    ],
)
def test_a_name_that_is_not_there(table: Table, text: str, told: str) -> None:
    with pytest.raises(LimitError, match=told):
        table.asked(text)


def test_costs_add_up_by_epoch(table: Table) -> None:
    heavy = int(rows()[7]["class"])
    assert table.seconds(7, 3) == pytest.approx(3 * (10 + heavy))
    assert table.seconds(7, EPOCHS, seed=1) == pytest.approx(EPOCHS * (10 + heavy))


def test_where_no_cost_is_known_a_full_training_is_a_second(tmp_path: Path) -> None:
    columns = [each for each in described()["columns"] if each.get("role") != "cost"]
    table = read(str(tiny(tmp_path, columns=columns)))
    assert table.seconds(0, EPOCHS) == 1.0
    assert table.seconds(0, 3, unknown=6.0) == pytest.approx(2.0)


def test_budgets_of_their_own(tmp_path: Path) -> None:
    """Columns for some budgets, as NAS-Bench-101 has them, with a cost for the longest."""
    some = [{"arch": row["arch"], "acc_4": row["val.0"][3], "acc_8": row["val.0"][7], "s": 80.0} for row in rows()]
    columns = [
        {"pattern": r"acc_(?P<n>\d)", "name": "val_acc", "metric": "accuracy", "budget": "{n}", "split": "validation"},
        {"field": "s", "role": "cost", "budget": 8},
    ]
    table = read(str(write(tmp_path / "some.parquet", some, described(columns=columns, name="some"))))
    assert table.names == ["val_acc@4", "val_acc@8"]
    assert table.default == "val_acc@8"
    assert table.value(3, table.asked("val_acc"), 7) == rows()[3]["val.0"][3], "the largest budget that was paid for"
    assert math.isnan(table.value(3, table.asked("val_acc"), 3))
    assert (table.seconds(3, 8), table.seconds(3, 4)) == (80.0, 40.0)


def test_a_curve_that_broke_off_has_no_value_after_its_end(tmp_path: Path) -> None:
    some = rows()
    some[5]["val.0"] = some[5]["val.0"][:4]
    some[5]["val.1"] = some[5]["val.1"][:4]
    path = write(tmp_path / "broken.parquet", some, described(name="broken"))
    table = read(str(path))
    asked = table.asked("val_acc")
    assert math.isnan(table.value(5, asked, EPOCHS))
    assert math.isnan(table.everywhere(asked, EPOCHS)[5])
    assert not math.isnan(table.value(5, asked, 4))
    own = [{**each, "own_length": True} if "val" in each.get("pattern", "") else each for each in described()["columns"]]
    table = read(str(write(tmp_path / "shorter.parquet", some, described(name="shorter", columns=own))))
    assert table.value(5, table.asked("val_acc#0"), EPOCHS) == some[5]["val.0"][-1]


def test_what_describe_tells(table: Table) -> None:
    told = facts(table)
    assert (told["rows"], told["architectures"], told["doubled"]) == (81, 81, 0)
    accuracy = next(each for each in told["objectives"] if each["name"] == "val_acc")
    assert (accuracy["seeds"], accuracy["epochs"], accuracy["missing"]) == ([0, 1], EPOCHS, 0)
    assert 0 < accuracy["noise"]["std"] < 0.02
    assert accuracy["noise"]["halves"] > 0.9
    assert told["costs"][0]["mean_s"] == pytest.approx(EPOCHS * (10 + 4 / 3), rel=1e-6)
    assert {"name": "class", "columns": 1, "distinct": 5} in told["information"]


# ---- bad files --------------------------------------------------------------------------------------------------------


def doubled(some: list[dict[str, Any]]) -> None:
    some.append(some[3])


def without_key(some: list[dict[str, Any]]) -> None:
    some[4]["arch"] = None


def strange(some: list[dict[str, Any]]) -> None:
    some[9]["arch"] = "|nor_conv_9x9~0|+|none~0|none~1|+|none~0|none~1|none~2|"


def infinite(some: list[dict[str, Any]]) -> None:
    some[4]["phone"] = math.inf


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (doubled, "1 rows are doubled, the first of arch"),
        (without_key, "row 4 has no arch"),
        (strange, "row 9 does not fit space nasbench201: '.*' is not a cell of NAS-Bench-201"),
        (infinite, "column 'phone' holds infinite numbers"),
    ],
)
def test_bad_rows(tmp_path: Path, spoil: Callable[[list[dict[str, Any]]], None], told: str) -> None:
    some = rows()
    spoil(some)
    path = write(tmp_path / "bad.parquet", some, described())
    with pytest.raises(DataError, match=told) as raised:
        facts(read(str(path)))
    assert "\n" not in str(raised.value)
    assert str(path) in str(raised.value)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"space": "nasbench999"}, "unknown space 'nasbench999'"),
        ({"space": ""}, "lacks 'space'"),
        ({"key": ["archs"]}, "no column 'archs', which is its key. Did you mean 'arch'"),
        ({"schema": 2}, "schema 2"),
        ({"colums": []}, "no entry is called 'colums'. Did you mean 'columns'"),
        ({"columns": [{"field": "vall"}]}, "no column 'vall'"),
        ({"columns": [{"pattern": "x+"}]}, r"no column like 'x\+'"),
        ({"columns": [{"field": "phone", "direction": "up"}]}, "direction cannot be 'up'"),
        ({"columns": [{"field": "phone", "budget": "many"}]}, "its entry cannot be filled in"),
        ({"columns": [{"field": "params", "name": "a"}, {"field": "phone", "name": "a"}]}, "are both called 'a'"),
        ({"signature": {"inputs": 3}}, "signature cannot be read"),
        ({"json": ["arch"]}, "row 0: arch is not JSON"),
    ],
)
def test_bad_descriptions(tmp_path: Path, changes: dict[str, Any], told: str) -> None:
    path = tiny(tmp_path, **changes)
    with pytest.raises(UserError, match=told) as raised:
        facts(read(str(path)))
    assert "\n" not in str(raised.value)


def test_files_that_are_none(tmp_path: Path) -> None:
    text = tmp_path / "text.parquet"
    text.write_text("no table")
    undescribed = write(tmp_path / "undescribed.parquet", rows(), None)
    for path, told in (
        (text, "not a Parquet file"),
        (undescribed, "does not say what its columns are"),
        (tmp_path / "a.parquet", "no such file"),
    ):
        with pytest.raises(DataError, match=told):
            read(str(path))


def test_doubled_columns(tmp_path: Path) -> None:
    import pyarrow
    import pyarrow.parquet as parquet

    twice = pyarrow.Table.from_arrays([pyarrow.array([1]), pyarrow.array([2])], names=["a", "a"])
    parquet.write_table(twice, tmp_path / "twice.parquet")
    with pytest.raises(DataError, match="doubled columns: 'a'"):
        read(str(tmp_path / "twice.parquet"))


def test_a_name_that_no_table_has() -> None:
    with pytest.raises(DataError, match="Did you mean 'nasbench201'"):
        read("nasbench2o1")


def test_a_table_whose_files_are_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETWRIGHT_DATA", str(tmp_path))
    read.cache_clear()
    assert not listed()["fbnet"]
    with pytest.raises(DataError, match=r"fbnet_hardware.parquet is not in .*NETWRIGHT_DATA"):
        read("fbnet")


# ---- the published tables -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(known()))
def test_a_published_table_fits_its_space(name: str) -> None:
    """Rows lead to architectures and back."""
    if not listed()[name]:
        pytest.skip(f"the files of {name} are not here; set NETWRIGHT_DATA")
    table = read(name)
    space = module("spaces", table.space).space(table.signature, **table.settings)
    first = {frozenset(trace.items()): row for trace, row in reversed([*zip(table.traces, table.rows, strict=True)])}
    for place in range(0, len(table), max(1, len(table) // 60)):
        trace = table.traces[place]
        assert table.find(replayed(space, trace)) == first[frozenset(trace.items())]
    asked = table.asked(table.default)
    assert not math.isnan(float(table.everywhere(asked)[0]))


def test_known_figures() -> None:
    if not all(listed()[name] for name in ("nasbench201", "spikenas", "nasbench_macro", "nasbench101_20k")):
        pytest.skip("the published tables are not here; set NETWRIGHT_DATA")
    cells = read("nasbench201")
    best = cells.everywhere(cells.asked("cifar10.test_acc@200"))
    assert (int(best.argmax()), round(float(best.max()), 2)) == (6111, 94.37)
    first = {"edgegpu": 5.8074, "edgetpu": 0.95718, "pixel3": 3.60585, "eyeriss": 3.64562, "fpga": 2.57296}
    for device, printed in first.items():  # in the README of HW-NAS-Bench
        assert cells.value(0, cells.asked(f"latency_ms@{device}"), 1) == pytest.approx(printed, abs=1e-4)
    spiking = read("spikenas")
    row = spiking.keys.index(next(spiking.keys[k] for k in range(len(spiking)) if spiking.texts("id")[k] == 14862))
    assert spiking.value(row, spiking.asked("val_acc"), spiking.epochs) == 88.64
    assert spiking.value(row, spiking.asked("test_acc"), 1) == 88.5
    networks = read("nasbench_macro")
    means = networks.everywhere(networks.asked("test_acc"))
    assert networks.keys[int(means.argmax())] == ("22212202",)
    assert float(means.max()) == pytest.approx(93.127, abs=1e-3)
    assert read("nasbench101_20k").asked("val_acc").budgets == (4, 12, 36, 108)
