"""The expression, its one recursion and the operators, on small spaces whose contents are known."""

import json
import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netwright.core.architecture import Architecture, Frame, Signature, Tensor, framed
from netwright.core.picks import cross, enumerated, everything, mutate, neighbours, replayed, sample
from netwright.core.space import (
    ALL,
    Branches,
    Cell,
    Chain,
    Choice,
    Edge,
    Range,
    Ref,
    Repeat,
    Seq,
    Space,
    Subset,
    Tie,
    op,
    unfold,
)
from netwright.errors import NoFeasible, SpaceError

OPS = tuple(op(name) for name in ("zero", "identity", "conv1", "conv3", "pool"))


def cell() -> Cell:
    return Cell(tuple(tuple(Edge(j, Choice(*OPS)) for j in range(i)) for i in (1, 2, 3)))


SPACES = {
    "cell": Space(Repeat(cell(), 5, tied=True)),
    "chain": Space(
        Seq(
            op("conv", width=Choice(8, 16, name="w"), kernel=3),
            Repeat(Choice(op("conv", width=Choice(8, 16, name="w"), kernel=Choice(3, 5)), op("identity")), Choice(1, 2, 3)),
        )
    ),
    "wired": Space(
        Chain(
            *[
                Cell(
                    tuple(tuple(Edge(Range(0, i + 1), Choice(*OPS)) for _ in range(2)) for i in range(2)),
                    inputs=2,
                    output="concat",
                )
            ]
            * 3
        )
    ),
    "subset": Space(Seq(Subset(OPS, 1, 3), op("linear", units=3))),
    "branches": Space(Branches(Choice(*OPS[:3]), op("identity"), project=True)),
    "grammar": Space(
        Ref("M"),
        rules={"M": Choice(Seq(Ref("M"), Ref("M")), Branches(Ref("M"), op("identity")), Ref("C")), "C": Choice(*OPS[2:])},
        max_depth=5,
    ),
    "tied": Space(Seq(Tie("t", Choice(*OPS)), Tie("t", Choice(*OPS)), Choice(*OPS))),
}


@pytest.mark.parametrize("name", SPACES)
class TestEverySpace:
    def test_a_trace_rebuilds_its_architecture(self, name: str) -> None:
        space = SPACES[name]
        for seed in range(30):
            drawn = sample(space, random.Random(seed))
            again = replayed(space, drawn.decisions)
            assert again == drawn
            assert again.id == drawn.id
            assert Architecture.from_json(json.loads(json.dumps(drawn.to_json()))) == drawn

    def test_the_same_seed_draws_the_same(self, name: str) -> None:
        space = SPACES[name]
        assert [sample(space, random.Random(3)).id for _ in range(3)] == [sample(space, random.Random(3)).id for _ in range(3)]

    def test_a_mutant_differs_and_lies_inside(self, name: str) -> None:
        space = SPACES[name]
        for seed in range(30):
            parent = sample(space, random.Random(seed))
            child = mutate(space, parent, random.Random(seed))
            assert child.id != parent.id
            assert replayed(space, child.decisions) == child

    def test_a_crossing_decides_as_one_of_its_parents_did(self, name: str) -> None:
        space = SPACES[name]
        for seed in range(20):
            a, b = sample(space, random.Random(seed)), sample(space, random.Random(seed + 100))
            child = cross(space, a, b, random.Random(seed))
            for path, answer in child.trace:
                if path in a.decisions or path in b.decisions:
                    assert answer in (a.decisions.get(path), b.decisions.get(path))

    def test_neighbours_differ_in_one_decision(self, name: str) -> None:
        space = SPACES[name]
        drawn = sample(space, random.Random(1))
        for near in list(neighbours(space, drawn, random.Random(2)))[:50]:
            shared = set(near.decisions) & set(drawn.decisions)
            assert sum(near.decisions[path] != drawn.decisions[path] for path in shared) >= 1

    def test_every_node_reads_earlier_ones(self, name: str) -> None:
        for architecture in (sample(SPACES[name], random.Random(5)),):
            assert architecture.hard
            for place, node in enumerate(architecture.nodes):
                assert all(-1 <= i < place for i in node.inputs)


def test_a_cell_of_six_edges_and_five_operations_has_15625_members() -> None:
    traces = {architecture.trace for architecture in enumerated(Space(cell()))}
    assert len(traces) == 5**6


def test_enumeration_meets_what_sampling_meets() -> None:
    space = SPACES["chain"]
    listed = {a.id for a in enumerated(space)}
    drawn = {sample(space, random.Random(seed)).id for seed in range(2000)}
    assert drawn == listed


def test_every_option_of_a_supernet_is_mixed() -> None:
    whole = everything(SPACES["cell"])
    mixes = [node for node in whole.nodes if node.op == "mix"]
    assert len(mixes) == 5 * 6
    assert all(len(node.inputs) == 5 for node in mixes)
    assert not whole.hard
    assert len({node.hole for node in mixes}) == 6  # tied: five copies share six decisions
    convs = [node for node in whole.nodes if node.op == "conv3"]
    assert len({node.weights for node in convs}) == len(convs)  # but no weights


def test_a_partly_decided_choice_mixes_what_is_kept() -> None:
    space = Space(Choice(*OPS))
    kept = unfold(space, lambda path, hole: (1, 3))
    assert [node.op for node in kept.nodes] == ["identity", "conv3", "mix"]
    assert replayed(space, kept.decisions) == kept


def test_the_supernet_of_a_repeat_has_an_exit_for_each_depth() -> None:
    whole = everything(Space(Repeat(op("conv1"), Choice(1, 2, 3))))
    assert [node.op for node in whole.nodes] == ["conv1"] * 3 + ["mix"]
    assert whole.nodes[-1].inputs == (0, 1, 2)


def test_named_holes_are_one_decision() -> None:
    space = SPACES["chain"]
    for seed in range(20):
        widths = {dict(n.attrs)["width"] for n in sample(space, random.Random(seed)).nodes if n.op == "conv"}
        assert len(widths) == 1


def test_memory_passes_on_the_last_two_outputs() -> None:
    two = Cell(((Edge(0, op("a")), Edge(1, op("b"))),), inputs=2)
    laid = unfold(Space(Chain(op("x"), two, two)), lambda path, hole: 0)
    assert [(n.op, n.inputs) for n in laid.nodes] == [
        ("x", (-1,)), ("a", (-1,)), ("b", (0,)), ("sum", (1, 2)), ("a", (0,)), ("b", (3,)), ("sum", (4, 5)),
    ]  # fmt: skip


@given(st.integers(1, 9), st.data())
def test_subsets_are_numbered_one_to_one(n: int, data: st.DataObject) -> None:
    low = data.draw(st.integers(1, n))
    high = data.draw(st.integers(low, n))
    hole = Subset(tuple(range(n)), low, high)
    answers = [hole.at(i) for i in range(hole.count)]
    assert len(set(answers)) == hole.count == sum(math.comb(n, k) for k in range(low, high + 1))
    assert [hole.index(answer) for answer in answers] == list(range(hole.count))


def test_a_rule_without_end_is_an_error_of_the_space() -> None:
    with pytest.raises(SpaceError, match="never ends"):
        sample(Space(Ref("M"), rules={"M": Seq(Ref("M"), Ref("M"))}), random.Random(0))


def test_an_unknown_rule_and_a_foreign_trace_are_errors() -> None:
    with pytest.raises(SpaceError, match="no rule"):
        sample(Space(Ref("N")), random.Random(0))
    with pytest.raises(SpaceError, match="no fitting answer"):
        replayed(SPACES["cell"], {"net.body.0.0.op": 7})


def test_options_without_order_cannot_be_kept_together() -> None:
    with pytest.raises(SpaceError, match="largest"):
        everything(Space(op("activation", kind=Choice("relu", "gelu"))))
    assert dict(everything(Space(op("conv", width=Choice(8, 32, 16)))).nodes[0].attrs)["width"] == 32
    assert ALL is None


def small(limit: int) -> Space:
    body = Repeat(op("conv", width=Choice(8, 16, 32, 64)), 4)

    def screen(architecture: Architecture) -> dict[str, float]:
        total = sum(dict(node.attrs)["width"] for node in architecture.nodes)
        return {f"width {total}": (total - limit) / limit} if total > limit else {}

    return Space(body, screen=screen)


def test_drafts_are_repaired_toward_a_limit_that_hardly_any_meets() -> None:
    for seed in range(5):  # 1 of 256 architectures
        assert sample(small(32), random.Random(seed)).id == sample(small(32), random.Random(seed + 9)).id


def test_a_limit_that_none_meets_ends_with_the_nearest() -> None:
    with pytest.raises(NoFeasible, match="the nearest has width 32"):
        sample(small(31), random.Random(0))


def test_a_space_of_one_has_no_mutant() -> None:
    space = Space(op("identity"))
    with pytest.raises(SpaceError, match="no mutant"):
        mutate(space, sample(space, random.Random(0)), random.Random(0))


def test_an_architecture_is_framed_by_its_task() -> None:
    image = Signature((("x", Tensor((1, 8, 8))),), (("y", Tensor((10,))),))
    frame = Frame(image, (("normalize", (("mean", (1.0,)), ("std", (2.0,)))),), (("rescale", (("mean", (0.0,)),)),))
    laid = unfold(Space(Branches(op("a"), op("identity"))), lambda path, hole: 0)
    whole = framed(laid, frame)
    assert [(n.op, n.inputs) for n in whole.nodes] == [
        ("normalize", (-1,)), ("a", (0,)), ("identity", (0,)), ("sum", (1, 2)), ("rescale", (3,)),
    ]  # fmt: skip
    assert whole.outputs == (4,)
    assert Frame.from_json(json.loads(json.dumps(frame.to_json()))) == frame
    assert framed(laid, Frame(image)).nodes == laid.nodes
