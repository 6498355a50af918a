"""Random small architectures, for tests that must hold for any: with branches, cells, repeats and shared layers."""

from __future__ import annotations

from random import Random

from netwright.core.architecture import Architecture, Signature, Tensor
from netwright.core.picks import at_random
from netwright.core.seeds import stream
from netwright.core.space import Branches, Cell, Choice, Edge, Repeat, Seq, Space, Term, Tie, op, unfold
from netwright.errors import SpaceError
from netwright.testing.layers import signed

__all__ = ["random_architecture"]


def random_architecture(number: int) -> tuple[Architecture, Signature]:
    """One of endlessly many small networks over images, sequences or vectors, with branches, cells, repeats and shared layers."""
    for attempt in range(100):
        rng = stream(number, attempt, "random architecture")
        kind, shape = rng.choice((("map", (3, 9, 9)), ("map", (1, 8, 11)), ("sequence", (6, 4)), ("vector", (5,))))
        ends = {
            "map": rng.choice((op("global_pool"), op("flatten"))),
            "sequence": rng.choice((op("time_pool"), op("flatten"))),
            "vector": op("identity"),
        }
        body = Seq(_term(rng, kind, 3), _term(rng, kind, 2), ends[kind], op("linear", units=3))
        try:
            space = Space(body)
            return signed(unfold(space, at_random(rng)), (("x", Tensor(shape)),))
        except SpaceError:  # equal options, a window larger than its map, branches that do not meet
            continue
    raise AssertionError(f"no network found for number {number}")


def _leaf(rng: Random, kind: str, keeps: bool) -> Term:
    """A layer that fits everywhere; ``keeps``: and leaves the shape as it is."""
    width = Choice(2, 4, 6, 8)
    act = op("activation", kind=Choice("relu", "relu6", "gelu", "silu", "hardswish", "tanh", "sigmoid", "elu", "leaky_relu"))
    other: list[Term]
    same: list[Term] = [act, op("dropout", rate=0.3), op("identity"), op("zero")]
    if kind == "map":
        same += [op("batch_norm"), op("squeeze_excite", ratio=Choice(2, 4)), op("conv", groups=0, kernel=Choice(3, 5))]
        same += [op("avg_pool", kernel=3, stride=1, padding=1), op("max_pool", kernel=3, stride=1, padding=1)]
        other = [op("conv", width=width, kernel=Choice(1, 3, 5), stride=Choice(1, 2), bias=Choice(False, True))] * 3
        other += [op("max_pool"), op("avg_pool", kernel=2)]
    elif kind == "sequence":
        same += [op("layer_norm")]
        other = [op("linear", units=width), op("conv1d", width=width, kernel=3, stride=Choice(1, 2))]
        other += [Seq(op("linear", units=Choice(4, 8)), op("attention", heads=Choice(1, 2)))]
    else:
        same += [op("layer_norm"), op("batch_norm")]
        other = [op("linear", units=width, bias=Choice(True, False))]
    return rng.choice(same if keeps else [*same, *other, *other])


def _term(rng: Random, kind: str, depth: int) -> Term:
    """A random expression."""

    def part(keeps: bool = False) -> Term:
        return _leaf(rng, kind, keeps) if keeps or depth == 1 else _term(rng, kind, depth - 1)

    match rng.choice(("seq", "seq", "branches", "concat", "repeat", "choice", "cell", "shared")):
        case "branches":
            return Branches(part(), part(), op("identity"), project=True)
        case "concat":
            return Branches(part(True), part(True), part(True), join="concat")
        case "repeat":
            return Repeat(part(), Choice(1, 2, 3))
        case "choice":
            return Choice(part(), part())
        case "shared":
            tied = Tie(f"tied {rng.random()}", part(True), shared=True)
            return Seq(tied, part(True), tied)
        case "cell":
            first = (Edge(0, part(True)), Edge(0, part(True)))
            second = (Edge(Choice(0, 1), part(True)), Edge(1, part(True)))
            return Cell((first, second), output=rng.choice(("last", "concat", "sum")))
        case _:
            return Seq(part(), part(), part())
