"""The linter: what it says is so, for spaces made to be wrong and for those of the folder."""

from __future__ import annotations

from typing import Any

import pytest

from netwright.core.architecture import Signature, Tensor
from netwright.core.metrics import parse_limit
from netwright.core.picks import enumerated, replayed
from netwright.core.space import Branches, Choice, Repeat, Seq, Space, Term, op
from netwright.layers.canonical import canonical
from netwright.layers.counts import count
from netwright.lint import Lint, lint

IMAGES = Signature((("x", Tensor((3, 8, 8))),), (("y", Tensor((2,))),))
HEAD: tuple[Term, ...] = (op("global_pool"), op("linear", units=2))


def looked(*parts: Term, limits: tuple[str, ...] = (), **given: Any) -> Lint:
    space = Space(Seq(*parts, *HEAD), name="mine", signature=IMAGES)
    return lint(space, IMAGES, [parse_limit(text) for text in limits], **{"seconds": 20, **given})


def test_a_small_space_is_looked_at_whole_and_every_figure_is_exact() -> None:
    width = op("conv", width=Choice(4, 8, 16), kernel=Choice(3, 5))
    found = looked(width, Choice(op("identity"), op("batch_norm")), limits=("params<=700",))
    space = Space(Seq(width, Choice(op("identity"), op("batch_norm")), *HEAD))
    counts = [count(member, IMAGES).params for member in enumerated(space)]
    assert (found.size.count, found.looked_at, found.whole, found.distinct) == (12, 12, True, 12)
    assert found.feasible_share == sum(c <= 700 for c in counts) / 12
    assert found.smallest is not None
    assert found.largest is not None
    assert (found.smallest.values["params"], found.largest.values["params"]) == (min(counts), max(counts))
    assert count(replayed(space, found.largest.trace), IMAGES).params == max(counts)
    assert not found.findings
    assert found.to_json()["supernet"] is True


def test_doubles_are_counted() -> None:
    found = looked(op("conv", width=4), Choice(op("identity"), Seq(op("identity"), op("identity")), op("batch_norm")))
    assert (found.size.count, found.distinct) == (3, 2)
    assert found.duplicate_share == pytest.approx(1 / 3)
    assert [(f.kind, f.path) for f in found.findings] == [("same", "net.1")]
    assert "options 0 and 1" in found.findings[0].text


def test_a_hole_without_effect_an_option_that_never_fits_and_one_that_cannot_be_reached() -> None:
    dead = Branches(op("identity"), Seq(op("zero"), op("activation", kind=Choice("relu", "tanh"))))
    pools = Choice(op("identity"), op("max_pool", kernel=99))
    found = looked(op("conv", width=Choice(4, 8)), dead, pools)
    kinds = {f.kind: f for f in found.findings}
    assert set(kinds) == {"no_effect", "never_fits"}
    assert kinds["no_effect"].path == "net.1.1.1.kind"
    assert kinds["never_fits"].path == "net.2"
    assert "99×99 window does not fit" in kinds["never_fits"].text
    assert found.broken == 4
    assert "net.2=1" in found.first_error
    assert "cannot be kept together" in found.supernet
    deep = Repeat(op("activation", kind=Choice("relu", "gelu")), Choice(1, 2, 3))
    assert not looked(op("conv", width=4), deep).findings


def test_an_option_that_is_reached_only_behind_others_is_tried_there() -> None:
    inner: Term = op("max_pool", kernel=Choice(2, 77))
    for _ in range(4):
        inner = Choice(*(op("conv", width=w) for w in (3, 5, 7, 9)), inner)
    found = looked(op("conv", width=4), inner)
    (finding,) = found.findings
    assert finding.kind == "never_fits"
    assert finding.path.endswith(".kernel")


def test_of_a_large_space_members_are_drawn_and_the_share_has_an_interval() -> None:
    parts = [op("conv", width=Choice(*range(4, 20)), kernel=Choice(1, 3, 5)) for _ in range(6)]
    found = looked(*parts, limits=("params<=5k", "latency_ms<=2"), members=300, seconds=8)
    assert found.size.count == 48**6
    assert (found.whole, found.distinct, found.looked_at) == (False, None, 300)
    assert found.kept is not None
    low, high = found.interval(found.kept)
    assert 0 <= low < found.feasible_share < high <= 1  # type: ignore[operator]
    assert found.unchecked == ["latency_ms <= 2 ms"]
    assert found.smallest is not None
    smallest = 3 * 4 + 5 * 4 * 4 + 4 * 2 + 2  # every kernel 1, every width 4; the linear layer has a bias
    assert found.smallest.values["params"] == smallest
    largest = 25 * (3 * 19 + 5 * 19 * 19) + 19 * 2 + 2
    assert found.largest is not None
    assert found.largest.values["params"] == largest


def test_the_same_seed_finds_the_same() -> None:
    parts = [op("conv", width=Choice(*range(4, 20))) for _ in range(5)]
    one, two = (looked(*parts, members=50, limits=("params<=5k",)).to_json() for _ in range(2))
    assert {**one, "seconds": 0} == {**two, "seconds": 0}


def test_distinct_is_by_what_is_computed() -> None:
    space = Space(Seq(Choice(op("zero"), op("identity"), op("conv", width=3)), *HEAD), signature=IMAGES)
    assert lint(space, IMAGES).distinct == len({canonical(member) for member in enumerated(space)}) == 3


def test_an_output_of_another_shape_than_the_task_wants_is_found() -> None:
    space = Space(Seq(op("conv", width=Choice(4, 8)), op("global_pool"), op("linear", units=7)), signature=IMAGES)
    (finding,) = lint(space, IMAGES).findings
    assert (finding.kind, finding.path) == ("head", "net.2")
    assert "shape (7,), head y wants (2,)" in finding.text
