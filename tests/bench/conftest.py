"""The tiny table as a problem."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from netwright.bench.plan import Budget, Plan
from netwright.bench.problem import Problem, posed
from netwright.testing.tables import tiny

pytest.importorskip("pyarrow", reason="reading tables needs pyarrow: pip install 'netwright[data]'")


@pytest.fixture(scope="session")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny(tmp_path_factory.mktemp("table"))


@pytest.fixture
def pose(table: Path) -> Callable[..., Problem]:
    """A problem over the tiny table; what is given besides changes its plan."""

    def made(**given: Any) -> Problem:
        if isinstance(given.get("budget"), int):
            given["budget"] = Budget(given["budget"])
        return posed(Plan(**{"table": str(table), "strategies": ("random",), **given}))

    return made
