"""Every device of the folder passes the kit."""

from __future__ import annotations

import pytest

from netwright.core.architecture import framed
from netwright.core.picks import sample
from netwright.core.seeds import stream
from netwright.registry import listed, module, part
from netwright.tasks.load import load
from netwright.testing import device as kit


@pytest.mark.parametrize("data", ["digits", "wine"])
@pytest.mark.parametrize("name", listed("devices"))
def test_conformance(name: str, data: str) -> None:
    task = load(data)
    space = module("spaces", "chain" if data == "digits" else "mlp").space(task.signature)
    whole = framed(sample(space, stream(0, 1, "test")), task.frame)
    kit.check_all(part("devices", name)(), whole, task.frame.raw)
