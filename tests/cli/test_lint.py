"""``netwright lint``, as it is typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from netwright.cli.main import main

BROKEN = """
from netwright.core.space import Choice, Repeat, Seq, Space, op

def dead(signature):
    body = Seq(op("conv", width=4), Choice(op("identity"), op("max_pool", kernel=99)), op("global_pool"))
    return Space(Seq(body, op("linear", units=signature.outputs)), name="dead", signature=signature)

def zero(signature):
    return Space(Repeat(op("linear", units=3), 0))
"""


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(list(arguments))
    out, err = capsys.readouterr()
    return code, out, err


def test_json_holds_what_the_page_says(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(
        capsys,
        "lint",
        "mlp",
        "--input",
        "16",
        "--outputs",
        "2",
        "--limit",
        "params<=5k",
        "--count",
        "100",
        "--seconds",
        "3",
        "--json",
    )
    found = json.loads(out)
    assert code == 0
    assert found["size"] == 534241
    assert 0 < found["feasible_share"] < 1
    assert {"distinct", "duplicate_share", "smallest", "largest", "findings", "supernet"} <= set(found)


def test_what_is_found_is_said_and_ends_with_1(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(BROKEN)
    code, out, _ = run(capsys, "lint", f"{tmp_path}/mine.py:dead", "--input", "3x16x16")
    assert code == 1
    assert "net.0.1 option 1" in out
    assert "always gives a shape error" in out


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("lint", "nasbench20"), "Did you mean 'nasbench201'?"),
        (("lint", "chain", "--input", "3y3"), "input '3y3' is no shape"),
        (("lint", "chain", "--limit", "latency<=2"), "latency_ms"),
        (("lint", "FILE:zero"), "net: a part cannot be repeated 0 times"),
        (("lint", "FILE:none"), "it has no 'none'"),
    ],
)
def test_a_mistake_is_one_line(arguments: tuple[str, ...], text: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(BROKEN)
    code, out, err = run(capsys, *(a.replace("FILE", f"{tmp_path}/mine.py") for a in arguments))
    assert code == 2
    assert text in err
    assert not out
    assert len(err.strip().splitlines()) == 1


def test_a_space_that_stumbles_over_its_inputs_is_a_mistake_not_a_fault(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "mine.py").write_text("def stumbles(signature):\n    return signature.nothing\n")
    for arguments in (("lint", f"{tmp_path}/mine.py:stumbles"), ("lint", "chain", "--input", "8")):
        code, out, err = run(capsys, *arguments)
        assert code == 2
        assert "it cannot be built for input x" in err
        assert not out
