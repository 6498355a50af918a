"""Sizes from the expression equal what enumeration finds; so do the holes."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netwright.core.encode import Encoding, sparse
from netwright.core.picks import enumerated, sample
from netwright.core.size import Size, holes, size, ways
from netwright.core.space import Branches, Cell, Choice, Edge, Graph, Let, Ref, Repeat, Seq, Space, Subset, Term, Tie, op

W = Choice(1, 2, name="w")
TIED = Choice(op("a"), op("b", k=Choice(1, 2)))


def made(width: int, kept: tuple[int, ...]) -> Term:
    return op("conv", width=width, kept=kept)


SPACES = {
    "a name is one decision": Space(Seq(op("c", k=Choice(1, 2, 3)), op("c", width=W), op("c", width=W))),
    "repeats": Space(Repeat(op("c", k=Choice(1, 2)), Choice(0, 1, 2, 3))),
    "repeats that are tied": Space(Repeat(op("c", k=Choice(1, 2)), Choice(0, 1, 2, 3), tied=True)),
    "one count for two repeats": Space(
        Seq(*(Repeat(op("c", k=Choice(*range(n))), Choice(1, 2, 3, name="depth")) for n in (2, 3)))
    ),
    "a count that is asked sometimes": Space(
        Seq(*(Choice(op("identity"), Repeat(op("c", k=Choice(*range(n))), Choice(1, 2, name="depth"))) for n in (2, 3)))
    ),
    "subsets": Space(Seq(Subset((op("a"), op("b", k=Choice(1, 2)), op("c")), 1, 2))),
    "subsets of edges": Space(Cell((Subset((Edge(0, op("x", k=Choice(1, 2, 3))), Edge(1, op("y"))), 1, 2),), inputs=2)),
    "sources of edges": Space(Cell(((Edge(0, op("x")),), (Edge(Choice(0, 1), op("y", k=Choice(1, 2))),)))),
    "a grammar": Space(Ref("M"), rules={"M": Choice(Seq(Ref("M"), Ref("M")), op("c", k=Choice(1, 2)), op("d"))}, max_depth=2),
    "a tied part that is asked sometimes": Space(Seq(Choice(op("x"), Tie("t", TIED)), Choice(op("y"), Tie("t", TIED)))),
    "a named choice of parts": Space(
        Seq(*(Choice(op(x), Choice(op("a"), op("b", k=Choice(1, 2)), name="kind")) for x in ("y", "z")))
    ),
    "let": Space(Let(made, width=Choice(8, 16, 32), kept=Subset((0, 1, 2), 1, 2))),
    "a graph, and heads": Space(
        Graph((("a", op("c", k=Choice(1, 2)), ("x",)), ("b", op("sum"), ("a", "x")))),
        heads=(op("linear", units=W), op("linear", units=W), op("linear", units=Choice(4, 5))),
    ),
}


@pytest.mark.parametrize("name", SPACES)
def test_size_is_what_enumeration_finds(name: str) -> None:
    space = SPACES[name]
    traces = [member.trace for member in enumerated(space)]
    assert size(space) == Size(len(traces))
    assert len(set(traces)) == len(traces)


@pytest.mark.parametrize("name", SPACES)
def test_every_hole_that_is_asked_is_known_and_can_be_reached(name: str) -> None:
    space = SPACES[name]
    asked = {path for member in enumerated(space) for path, _ in member.trace}
    known = holes(space)
    assert asked == set(known) or name == "a grammar"
    for path, way in ways(space).items():
        reaching = [m.decisions for m in enumerated(space) if all(m.decisions.get(p) == a for p, a in way.items())]
        assert any(path in decisions for decisions in reaching), path


def _terms() -> st.SearchStrategy[Term]:
    values = st.integers(2, 3).map(lambda n: Choice(*range(n)))
    named = st.sampled_from([Choice(0, 1, name="one"), Choice(0, 1, 2, name="two")])
    leaf = st.builds(lambda v, n: op(n, value=v), st.one_of(values, named, st.just(1)), st.sampled_from("abc"))

    def grow(inner: st.SearchStrategy[Term]) -> st.SearchStrategy[Term]:
        two = st.tuples(inner, inner).filter(lambda pair: pair[0] != pair[1])
        return st.one_of(
            two.map(lambda pair: Seq(*pair)),
            two.map(lambda pair: Branches(*pair)),
            two.map(lambda pair: Choice(*pair)),
            two.map(lambda pair: Subset(pair, 1, 2)),
            st.builds(Repeat, inner, st.sampled_from([Choice(0, 1, 2), Choice(1, 2, name="times")]), st.booleans()),
        )

    return st.recursive(leaf, grow, max_leaves=5)


@settings(max_examples=150, deadline=None)
@given(_terms())
def test_size_of_random_expressions(term: Term) -> None:
    space = Space(term)
    found = size(space)
    if found.count <= 3000:
        assert found == Size(sum(1 for _ in enumerated(space)))


def test_a_bound_is_called_one() -> None:
    below = Space(Ref("M"), rules={"M": Choice(Seq(Ref("M"), op("c")), op("d", k=W))}, max_depth=2)
    assert not size(below).exact
    assert size(below).count >= sum(1 for _ in enumerated(below))
    assert str(size(below)).startswith("at most")


def test_an_encoding_has_a_column_for_each_option_and_tells_members_apart() -> None:
    space = SPACES["a named choice of parts"]
    encoding = Encoding(space)
    rows = [tuple(encoding(member)) for member in enumerated(space)]
    assert len(set(rows)) == len(rows) == size(space).count
    drawn = sample(space, random.Random(0))
    assert sum(encoding(drawn)) == len(drawn.trace) == len(sparse(drawn))
    assert set(sparse(drawn)) <= set(encoding.columns)
