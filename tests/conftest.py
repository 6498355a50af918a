"""Tables of measured architectures, where they are: the folder ``nas`` of NETWRIGHT_DATA, or beside the repository."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

NAS = Path(os.environ.get("NETWRIGHT_DATA", Path(__file__).parents[2] / "shared" / "data")) / "nas"


@pytest.fixture(scope="session")
def nas() -> Callable[[str], list[dict[str, Any]]]:
    """Rows of a table by its name; the test is skipped where the table is absent."""
    read: dict[str, list[dict[str, Any]]] = {}

    def rows(name: str) -> list[dict[str, Any]]:
        path = NAS / f"{name}.parquet"
        if not path.is_file():
            pytest.skip(f"no {path.name} in {NAS}; set NETWRIGHT_DATA")
        if name not in read:
            read[name] = pytest.importorskip("pyarrow.parquet").read_table(path).to_pylist()
        return read[name]

    return rows
