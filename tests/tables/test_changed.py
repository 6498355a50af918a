"""Rows that are one architecture share a mean, columns get a direction; the table that was read stays what it was."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from netwright.errors import DataError, LimitError
from netwright.tables.changed import classes, declared, merged
from netwright.tables.read import read
from netwright.tables.table import Table
from netwright.testing.tables import described, rows, tiny, write

pytest.importorskip("pyarrow", reason="reading tables needs pyarrow: pip install 'netwright[data]'")


@pytest.fixture
def table(tmp_path: Path) -> Table:
    return read(str(tiny(tmp_path)))


def test_rows_of_one_class_share_the_mean(table: Table) -> None:
    numbers, one = classes(table, "class"), merged(table, "class")
    assert len(set(numbers)) == len({row["class"] for row in rows()}) == 5
    before, after = table.everywhere(table.asked("val_acc")), one.everywhere(one.asked("val_acc"))
    for number in set(numbers):
        places = [place for place, each in enumerate(numbers) if each == number]
        assert after[places] == pytest.approx(np.full(len(places), before[places].mean()))
        assert one.value(places[0], one.asked("val_acc@3#1"), 3) == pytest.approx(
            np.mean([rows()[place]["val.1"][2] for place in places])
        )
    assert not np.allclose(before, after)
    assert table.everywhere(table.asked("val_acc")) == pytest.approx(before), "the table itself is as it was"


def test_scaled_and_missing_values_are_averaged_as_they_are_read(tmp_path: Path) -> None:
    told = described()
    told["columns"][3] |= {"scale": 10.0, "missing": -1.0, "direction": "minimize"}
    given = rows()
    first = [k for k, row in enumerate(given) if row["class"] == "1"]
    for k, row in enumerate(given):
        row["params"] = -1.0 if k in first[1:] or row["class"] == "2" else float(row["params"])
    table = read(str(write(tmp_path / "own.parquet", given, told)))
    one = merged(table, "class")
    found = one.everywhere(one.asked("params"))
    assert found[first] == pytest.approx(10.0 * given[first[0]]["params"]), "over the rows that have a value"
    assert np.isnan(found[[k for k, row in enumerate(given) if row["class"] == "2"]]).all()


def test_a_column_that_is_not_there_is_named(table: Table) -> None:
    with pytest.raises(DataError, match=r"no column 'clas'.*Did you mean 'class'"):
        merged(table, "clas")
    with pytest.raises(LimitError, match="no column 'parms'"):
        declared(table, {"parms": "minimize"})


def test_a_column_gets_a_direction(table: Table) -> None:
    told = declared(table, {"training_s": "minimize"})
    assert told.metric("training_s").direction == "minimize"
    with pytest.raises(LimitError, match="no objective"):
        table.metric("training_s")
