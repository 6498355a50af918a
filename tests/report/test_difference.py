"""Differences hold both architectures, mark what is added, removed and changed, and say what was decided otherwise."""

from __future__ import annotations

import random
import xml.etree.ElementTree as ET

import pytest

from netwright.core.architecture import Architecture, Node
from netwright.core.picks import mutate, sample
from netwright.core.seeds import stream
from netwright.core.space import Choice, Seq, Space, op, unfold
from netwright.example import look
from netwright.layers.counts import count
from netwright.registry import listed
from netwright.report.difference import _both, changes, draw_difference
from netwright.report.options import answers
from netwright.testing.sample_log import SIGNATURE

SVG = "{http://www.w3.org/2000/svg}"


def texts(svg: str) -> list[str]:
    return ["".join(text.itertext()) for text in ET.fromstring(svg).iter(f"{SVG}text")]


def conv(x: int, path: str, kernel: int = 3) -> Node:
    return Node("conv", (x,), (("kernel", kernel), ("width", 8)), path)


def network(*nodes: Node) -> Architecture:
    return Architecture(nodes, (len(nodes) - 1,))


@pytest.mark.parametrize("name", listed("spaces"))
def test_both_networks_of_every_space_are_in_their_difference(name: str) -> None:
    space, signature = look(name)
    old = sample(space, stream(1, 0, "draw"))
    for new in (mutate(space, old, random.Random(5)), sample(space, stream(2, 0, "draw"))):
        merged = _both(old, new, signature)
        for each, gone in ((old, "+"), (new, "−")):
            side = [unit for unit in merged if unit.mark != gone]
            told = sum(unit.weight for unit in side if each is new)
            assert told in (0, count(each, signature).params)
        assert all(source < place for place, unit in enumerate(merged) for source in unit.inputs)
        svg = draw_difference(old, new, signature, space=space, names=("<a>", "b & c"))
        assert "<a>" in texts(svg)
        assert all(len(change) == 3 for change in changes(old, new, signature, space).decisions)


def test_a_network_does_not_differ_from_itself() -> None:
    space, signature = look("nasbench201")
    one = sample(space, stream(1, 0, "draw"))
    found = changes(one, one, signature, space)
    assert not found.decisions
    assert found.layers["added"] == found.layers["removed"] == found.layers["changed"] == 0
    assert "The same layers" in texts(draw_difference(one, one, signature))


def test_what_is_added_removed_and_changed_has_a_sign_and_a_pattern() -> None:
    old = network(conv(-1, "a"), conv(0, "b"), Node("max_pool", (1,), (("kernel", 2),), "c"), conv(2, "d"))
    new = network(conv(-1, "a"), conv(0, "b", kernel=5), conv(1, "d"), Node("flatten", (2,), (), "e"), conv_free(3))
    found = changes(old, new, SIGNATURE)
    assert found.layers == {"added": 1, "removed": 1, "changed": 2, "common": 1}  # flatten joins the box before it
    svg = draw_difference(old, new, SIGNATURE)
    assert "conv 3×3 · 8" in texts(svg)  # what b was, above what it is
    assert {"+", "−", "≠"} <= set(texts(svg))
    dashes = [line for line in svg.split("}") if "stroke-dasharray" in line]
    assert any(".gone .box" in line for line in dashes)
    assert any(".other .box" in line for line in dashes)


def conv_free(x: int) -> Node:
    return Node("linear", (x,), (("units", 10),), "f")


def test_lines_that_move_are_marked_on_their_own() -> None:
    old = network(conv(-1, "a"), conv(0, "b"), conv(1, "c"), Node("sum", (0, 2), (), "s"), conv(3, "d"))
    new = network(conv(-1, "a"), conv(0, "b"), conv(1, "c"), Node("sum", (1, 2), (), "s"), conv(3, "d"))
    svg = draw_difference(old, new, SIGNATURE)
    assert svg.count('class="edge new"') == 1
    assert svg.count('class="edge gone"') == 1


def test_decisions_are_told_in_words() -> None:
    body = Seq(op("conv", kernel=Choice(3, 5), width=8), Choice(op("identity"), op("activation", kind="relu"), name="act"))
    space = Space(Seq(body, op("flatten"), op("linear", units=10)), signature=SIGNATURE)
    old, new = (unfold(space, lambda path, hole, k=k: hole.at(k)) for k in (0, 1))
    assert answers(old, space) == {"net.0.0.kernel": "3", "act": "identity"}
    assert changes(old, new, SIGNATURE, space).decisions == (("net.0.0.kernel", "3", "5"), ("act", "identity", "relu"))
    assert changes(old, new, SIGNATURE).decisions[0] == ("net.0.0.kernel", "option 0", "option 1")


def test_long_lists_are_cut() -> None:
    space, signature = look("mobilenet")
    old, new = (sample(space, stream(number, 0, "draw")) for number in (1, 2))
    found = changes(old, new, signature, space)
    assert len(found.decisions) > 24
    assert f"and {len(found.decisions) - 24} more" in texts(draw_difference(old, new, signature, space=space))
