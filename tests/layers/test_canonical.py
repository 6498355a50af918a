"""The second identity: the same for what computes the same, another for what does not."""

from __future__ import annotations

import random
import re
from collections import defaultdict
from itertools import pairwise, permutations

import pytest

from netwright.core.architecture import Architecture, Node, Signature, Tensor
from netwright.core.picks import enumerated, sample
from netwright.core.space import Cell, Choice, Edge, Seq, Space, op, unfold
from netwright.layers.canonical import canonical
from netwright.spaces import nasbench201
from netwright.testing.architectures import random_architecture

SIGNATURE = Signature((("x", Tensor((3, 8, 8))),), (("y", Tensor((3,))),))


def net(*nodes: Node, outputs: tuple[int, ...] = ()) -> Architecture:
    return Architecture(nodes, outputs or (len(nodes) - 1,))


def conv(source: int, kernel: int = 3, weights: str = "") -> Node:
    return Node("conv", (source,), (("kernel", kernel), ("width", 4)), weights)


def test_the_order_of_inputs_of_a_sum_means_nothing_and_of_other_layers_something() -> None:
    def joined(how: str, inputs: tuple[int, ...], *then: Node) -> str:
        return canonical(net(conv(-1, 3), conv(-1, 5), Node(how, inputs), *then))

    assert joined("sum", (0, 1)) == joined("sum", (1, 0))
    assert joined("project", (0, 1)) != joined("project", (1, 0))
    assert joined("concat", (0, 1)) != joined("concat", (1, 0))
    dense, each, split = conv(2), Node("batch_norm", (2,)), Node("conv", (2,), (("groups", 2), ("width", 4)))
    assert joined("concat", (0, 1), dense) == joined("concat", (1, 0), dense)
    assert joined("concat", (0, 1), each, conv(3)) == joined("concat", (1, 0), each, conv(3))
    assert joined("concat", (0, 1), each) != joined("concat", (1, 0), each)
    assert joined("concat", (0, 1), split) != joined("concat", (1, 0), split)
    # two concatenations that are added: their channels meet in pairs
    pairs = [
        canonical(net(conv(-1, 3), conv(-1, 5), Node("concat", (0, 1)), Node("concat", second), Node("sum", (2, 3)), conv(4)))
        for second in ((0, 1), (1, 0))
    ]
    assert pairs[0] != pairs[1]


def test_what_is_dead_zero_or_nothing_is_left_out() -> None:
    plain = canonical(net(conv(-1), conv(0, 5)))
    assert canonical(net(conv(-1), Node("identity", (0,)), conv(1, 5))) == plain
    assert canonical(net(conv(-1), conv(0, 3), conv(0, 5))) == plain  # the second is read by nobody
    assert canonical(net(conv(-1), Node("zero", (-1,)), Node("sum", (0, 1)), conv(2, 5))) == plain
    relu = Node("activation", (1,), (("kind", "relu"),))
    assert canonical(net(conv(-1), Node("zero", (-1,)), relu, conv(2), Node("sum", (0, 3)), conv(4, 5))) == plain
    # what a normalization, or a sigmoid, makes of zeros is not zero
    assert canonical(net(conv(-1), Node("zero", (-1,)), Node("batch_norm", (1,)), Node("sum", (0, 2)), conv(3, 5))) != plain
    sigmoid = Node("activation", (1,), (("kind", "sigmoid"),))
    assert canonical(net(conv(-1), Node("zero", (-1,)), sigmoid, Node("sum", (0, 2)), conv(3, 5))) != plain


def test_sums_of_sums_and_weights_that_are_shared() -> None:
    three = [conv(-1, 1), conv(-1, 3), conv(-1, 5)]
    one = canonical(net(*three, Node("sum", (0, 1, 2))))
    assert canonical(net(*three, Node("sum", (1, 2)), Node("sum", (3, 0)))) == one
    twice = net(conv(-1, 3, "a"), conv(-1, 3, "b"), Node("sum", (0, 1)))
    shared = net(conv(-1, 3, "a"), conv(-1, 3, "a"), Node("sum", (0, 1)))
    assert canonical(twice) != canonical(shared)
    assert canonical(twice) == canonical(net(conv(-1, 3, "c"), conv(-1, 3, "d"), Node("sum", (0, 1))))
    # one value read twice is not two values
    assert canonical(net(conv(-1), Node("sum", (0, 0)))) != canonical(twice)


def test_graphs_that_colours_alone_do_not_tell_apart_are_told_apart() -> None:
    """A ring of eight and two rings of four: each node has two neighbours of the other kind."""

    def rings(pairs: list[tuple[int, int]]) -> Architecture:
        firsts = [conv(-1, 3, f"a{i}") for i in range(4)]
        seconds = [Node("sum", pair) for pair in pairs]
        relus = [Node("activation", (4 + i,), (("kind", "relu"),)) for i in range(4)]
        return net(*firsts, *seconds, *relus, Node("sum", (8, 9, 10, 11)))

    one, two = rings([(0, 1), (1, 2), (2, 3), (3, 0)]), rings([(0, 1), (0, 1), (2, 3), (2, 3)])
    turned = rings([(2, 0), (0, 3), (3, 1), (1, 2)])
    assert canonical(one) != canonical(two)
    assert canonical(one) == canonical(turned)


@pytest.mark.parametrize("number", range(60))
def test_it_does_not_depend_on_how_a_graph_was_laid(number: int) -> None:
    architecture, _ = random_architecture(number)
    assert canonical(architecture) == canonical(Architecture(architecture.nodes, architecture.outputs))


def test_nor_for_cells_that_are_stamped() -> None:
    rng = random.Random(0)
    space = nasbench201.space(SIGNATURE, cells=2)
    for _ in range(300):
        drawn = sample(space, rng)
        assert canonical(drawn) == canonical(Architecture(drawn.nodes, drawn.outputs)), nasbench201.row(drawn)


def test_the_space_of_nasbench201() -> None:
    """Dong & Yang 2020: 15,625 cells as laid. As computed there are fewer than the 6,466 that they count by strings."""
    cell = tuple(
        tuple(
            Edge(i, Choice(op("zero"), op("identity"), op("conv", kernel=1, ratio=1), conv3(), op("avg_pool"))) for i in range(n)
        )
        for n in (1, 2, 3)
    )
    space = Space(Seq(Cell(cell), op("batch_norm")))
    found = [(drawn.id, canonical(drawn)) for drawn in enumerated(space)]
    assert len({laid for laid, _ in found}) == len(found) == 15625
    assert len({computed for _, computed in found}) < 6466


def conv3() -> object:
    return Seq(op("activation", kind="relu"), op("conv", kernel=3, ratio=1), op("batch_norm"))


def test_with_the_weights_copied_the_same_is_computed() -> None:
    """Cells with one canonical identity give the same outputs for some assignment of one's weights to the other's; those
    with another identity, and as many weights, for none."""
    import torch

    from netwright.nets.net import Net

    space = nasbench201.space(SIGNATURE, width=2, cells=1)
    rng = random.Random(5)
    classes: dict[str, list[Architecture]] = defaultdict(list)
    for _ in range(900):
        drawn = sample(space, rng)
        if sum(node.op == "conv" and ".op=" in node.weights for node in drawn.nodes) <= 9:
            classes[canonical(drawn)].append(drawn)
    x = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))

    def edges(architecture: Architecture) -> list[tuple[str, str]]:
        """The places in the cell that hold weights, with the option that stands there."""
        paths = [n.weights for n in architecture.nodes if n.op == "conv" and n.weights.startswith("net.2.")]
        return [re.search(r"(\d\.\d\.op)=(\d)", path).groups() for path in paths]  # type: ignore[union-attr, misc]

    def can_be(one: Architecture, other: Architecture) -> bool:
        mine, theirs = edges(one), edges(other)
        if sorted(option for _, option in mine) != sorted(option for _, option in theirs) or len(mine) > 4:
            return False
        source, target = Net(one, SIGNATURE, seed=1).eval(), Net(other, SIGNATURE, seed=2).eval()
        for module in source.bank:
            for name, tensor in module.state_dict().items():
                if "running" in name or name == "bias":
                    tensor.copy_(torch.rand(tensor.shape, generator=torch.Generator().manual_seed(len(name))) + 0.5)
        given, wanted = source.tensors(), source(x)
        for order in permutations(range(len(mine))):
            if any(mine[m][1] != theirs[t][1] for t, m in enumerate(order)):
                continue
            moves = {theirs[t][0]: mine[m][0] for t, m in enumerate(order)}
            tensors = {key: given[_moved(key, moves)] for key in target.tensors()}
            target.load_tensors(tensors)
            if torch.allclose(target(x), wanted, atol=1e-4, rtol=1e-4):
                return True
        return False

    def kinds(architecture: Architecture) -> list[str]:
        return sorted(option for _, option in edges(architecture))

    pairs = [(group[0], other) for group in classes.values() for other in group[1:] if len(edges(group[0])) in (1, 2, 3)]
    tried = [(a, b) for a, b in pairs if a.id != b.id and kinds(a) == kinds(b)][:25]
    assert len(tried) == 25
    wrong = [(nasbench201.row(a), nasbench201.row(b)) for a, b in tried if not can_be(a, b)]
    assert not wrong, "one identity, but another function"
    singles = [group[0] for group in classes.values() if len(edges(group[0])) in (1, 2)]
    others = [(a, b) for a, b in pairwise(singles) if kinds(a) == kinds(b)][:25]
    assert len(others) > 10
    assert not any(can_be(a, b) for a, b in others), "two identities, but one function"


def _moved(key: str, moves: dict[str, str]) -> str:
    place = re.search(r"\d\.\d\.op(?==)", key)
    return key.replace(place[0], moves[place[0]]) if place else key


def test_a_part_with_two_outputs_and_two_inputs() -> None:
    def two(first: int, second: int, outputs: tuple[int, int]) -> str:
        return canonical(net(conv(first), conv(second, 5), outputs=outputs))

    assert two(-1, -2, (0, 1)) != two(-2, -1, (0, 1))
    assert two(-1, -2, (0, 1)) != two(-1, -2, (1, 0))
    assert two(-1, -2, (0, 1)) == canonical(net(conv(-2, 5), conv(-1), outputs=(1, 0)))


def test_a_trace_of_its_own_is_no_identity() -> None:
    """Two ways of saying the same."""
    space = Space(Seq(Choice(op("identity"), Seq(op("identity"), op("identity"))), op("linear", units=3)))
    one, other = (unfold(space, lambda path, hole, k=k: k) for k in (0, 1))
    assert one.id != other.id
    assert canonical(one) == canonical(other)


# ---- what was once taken for one ----------------------------------------------------------------------------------------


def node(name: str, /, *inputs: int, at: str = "", **attrs: object) -> Node:
    return Node(name, inputs, tuple(sorted(attrs.items())), at)


def told_apart(*pair: Architecture) -> bool:
    return len({canonical(one) for one in pair}) == 2


def test_who_is_paired_with_whom_counts() -> None:
    def paired(a: int, b: int) -> Architecture:
        firsts = [node("linear", -1, units=4), node("linear", -1, units=4)]
        firsts += [node("linear", -1, units=4, bias=False), node("linear", -1, units=4, bias=False)]
        kinds = [node("activation", i, kind=kind) for i, kind in enumerate(("relu", "tanh", "sigmoid", "gelu"))]
        glus = [node("glu", 0, units=4), node("glu", 1, units=4), node("product", 8, a), node("product", 9, b)]
        return net(*firsts, *kinds, *glus, node("sum", 4, 5, 6, 7, 10, 11), node("linear", 12, units=3))

    assert told_apart(paired(2, 3), paired(3, 2))


def test_a_layer_that_is_shared_fixes_the_order_of_its_channels() -> None:
    def shared(a: int, b: int) -> Architecture:
        convs = [node("conv", -1, width=2, kernel=k, at=f"w{i}") for i, k in enumerate((3, 1, 3, 1))]
        joined = [node("concat", 0, 1), node("concat", a, b)]
        dense = [node("conv", i, width=5, kernel=1, at="shared") for i in (4, 5)]
        kinds = [node("activation", 6, kind="relu"), node("activation", 7, kind="tanh")]
        return net(*convs, *joined, *dense, *kinds, node("sum", 8, 9))

    assert told_apart(shared(2, 3), shared(3, 2))


def test_zeros_have_a_size_where_it_matters() -> None:
    def beside(width: int) -> Architecture:
        return net(node("zero", -1, width=width), conv(-1), node("concat", 0, 1), node("squeeze_excite", 2, ratio=2), conv(3))

    assert told_apart(beside(8), beside(16))


def test_constants_are_not_all_alike() -> None:
    zero = node("zero", -1)
    assert told_apart(net(zero, node("linear", 0, units=3)), net(zero, node("linear", 0, units=3, bias=False)))
    assert told_apart(Architecture((), (-2,)), net(zero))


def test_many_branches_that_are_alike_take_no_time() -> None:
    many = [node("conv", -1, width=2, kernel=3) for _ in range(12)]
    kinds = [node("activation", i % 12, kind="relu" if i < 12 else "tanh") for i in range(24)]
    sums = [node("sum", 12 + i, 24 + i) for i in range(12)]
    assert len(canonical(net(*many, *kinds, *sums, node("sum", *range(36, 48))))) == 16


def test_it_does_not_depend_on_what_was_asked_before() -> None:
    assert canonical(net(node("linear", -1, units=3, bias=True))) == canonical(net(node("linear", -1, units=3, bias=1)))
