"""Encodings: the same code whichever others are encoded with it, whatever is laid twice, and for what computes the same."""

import numpy as np
import pytest

from netwright.core.architecture import Architecture
from netwright.core.picks import mutate, replayed, sample
from netwright.core.seeds import stream
from netwright.core.space import Branches, Cell, Choice, Edge, Repeat, Seq, Space, Tie, op
from netwright.layers.canonical import canonical
from netwright.surrogates.encode import encoded, path
from netwright.surrogates.encode._parts import joined, parts
from netwright.testing.playing import SPACES, published_space

NAMES = ("graph", "laid", "onehot", "path", "wl", "nodes")
CONV, WIDE, POOL = op("conv", kernel=1, ratio=1), op("conv", kernel=3, ratio=1), op("avg_pool", kernel=3, stride=1, padding=1)


def drawn(space: Space, count: int) -> list[Architecture]:
    return [sample(space, stream(0, i, "drawn")) for i in range(count)]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("space", SPACES)
def test_a_code_does_not_depend_on_others(name: str, space: str) -> None:
    members = drawn(SPACES[space], 20)
    encoder = encoded(SPACES[space], name).encoder
    codes = encoder(members)
    assert len(codes) == 20
    assert np.isfinite(codes.astype(float)).all()
    for n in (0, 7, 19):
        assert np.array_equal(encoder([members[n]])[0], codes[n])
    again = [replayed(SPACES[space], member.decisions) for member in members]
    assert np.array_equal(encoder(again[::-1])[::-1], codes)


@pytest.mark.parametrize("name", NAMES)
def test_a_mutant_has_another_code(name: str) -> None:
    space, rng = published_space("nasbench201"), stream(0, 0, "mutants")
    told = 0
    for parent in drawn(space, 20):
        child = mutate(space, parent, rng)
        pair = encoded(space, name)([parent, child])
        told += canonical(parent) != canonical(child) and np.array_equal(pair[0], pair[1])
    assert told <= (3 if name == "path" else 0), "networks that differ have one code"


def cell(*answers: int) -> Architecture:
    """Three edges of a cell of two nodes, each nothing, a skip, a convolution, or a pool."""
    edge = Choice(op("zero"), op("identity"), CONV, POOL)
    space = Space(Cell(((Edge(0, edge),), (Edge(0, edge), Edge(1, edge)))))
    return replayed(space, dict(zip(("net.0.0.op", "net.1.0.op", "net.1.1.op"), answers, strict=True)))


def test_paths() -> None:
    conv, pool = "conv kernel=1 ratio=1", "avg_pool kernel=3"

    def found(*answers: int) -> dict[str, float]:
        return {name: n for name, n in path.features(cell(*answers)).items() if ":" not in name}

    assert found(2, 3, 2) == {pool: 1, f"{conv} > {conv}": 1}
    assert found(1, 1, 1) == {"": 2}, "two ways on which nothing is done"
    assert found(2, 1, 0) == {"": 1}, "a dead branch is no path"
    assert found(0, 3, 2) == {pool: 1}, "nothing comes through zero"


def test_what_computes_the_same_is_one_graph() -> None:
    assert parts(cell(2, 0, 1)) == parts(cell(1, 0, 2))
    assert parts(cell(2, 0, 1)) != parts(cell(2, 1, 1))


def test_a_tied_cell_is_there_once() -> None:
    edge = Choice(op("zero"), op("identity"), CONV, WIDE, POOL)
    body = Cell(((Edge(0, edge),), (Edge(0, edge), Edge(1, edge))))
    once, often = Space(Seq(CONV, Tie("c", body))), Space(Seq(CONV, Tie("c", body), POOL, Tie("c", body), Tie("c", body)))
    for member in drawn(once, 5):
        first, described, pool = parts(replayed(often, member.decisions))
        assert (first, described) == parts(member)
        assert pool.labels == ("avg_pool kernel=3",)
    tied = Space(Seq(CONV, Repeat(body, 6, tied=True)))
    assert max(len(parts(member)) for member in drawn(tied, 5)) == 2


def test_cells_of_different_width_with_the_same_decisions_are_there_once() -> None:
    nodes = [sum(len(part.labels) for part in parts(member)) for member in drawn(published_space("nasbench101"), 5)]
    assert max(nodes) < 45, "nine cells, of which one is described"


def test_layers_in_a_row_are_one_node() -> None:
    space = Space(Branches(Seq(op("activation", kind="relu"), CONV, op("batch_norm")), op("identity")))
    (part,) = parts(sample(space, stream(0, 0, "row")))
    assert part.labels == ("activation relu+conv kernel=1 ratio=1+batch_norm", "sum")
    assert part.reads == ((-1,), (0, -1))


def test_parts_are_joined_end_to_end() -> None:
    chain = parts(sample(Space(Seq(CONV, Branches(POOL, op("identity")), WIDE)), stream(0, 0, "joined")))
    graph = joined(chain)
    assert graph.labels == ("conv kernel=1 ratio=1", "avg_pool kernel=3", "sum", "conv kernel=3 ratio=1")
    assert graph.reads == ((-1,), (0,), (1, 0), (2,))
    assert graph.outs == (3,)
