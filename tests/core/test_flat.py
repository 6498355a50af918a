"""A space as a flat list of parameters, there and back."""

from __future__ import annotations

import random

import pytest

from netwright.core.flat import Flat, Parameter, changed
from netwright.core.picks import replayed, sample
from netwright.core.space import Cell, Choice, Edge, Range, Repeat, Seq, Space, Subset, op
from netwright.errors import NoFeasible
from netwright.testing.strategy import SPACES

EDGES = Space(Cell((Subset(tuple(Edge(0, op(f"conv{k}")) for k in range(10)), 2, 4),)))


@pytest.mark.parametrize("name", SPACES)
def test_there_and_back(name: str) -> None:
    space, rng = SPACES[name], random.Random(0)
    flat = Flat(space)
    for _ in range(40):
        architecture = sample(space, rng)
        values = flat.values(architecture)
        assert flat.drafted(lambda p, values=values: values[p.name], rng).trace == architecture.trace
        assert all(0 <= value < flat.named[name].count for name, value in values.items())


def test_what_the_parameters_are() -> None:
    space = Space(
        Seq(op("conv", width=Choice(8, 16, 32), kind=Choice("a", "b", "c"), fixed=Choice(3)), Repeat(op("pool"), Range(1, 4)))
    )
    assert set(Flat(space).parameters) == {
        Parameter("net.0.width", 3, ordered=True),
        Parameter("net.0.kind", 3),
        Parameter("net.1.times", 4, ordered=True),
    }


def test_where_an_edge_comes_from_has_no_order() -> None:
    assert not any(parameter.ordered for parameter in Flat(SPACES["wired"]).parameters)


def test_a_small_subset_is_one_parameter_and_a_large_one_has_bits() -> None:
    small = Space(Cell((Subset(tuple(Edge(0, op(f"conv{k}")) for k in range(4)), 2, 2),)))
    assert [parameter.count for parameter in Flat(small).parameters] == [6]
    assert [parameter.count for parameter in Flat(EDGES).parameters] == [2] * 10


@pytest.mark.parametrize(("wanted", "kept"), [(set(), 2), ({1}, 2), ({1, 2, 3}, 3), (set(range(8)), 4)])
def test_members_are_added_or_dropped_until_a_subset_fits(wanted: set[int], kept: int) -> None:
    found = Flat(EDGES).drafted(lambda p: int(int(p.name.partition("#")[2]) in wanted), random.Random(0))
    (answer,) = found.decisions.values()
    assert len(answer) == kept
    assert set(answer) <= wanted if len(wanted) >= kept else wanted <= set(answer)


def test_the_nearest_listed_one_is_taken() -> None:
    whole = SPACES["cell"]
    rng = random.Random(1)
    listed = [sample(whole, rng).decisions for _ in range(60)]
    flat = Flat(whole.only(listed))
    for _ in range(50):
        wanted = sample(whole, rng).decisions
        found = flat.drafted(lambda p, wanted=wanted: wanted[p.name], rng).decisions
        assert found in listed

        def apart(trace: dict[str, object], wanted: dict[str, object] = wanted) -> int:
            return sum(trace[path] != answer for path, answer in wanted.items())

        assert apart(found) == min(apart(trace) for trace in listed)


def test_what_breaks_a_counted_limit_is_changed_until_it_keeps_it() -> None:
    def excess(architecture: object) -> dict[str, float]:
        convs = sum(node.op == "conv3" for node in architecture.nodes)  # type: ignore[attr-defined]
        return {"convs": float(convs)} if convs else {}

    space, rng = SPACES["macro"].screened(excess), random.Random(2)
    flat = Flat(space)
    for _ in range(20):
        draft = flat.drafted(lambda p: rng.randrange(p.count), rng)
        accepted = flat.accepted(draft, rng)
        assert not excess(accepted)
        assert replayed(space, accepted.decisions).trace == accepted.trace
    with pytest.raises(NoFeasible):
        Flat(SPACES["macro"].screened(lambda architecture: {"never": 1.0})).accepted(draft, rng)


def test_a_space_of_one_has_no_other() -> None:
    space = Space(op("conv3"))
    assert Flat(space).parameters == ()
    assert changed(space, sample(space, random.Random(0)), random.Random(0)).nodes
