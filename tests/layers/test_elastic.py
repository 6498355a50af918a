"""What a supernet cuts out of each layer, against the large layer with everything else set to zero; and what has no supernet."""

from typing import NamedTuple

import pytest
import torch

from netwright.core.architecture import Node, Signature, Tensor
from netwright.core.picks import replayed
from netwright.core.space import Branches, Cell, Choice, Edge, Graph, Input, Let, Op, Recur, Ref, Repeat, Seq, Space, Subset, op
from netwright.errors import SpaceError
from netwright.layers.base import Layer, Part, layer, names
from netwright.layers.counts import Step
from netwright.layers.elastic import Supernet, supernet_refusal
from netwright.nets.net import build

torch.set_num_threads(1)


class Case(NamedTuple):
    op: str
    large: dict
    small: dict
    inputs: tuple  # shape of the large input, channels of it that the small one holds
    kept: list  # of the output


def case(name, large, small, *inputs, kept):
    return Case(name, large, small, inputs, list(kept))


MAP = (6, 5, 5)
SOME = (0, 1, 4)
CASES = [
    case("conv", {"width": 8, "kernel": 5}, {"width": 3, "kernel": 3}, (MAP, SOME), kept=range(3)),
    case(
        "conv", {"width": 8, "kernel": 5, "bias": True}, {"width": 8, "kernel": 1, "bias": True}, (MAP, range(6)), kept=range(8)
    ),
    case("conv", {"ratio": 4, "kernel": 1}, {"ratio": 2, "kernel": 1}, (MAP, SOME), kept=range(6)),
    case("conv", {"groups": 0, "kernel": 5, "bias": True}, {"groups": 0, "kernel": 3, "bias": True}, (MAP, SOME), kept=SOME),
    case("conv", {"groups": 0, "ratio": 3}, {"groups": 0, "ratio": 2}, (MAP, SOME), kept=[0, 1, 3, 4, 12, 13]),
    case("conv", {"groups": 2, "width": 4, "kernel": 5}, {"groups": 2, "width": 4, "kernel": 3}, (MAP, range(6)), kept=range(4)),
    case("conv1d", {"width": 8, "kernel": 5}, {"width": 3, "kernel": 3}, ((7, 6), SOME), kept=range(3)),
    case("conv1d", {"groups": 0, "kernel": 5}, {"groups": 0, "kernel": 3}, ((7, 6), SOME), kept=SOME),
    case("linear", {"units": 8}, {"units": 3}, ((6,), SOME), kept=range(3)),
    case("linear", {"units": 8}, {"units": 3}, ((2, 6), SOME), kept=range(3)),
    case("batch_norm", {}, {}, (MAP, SOME), kept=SOME),
    case("activation", {"kind": "relu"}, {"kind": "relu"}, (MAP, SOME), kept=SOME),
    case("max_pool", {}, {}, (MAP, SOME), kept=SOME),
    case("global_pool", {}, {}, (MAP, SOME), kept=SOME),
    case("time_pool", {}, {}, ((4, 6), SOME), kept=SOME),
    case("squeeze_excite", {"ratio": 2}, {"ratio": 2}, (MAP, SOME), kept=SOME),
    case("flatten", {}, {}, ((3, 2, 2), (0, 2)), kept=[0, 1, 2, 3, 8, 9, 10, 11]),
    case("flatten", {}, {}, ((2, 3), (0, 2)), kept=[0, 2, 3, 5]),
    case("concat", {}, {}, (MAP, range(2)), (MAP, SOME), kept=[0, 1, 6, 7, 10]),
    case("concat", {}, {}, ((2, 3), (2,)), ((2, 4), (1,)), kept=[2, 4]),
    case("sum", {}, {}, (MAP, SOME), (MAP, SOME), kept=SOME),
    case("project", {}, {}, (MAP, SOME), ((4, 5, 5), (0, 2)), kept=(0, 2)),
    case("project", {}, {}, ((6,), SOME), ((4,), (0, 2)), kept=(0, 2)),
    case("embedding", {"count": 5, "units": 6}, {"count": 5, "units": 2}, ((4,), range(4)), kept=range(2)),
    case("rnn", {"units": 5}, {"units": 3}, ((4, 6), SOME), kept=range(3)),
    case("gru", {"units": 5}, {"units": 3}, ((4, 6), SOME), kept=range(3)),
    case("lstm", {"units": 5}, {"units": 3}, ((4, 6), SOME), kept=range(3)),
    case("attention", {"heads": 3}, {"heads": 2}, ((4, 6), (0, 1, 4, 5)), kept=(0, 1, 4, 5)),
    case("channel_shuffle", {"groups": 2}, {"groups": 2}, (MAP, (0, 1, 3, 4)), kept=[0, 1, 2, 3]),
    case("channel_shuffle", {"groups": 2}, {"groups": 2}, (MAP, (0, 1, 2, 3)), kept=[0, 4, 2, 1]),
    case("class_token", {}, {}, ((4, 6), SOME), kept=SOME),
    case("position", {}, {}, ((4, 6), SOME), kept=SOME),
    case("tokens", {}, {}, (MAP, SOME), kept=SOME),
    case("truncate", {"width": 4}, {"width": 2}, (MAP, SOME), kept=[0, 1]),
    case("repeat_steps", {"steps": 2}, {"steps": 2}, (MAP, SOME), kept=SOME),
    case("route", {}, {}, ((6,), SOME), ((5,), (0, 3)), ((5,), (0, 3)), kept=(0, 3)),
    case(
        "each_step",
        {"layer": "conv", "attrs": (("kernel", 3), ("width", 5))},
        {"layer": "conv", "attrs": (("kernel", 3), ("width", 5))},
        ((2, *MAP), SOME),
        kept=range(5),
    ),
]


def axis(shape):
    return 1 if len(shape) in (2, 4) else 0


def smaller(shape, kept):
    return (*shape[: axis(shape)], len(kept), *shape[axis(shape) + 1 :])


def grid(indices):
    return torch.meshgrid([torch.tensor(list(kept)) for kept in indices], indexing="ij")


def made(name, inputs, attrs, dtype):
    tensors = tuple(Tensor(shape, dtype) for shape in inputs)
    kind = layer(name)
    return build(Step(Node(name, ()), kind, tensors, attrs, kind.shape(tensors, attrs))).eval()


def values(shapes, keeps, dtype):
    """Inputs of the small layer, and the same among zeros for the large one."""
    small, large = [], []
    for shape, kept in zip(shapes, keeps, strict=True):
        if dtype == "int64":
            small.append(torch.randint(0, 5, (2, *shape)))
            large.append(small[-1])
            continue
        x = torch.randn(2, *smaller(shape, kept))
        small.append(x)
        wide = torch.zeros(2, *shape)
        wide.index_copy_(axis(shape) + 1, torch.tensor(list(kept)), x)
        large.append(wide)
    return small, large


@pytest.mark.parametrize("given", CASES, ids=lambda c: f"{c.op}-{c.small}-{c.inputs[0][1]}")
def test_a_small_layer_is_the_large_one_with_the_rest_at_zero(given):
    torch.manual_seed(0)
    dtype = "int64" if given.op == "embedding" else "float32"
    shapes = [shape for shape, _ in given.inputs]
    keeps = [kept for _, kept in given.inputs]
    small_shapes = [smaller(shape, kept) for shape, kept in given.inputs]
    parts = [
        Part(Tensor(a, dtype), Tensor(b, dtype), kept if isinstance(kept, range) else tuple(kept))
        for a, b, kept in zip(shapes, small_shapes, keeps, strict=True)
    ]
    kind = layer(given.op)
    cut = kind.cut(parts, given.large, given.small)
    assert list(cut.kept) == given.kept
    large, small = made(given.op, shapes, given.large, dtype), made(given.op, small_shapes, given.small, dtype)
    mine, theirs = small.state_dict(keep_vars=True), large.state_dict(keep_vars=True)
    with torch.no_grad():
        for name, tensor in theirs.items():
            torch.nn.init.uniform_(tensor, 0.2, 1)
            part = tensor[grid(cut.tensors[name])].clone()
            assert part.shape == mine[name].shape, name
            mine[name].copy_(part)
            if not name.startswith("running"):
                tensor.zero_()
                tensor[grid(cut.tensors[name])] = part
        x, wide = values(shapes, keeps, dtype)
        reads = kind.reads
        found = large(*wide[:reads])
        wanted = small(*x[:reads])
    at = axis(found.shape[1:]) + 1
    assert torch.allclose(found.index_select(at, torch.tensor(given.kept)), wanted, atol=1e-5)


def test_narrow_heads_are_the_beginnings_of_wide_ones():
    x = Part(Tensor((4, 6)), Tensor((4, 4)), range(4))
    cut = layer("attention").cut([x], {"heads": 2}, {"heads": 2})
    assert list(cut.tensors["in_proj_bias"][0]) == [0, 1, 3, 4, 6, 7, 9, 10, 12, 13, 15, 16]
    assert cut.tensors["out_proj.weight"] == (range(4), (0, 1, 3, 4))
    fewer = layer("attention").cut([Part(x.large, x.large, range(6))], {"heads": 3}, {"heads": 2})
    assert list(fewer.tensors["in_proj_bias"][0]) == list(range(18))  # as many features in fewer heads: the same numbers


def test_a_layer_that_says_nothing_refuses():
    part = Part(Tensor((3,)), Tensor((2,)), range(2))
    for name in names():
        kind = layer(name)
        if type(kind).cut is Layer.cut and not kind.channelwise:
            with pytest.raises(SpaceError, match="no elastic form"):
                kind.cut([part], {}, {})


@pytest.mark.parametrize(
    ("name", "large", "small", "parts", "says"),
    [
        ("sum", {}, {}, (range(3), (0, 1, 4)), "different channels"),
        ("conv", {"width": 6, "groups": 2}, {"width": 4, "groups": 2}, (range(4),), "in groups has no elastic form"),
        ("conv", {"width": 6, "groups": 2}, {"width": 6, "groups": 1}, (range(6),), "in groups has no elastic form"),
        ("squeeze_excite", {"ratio": 6}, {"ratio": 2}, (range(6),), "3 hidden units where the supernet's largest has 1"),
    ],
)
def test_what_is_no_part_is_refused(name, large, small, parts, says):
    given = [Part(Tensor(MAP), Tensor(smaller(MAP, kept)), kept) for kept in parts]
    with pytest.raises(SpaceError, match=says):
        layer(name).cut(given, large, small)


# ---- spaces -------------------------------------------------------------------------------------------------------------

IMAGES = Signature((("x", Tensor((3, 8, 8))),), (("y", Tensor((4,))),))
HEAD = (op("global_pool"), op("linear", units=4))


def one_of_two(which):
    return op("linear", units=which)


WITHOUT = {
    "a choice of shapes": (Seq(Choice(op("identity"), op("conv", width=8)), *HEAD), r"mix at net.0.mix.*different shapes"),
    "no largest": (Seq(op("activation", kind=Choice("relu", "tanh")), *HEAD), r"net.0.kind: .* no largest"),
    "a Let": (Seq(op("global_pool"), Let(one_of_two, which=Choice(4, 8)), op("linear", units=4)), "a Let has no supernet"),
    "groups": (Seq(op("conv", width=8, kernel=1), op("conv", width=8, groups=Choice(1, 2)), *HEAD), "conv at net.1: .*groups"),
    "other places": (
        Seq(op("resize", size=Choice(4, 8)), op("flatten"), op("linear", units=4)),
        "flatten at net.1: .*other places",
    ),
    "other channels": (  # half of the pairs of widths do not build; the others meet in other channels
        Seq(
            op("conv", width=Choice(2, 4)),
            Branches(Branches(op("identity"), op("identity"), join="concat"), op("conv", width=Choice(4, 8))),
            *HEAD,
        ),
        "sum at net.1.sum: .*different channels",
    ),
    "options set side by side": (
        Seq(
            Cell((Subset((Edge(0, op("identity")), Edge(0, op("conv", width=3)))),), join="concat"),
            op("conv", width=4),
            *HEAD,
        ),
        "net.0.0: .* by concat cannot be mixed",
    ),
    "a ratio whose largest is smallest": (Seq(op("squeeze_excite", ratio=Choice(1, 3)), *HEAD), "hidden units"),
}


@pytest.mark.parametrize("name", WITHOUT)
def test_why_a_space_has_none(name):
    body, says = WITHOUT[name]
    said = supernet_refusal(Space(body, signature=IMAGES), IMAGES)
    assert said
    assert "\n" not in said
    with pytest.raises(SpaceError, match=says):
        Supernet(Space(body, signature=IMAGES), IMAGES)


def test_a_grammar_without_bound_ends():
    both = Branches(Ref("part"), Ref("part"), Ref("part"), Ref("part"))
    rules = {"part": Choice(both, op("identity"))}
    space = Space(Seq(Ref("part"), *HEAD), rules=rules, max_depth=9, signature=IMAGES)
    assert "more than 2000 decisions" in supernet_refusal(space, IMAGES)


def test_indices_follow_a_concatenation():
    width = Choice(2, 4, name="width")
    parts = Branches(op("conv", width=width), op("conv", width=width), join="concat")
    space = Space(Seq(parts, op("conv", width=5, kernel=1), *HEAD), signature=IMAGES)
    supernet = Supernet(space, IMAGES)
    cuts = supernet.cuts(replayed(space, {"width": 0}))
    assert cuts["net.0.1/weight"] == (range(2), range(3), range(3), range(3))
    assert cuts["net.1/weight"][:2] == (range(5), (0, 1, 4, 5))
    assert cuts["net.3/weight"] == (range(4), range(5))
    assert supernet.tensors["net.1/weight"] == ((5, 8, 1, 1), True)


def test_indices_follow_into_a_recurrence_and_out():
    series = Signature((("x", Tensor((6, 3))),), (("y", Tensor((4,))),))
    units = Choice(2, 5, name="units")
    step = Graph(
        (
            ("h", Op("state", (("name", "h"), ("units", units))), ("x",)),
            ("i", op("linear", units=units), ("x",)),
            ("r", op("linear", units=units), ("h",)),
            ("s", op("sum"), ("i", "r")),
            ("c", op("carry"), ("h", "s")),
        ),
        "c",
    )
    space = Space(Seq(op("conv1d", width=Choice(2, 7)), Recur(step), op("time_pool"), op("linear", units=4)), signature=series)
    cuts = Supernet(space, series).cuts(replayed(space, {"net.0.width": 0, "units": 0}))
    assert cuts["net.1.i/weight"] == (range(2), range(2))
    assert cuts["net.3/weight"] == (range(4), range(2))


def test_layers_that_are_joined_only_in_members_are_found():
    space = Space(Seq(Subset((op("identity"), op("zero"), op("activation", kind="relu"))), *HEAD), signature=IMAGES)
    assert not supernet_refusal(space, IMAGES)
    deep = Space(Seq(Repeat(op("conv", width=3), Choice(0, 1, 2)), Input("x"), *HEAD), signature=IMAGES)
    assert not supernet_refusal(deep, IMAGES)
