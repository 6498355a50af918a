"""The words for graphs, several inputs and heads, rules, recurrences; what is not well formed; spaces of listed members."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from netwright.core.architecture import Architecture, Signature, Tensor
from netwright.core.picks import at_random, cross, enumerated, everything, mutate, neighbours, replayed, sample
from netwright.core.size import Size, size
from netwright.core.space import (
    Branches,
    Cell,
    Chain,
    Choice,
    Edge,
    Graph,
    Input,
    Let,
    Recur,
    Ref,
    Repeat,
    Seq,
    Space,
    Subset,
    Term,
    Tie,
    op,
    unfold,
)
from netwright.errors import SpaceError

SIGNATURE = Signature((("image", Tensor((3, 8, 8))), ("sound", Tensor((20, 4)))), (("y", Tensor((2,))),))


def laid(term: Term, **given: Any) -> Architecture:
    return unfold(Space(term, signature=SIGNATURE, **given), lambda path, hole: hole.at(0))


def plain(architecture: Architecture) -> list[tuple[str, tuple[int, ...], str]]:
    return [(node.op, node.inputs, node.weights) for node in architecture.nodes]


# ---- words ------------------------------------------------------------------------------------------------------------


def test_a_graph_gives_a_layer_all_its_inputs_in_order() -> None:
    term = Graph((("a", op("p"), ("x",)), ("b", Seq(op("q"), op("r")), ("a",)), ("c", op("sum"), ("b", "x", "a"))))
    assert plain(laid(Seq(op("first"), term, op("last")))) == [
        ("first", (-1,), "net.0"),
        ("p", (0,), "net.1.a"),
        ("q", (1,), "net.1.b.0"),
        ("r", (2,), "net.1.b.1"),
        ("sum", (3, 0, 1), "net.1.c"),
        ("last", (4,), "net.2"),
    ]


def test_a_part_of_a_graph_sees_its_inputs_and_chains_pass_on_two() -> None:
    add = Graph((("s", op("sum"), ("x1", "x")),))
    assert plain(laid(Chain(op("a"), op("b"), add)))[-1] == ("sum", (0, 1), "net.2.s")
    inside = Graph((("a", op("a"), ("x",)), ("both", Seq(Cell(((Edge(0, op("p")), Edge(1, op("q"))),), inputs=2)), ("x", "a"))))
    assert [node[:2] for node in plain(laid(inside))] == [("a", (-1,)), ("p", (-1,)), ("q", (0,)), ("sum", (1, 2))]


def test_inputs_by_name_and_a_head_for_each_task() -> None:
    both = Branches(Seq(op("a"), op("b")), Seq(Input("sound"), op("c")), join="concat")
    made = laid(both, heads=(op("one"), Seq(op("two"), op("three"))))
    assert [node[:2] for node in plain(made)] == [
        ("a", (-1,)), ("b", (0,)), ("c", (-2,)), ("concat", (1, 2)), ("one", (3,)), ("two", (3,)), ("three", (5,)),
    ]  # fmt: skip
    assert made.outputs == (4, 6)
    assert made.nodes[4].weights == "head.0"
    assert replayed(Space(both, signature=SIGNATURE, heads=(op("one"), op("two"))), {}).outputs == (4, 5)
    with pytest.raises(SpaceError, match=r"net\.0.*no input 'smell'.*image, sound"):
        laid(Seq(Input("smell")))


def grown(depth: int, kept: tuple[str, ...]) -> Term:
    return Seq(*(op(name) for name in kept), *(op("conv", width=8) for _ in range(depth)))


def test_let_asks_and_then_lays_what_its_function_says() -> None:
    space = Space(Seq(op("first"), Let(grown, depth=Choice(1, 2), kept=Subset(("p", "q", "r"), 1, 2))))
    made = replayed(space, {"net.1.depth": 1, "net.1.kept": (0, 2)})
    assert [node.op for node in made.nodes] == ["first", "p", "r", "conv", "conv"]
    assert made.nodes[1].weights == "net.1.0"
    assert size(space).count == 2 * 6 == len({a.id for a in enumerated(space)})
    with pytest.raises(SpaceError, match=r"net\.1\.depth.*cannot be kept together.*no supernet"):
        everything(space)
    assert space.digest == Space(Seq(op("first"), Let(grown, depth=Choice(1, 2), kept=Subset(("p", "q", "r"), 1, 2)))).digest
    assert "test_words.grown" in str(space.to_json())


def leaves_a_hole(depth: int) -> Term:
    return op("conv", width=Choice(1, depth))


def test_let_returns_no_holes() -> None:
    with pytest.raises(SpaceError, match="returned a term with holes"):
        _ = laid(Let(leaves_a_hole, depth=Choice(2, 3))).nodes


def test_nodes_of_a_recurrence_share_a_scope_of_their_own() -> None:
    step = Graph((("h", op("state", units=4), ("x",)), ("s", op("sum"), ("x", "h")), ("n", op("carry"), ("h", "s"))))
    made = laid(Seq(op("linear", units=4), Recur(step), Recur(step), op("time_pool")))
    assert [node.scope for node in made.nodes] == ["", *["net.1"] * 3, *["net.2"] * 3, ""]
    again = Architecture(made.nodes, made.outputs)
    relaid = Architecture.of(again.block, again.outputs)
    assert relaid.nodes == made.nodes
    assert relaid.id == made.id


def test_a_cell_keeps_two_different_edges() -> None:
    edges = tuple(Edge(i, Choice(op("p"), op("q"))) for i in range(3))
    space = Space(Cell((Subset(edges[:2], 2, 2), Subset(edges, 2, 2)), inputs=2, output="concat"))
    assert size(space).count == 4 * 3 * 4
    sources = Counter(tuple(len(n.inputs) for n in a.nodes if n.op == "sum") for a in enumerated(space))
    assert sources == {(2, 2): 4 * 12}
    mixes = [node.hole for node in everything(space).nodes if node.op == "mix"]
    assert "net.0" in mixes
    assert "net.1.2.op" in mixes


def test_a_tied_part_is_laid_once_and_its_copies_have_weights_of_their_own() -> None:
    space = Space(Repeat(Tie("cell", Seq(op("a", k=Choice(1, 2)), op("b"))), 50))
    made = sample(space, random.Random(0))
    assert len(made.trace) == 1
    assert len({node.weights for node in made.nodes}) == 100
    inner = made.block.items[0].block
    assert len({id(item.block) for item in inner.items}) == 1, "each copy was laid anew"


# ---- what is not well formed ------------------------------------------------------------------------------------------

WRONG: dict[str, tuple[Callable[[], Any], str]] = {
    "a rule that never ends": (
        lambda: Space(Ref("A"), rules={"A": Seq(op("a"), Ref("A"))}),
        r"A: rule 'A' never ends.*last option",
    ),
    "two rules that never end": (
        lambda: Space(Ref("A"), rules={"A": Choice(op("a"), Ref("B")), "B": Ref("A")}),
        r"never ends",
    ),
    "a missing rule": (lambda: Space(Seq(op("a"), Ref("B")), rules={"A": op("a")}), r"net\.1: no rule is named 'B'.*Rules: A"),
    "two options that are one": (lambda: Space(Seq(op("a", k=Choice(3, 5, 3)))), r"net\.0\.k=2: two options are the same, 3"),
    "two layers that are one": (lambda: Space(Seq(Choice(op("a"), op("b"), op("a")))), r"net\.0=2: two options are the same"),
    "one name for two decisions": (
        lambda: Space(Seq(op("a", k=Choice(1, 2, name="w")), op("b", k=Choice(1, 3, name="w")))),
        r"net\.1\.k: the name 'w' stands for",
    ),
    "a repeat of zero": (lambda: Space(Seq(Repeat(op("a"), 0))), r"net\.0: a part cannot be repeated 0 times.*above 0"),
    "a repeat of less": (lambda: Space(Repeat(op("a"), Choice(1, -1))), r"net: a part cannot be repeated 1 or -1 times"),
    "an edge from later": (lambda: Space(Cell(((Edge(1, op("a")),),))), r"net\.0\.0: an edge comes from node 1.*Sources here: 0"),
    "a node without edges": (lambda: Space(Cell(((),))), r"net\.0: a node of a cell has no edge"),
    "what is no edge": (lambda: Space(Cell(((op("a"),),))), r"net\.0\.0: .* is not an Edge"),  # type: ignore[arg-type]
    "two parts of one name": (lambda: Space(Graph((("a", op("a"), "x"), ("a", op("b"), "x")))), r"net: two parts are named 'a'"),
    "a part that reads what comes later": (
        lambda: Space(Graph((("a", op("a"), ("b",)), ("b", op("b"), "x")))),
        r"net\.a: it reads 'b', which is not before it",
    ),
    "an output that is no part": (lambda: Space(Graph((("a", op("a"), "x"),), "z")), r"the output 'z' is none"),
    "what is no term": (lambda: Space(Seq(op("a"), "conv")), r"net\.1: 'conv' is not a layer"),  # type: ignore[arg-type]
    "a subset as a value": (lambda: Space(op("a", k=Subset((1, 2)))), r"net: an attribute has one value"),
    "nothing": (lambda: Space(Seq()), r"net: there is nothing in it"),
    "no function": (lambda: Space(Let("f", a=Choice(1, 2))), r"net: 'f' is not a function"),  # type: ignore[arg-type]
    "a head that is none": (lambda: Space(op("a"), heads=("b",)), r"head\.0: 'b' is not a layer"),  # type: ignore[arg-type]
    "too few inputs": (lambda: laid(Graph((("a", op("sum"), ("x", "x1")),))), r"net\.a: there are 1 inputs, so no 'x1'"),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_is_said_in_one_line_with_its_path(what: str) -> None:
    make, text = WRONG[what]
    with pytest.raises(SpaceError, match=text) as raised:
        make()
    assert "\n" not in str(raised.value)


def test_parts_of_one_name_may_differ_in_what_they_lay_but_not_in_what_they_ask() -> None:
    def cell(width: int) -> Term:
        return Tie("cell", Choice(op("conv", width=width), op("identity")))

    space = Space(Seq(cell(8), cell(16)))
    assert size(space).count == 2
    assert [dict(node.attrs) for node in replayed(space, {"cell": 0}).nodes] == [{"width": 8}, {"width": 16}]
    with pytest.raises(SpaceError, match="the name 'cell' stands for"):
        Space(Seq(cell(8), Tie("cell", Choice(op("conv", width=8), op("identity"), op("zero")))))


# ---- listed members ---------------------------------------------------------------------------------------------------

WHOLE = Space(Seq(op("a", k=Choice(1, 2, 3)), Repeat(op("b", k=Choice(1, 2)), Choice(1, 2)), op("c", k=Choice(1, 2, 3, 4))))
ROWS = [
    {"net.0.k": 0, "net.1.times": 0, "net.1.0.k": 1, "net.2.k": 3},
    {"net.0.k": 0, "net.1.times": 1, "net.1.0.k": 1, "net.1.1.k": 0, "net.2.k": 0},
    {"net.0.k": 0, "net.1.times": 1, "net.1.0.k": 1, "net.1.1.k": 1, "net.2.k": 0},
    {"net.0.k": 2, "net.1.times": 0, "net.1.0.k": 0, "net.2.k": 2},
]


def test_a_space_of_listed_members_holds_these_and_no_others() -> None:
    space = WHOLE.only(ROWS)
    ids = {replayed(WHOLE, row).id for row in ROWS}
    assert size(space) == Size(4)
    assert {member.id for member in enumerated(space)} == ids
    rng = random.Random(0)
    drawn = [sample(space, rng) for _ in range(400)]
    assert {member.id for member in drawn} == ids
    assert min(Counter(member.id for member in drawn).values()) > 60, "draws are uniform over the rows"
    for mother, father in zip(drawn[:50], drawn[50:100], strict=True):
        assert mutate(space, mother, rng).id in ids - {mother.id}
        assert cross(space, mother, father, rng).id in ids
        assert {near.id for near in neighbours(space, mother, rng)} <= ids
    assert space.digest == WHOLE.digest, "a trace means the same in both"
    assert unfold(space, at_random(rng)).id in ids


def test_a_listed_trace_that_does_not_fit_is_named() -> None:
    with pytest.raises(SpaceError, match=r"trace 1 has no answer at net\.1\.times"):
        WHOLE.only([ROWS[0], {"net.0.k": 1}])
    with pytest.raises(SpaceError, match=r"trace 0 answers 7 at net\.0\.k"):
        WHOLE.only([{**ROWS[0], "net.0.k": 7}])
    with pytest.raises(SpaceError, match="no trace is listed"):
        WHOLE.only([])
    with pytest.raises(SpaceError, match="no fitting answer"):
        replayed(WHOLE.only(ROWS), {**ROWS[0], "net.2.k": 1})


def test_a_grammar_can_be_listed() -> None:
    rules = {"M": Choice(Seq(Ref("M"), Ref("M")), op("a", k=Choice(1, 2)), op("b"))}
    space = Space(Ref("M"), rules=rules, max_depth=2)
    members = list(enumerated(space))
    listed = space.only([member.decisions for member in members[::3]])
    assert {member.id for member in enumerated(listed)} == {member.id for member in members[::3]}


def test_a_named_subset_of_edges_is_one_decision_with_all_that_hangs_on_it() -> None:
    cell = Cell((Subset((Edge(0, op("p", k=Choice(1, 2))), Edge(0, op("q", k=Choice(1, 2)))), 1, 2, name="edges"),))
    space = Space(Seq(cell, op("between"), cell))
    assert size(space).count == sum(1 for _ in enumerated(space)) == 2 + 2 + 4


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: Space(op("a", k=[3])), r"net\.k: \[3\] can change"),
        (lambda: Space(op("a", k=op("b"))), r"is no value of an attribute"),
        (lambda: Space(Repeat(op("a"), "3")), r"cannot be repeated 3 times"),  # type: ignore[arg-type]
        (lambda: Space(Repeat(op("a"), 10**9)), r"At most 10,000"),
        (lambda: Space(Cell(())), r"a cell has no node"),
        (lambda: Space(Cell(((Edge("0", op("a")),),))), r"comes from node '0'"),  # type: ignore[arg-type]
        (lambda: Space(Graph((("a.b", op("a"), ("x",)),))), r"cannot be named 'a\.b'"),
        (lambda: Space(Choice(op("a"), op("b"), name="net.0")), r"cannot be named 'net\.0'"),
        (lambda: Space(Tie("", op("a"))), r"a Tie needs a name"),
        (lambda: Space(Tie("a", Choice(op("a"), op("b"), name="a"))), r"both named 'a'"),
        (lambda: Space(Ref("r"), rules={"r": Choice(Seq(op("a"), Ref("r")), op("b"), name="c")}), r"'r' never ends"),
        (lambda: laid(Let(fails, depth=Choice(1, 2))).nodes, r"fails failed: ZeroDivisionError"),
        (lambda: laid(Let(gives_nothing, depth=Choice(1, 2))).nodes, r"None is not a layer"),
        (lambda: Space(op("a"), heads=op("b")), r"heads are no tuple"),  # type: ignore[arg-type]
    ],
)
def test_more_that_is_wrong(make: Callable[[], Any], text: str) -> None:
    with pytest.raises(SpaceError, match=text) as raised:
        make()
    assert "\n" not in str(raised.value)


def fails(depth: int) -> Term:
    return op("a", k=depth // 0)


def gives_nothing(depth: int) -> None:
    return None
