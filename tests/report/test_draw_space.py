"""Drawings of spaces: every rule, named decision and layer of every space is there; what comes back is drawn once."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from netwright.core.space import (
    Branches,
    Cell,
    Choice,
    Edge,
    Graph,
    Input,
    Let,
    Op,
    Recur,
    Ref,
    Repeat,
    Seq,
    Space,
    Subset,
    Tie,
    op,
)
from netwright.example import look
from netwright.registry import listed
from netwright.report.alike import Alike, inner
from netwright.report.draw_space import draw_space
from netwright.report.options import words
from netwright.testing.sample_log import SIGNATURE

SVG = "{http://www.w3.org/2000/svg}"


def texts(svg: str) -> list[str]:
    return ["".join(text.itertext()) for text in ET.fromstring(svg).iter(f"{SVG}text")]


def drawn(body: object, **more: object) -> list[str]:
    return texts(draw_space(Space(body, name="own", signature=SIGNATURE, **more)))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", listed("spaces"))
def test_every_space_is_drawn_with_its_rules_and_layers(name: str) -> None:
    space, _ = look(name)
    svg = draw_space(space, told="a & b")
    told = " ".join(texts(svg))
    for rule in space.rules:
        assert rule in told
    todo, seen = [space.body, *space.heads, *space.rules.values()], set()
    while todo:
        term = todo.pop()
        if id(term) in seen:
            continue
        seen.add(id(term))
        todo += inner(term)
        if isinstance(term, Op) and term.name not in ("conv", "sum"):  # those have many names
            assert words(Op(term.name, ())).split()[0] in told or words(term).split(" ")[0] in told, term
    numbers = [element.attrib for element in ET.fromstring(svg).iter(f"{SVG}rect")]
    assert all(float(rect["width"]) > 0 and float(rect["height"]) > 0 for rect in numbers)


def test_holes_list_their_options() -> None:
    told = drawn(Seq(op("conv", width=Choice(8, 16), kernel=3), Choice(op("max_pool", kernel=2), op("avg_pool", kernel=2))))
    assert "8 · 16" in told
    assert {"one of 2", "max 2×2", "mean 2×2"} <= set(told)


def test_a_long_list_keeps_its_ends_and_count() -> None:
    told = drawn(op("conv", width=Choice(*range(8, 808, 8)), kernel=3))
    assert any(text.startswith("8 · 16") and text.endswith("800  (100)") for text in told)


def test_a_name_that_stands_twice_is_listed_once() -> None:
    width = Choice(8, 16, 24, name="width")
    told = drawn(Seq(op("conv", width=width, kernel=3), op("conv", width=width, kernel=1)))
    assert told.count("width") == 5  # in two layers the key and the slot, and in the list
    assert told.count("8, 16, 24") == 1
    alone = drawn(Seq(op("conv", width=width, kernel=3)))
    assert "8 · 16 · 24" in alone


def test_what_comes_back_is_drawn_once_with_its_numbers() -> None:
    def block(width: int) -> Seq:
        return Seq(*(op("conv", width=width, kernel=k) for k in (1, 3, 5, 7)))

    told = drawn(Seq(Repeat(block(8), 2), op("max_pool", kernel=2), Repeat(block(16), 2)))
    assert told.count("part A") == 3  # two references and its title
    assert "conv 3×3 · 8|16" in told


def test_options_that_differ_in_numbers_alone_are_not_one_part() -> None:
    def block(kernel: int) -> Seq:
        return Seq(*(op("conv", width=8, kernel=kernel) for _ in range(4)))

    told = drawn(Seq(Choice(block(3), block(5)), Choice(block(3), block(5)), op("flatten")))
    assert any("conv 3×3" in text for text in told)
    assert any("conv 5×5" in text for text in told)


def make(edges: tuple[int, ...]) -> Op:
    return op("linear", units=len(edges))


def test_every_word_is_drawn() -> None:
    edge = Choice(op("zero"), op("identity"))
    cell = Cell(((Edge(0, edge),), Subset((Edge(0, edge), Edge(1, edge)), 1, 1)), output="sum")
    graph = Graph((("left", op("conv", width=8, kernel=1), ("x",)), ("both", op("sum"), ("x", "left"))))
    body = Seq(
        Input("x"), Tie("twin", cell), Tie("twin", cell), graph, Branches(Ref("rule"), op("identity")), Repeat(op("batch_norm"), 2, True),
        op("flatten"), Let(make, edges=Subset((1, 2, 3), 1, 2)), Recur(op("linear", units=3)),
    )  # fmt: skip
    told = drawn(body, rules={"rule": Choice(Ref("rule"), op("identity"))}, heads=(op("linear", units=10),))
    for wanted in (
        "input x",
        "twin × 2",
        "2 +  1 of 2",
        "left",
        "rule",
        "× 2",
        "every copy decides alike",
        "make",
        "1 to 2 of 1 · 2 · 3",
    ):
        assert wanted in told, wanted
    assert {"made by a rule", "once for each step", "y"} <= set(told)


def test_outlines_leave_out_numbers_and_nothing_else() -> None:
    alike = Alike(op("identity"))
    assert alike.outline(op("conv", width=8, kernel=3)) == alike.outline(op("conv", width=16, kernel=5))
    assert alike.outline(op("conv", width=8)) != alike.outline(op("conv", width=Choice(8)))
    assert alike.outline(op("activation", kind="relu")) != alike.outline(op("activation", kind="silu"))
    assert alike.outline(Edge(0, op("zero"))) != alike.outline(Edge(1, op("zero")))
    assert alike.outline(Choice(1, 2)) != alike.outline(Choice(1, 2, 3))
