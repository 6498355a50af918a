"""NAS-Bench-101 as built against the published parameters, keys and number of cells."""

import itertools
import json
import random

import pytest
import torch

from netwright.core.architecture import Signature, Tensor
from netwright.core.picks import replayed, sample
from netwright.core.space import unfold
from netwright.errors import SpaceError
from netwright.layers.canonical import canonical
from netwright.layers.counts import count, shapes
from netwright.nets.net import Net
from netwright.spaces import nasbench101
from netwright.spaces.nasbench101 import EDGES, OPS, representative

torch.set_num_threads(1)
SIGNATURE = Signature((("x", Tensor((3, 32, 32))),), (("y", Tensor((10,))),))
SPACE = nasbench101.space(SIGNATURE)


def read(row):
    return {**row, "adjacency": json.loads(row["adjacency"]), "ops": json.loads(row["ops"])}


def trace(edges, *ops):
    """The decisions for a list of edges between vertices 0 … 6."""
    codes = [OPS.index(name) for name in ops] + [0] * (5 - len(ops))
    chosen = tuple(sorted(EDGES.index(edge) for edge in edges))
    return {"cell.edges": chosen, **{f"cell.op{i}": code for i, code in enumerate(codes, 1)}}


def check_row(row):
    row = read(row)
    made = replayed(SPACE, nasbench101.trace(row))
    assert count(made, SIGNATURE).params == row["params"], row["hash"]
    assert nasbench101.row(made) == {key: row[key] for key in ("adjacency", "ops", "hash")}


def test_rows(nas):
    for row in nas("nasbench101_20k")[::40]:
        check_row(row)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_every_row(nas):
    rows = nas("nasbench101_20k")
    assert len(rows) == 20_001
    for row in rows:
        check_row(row)


def test_counts_by_hand():
    edges = [(0, 1), (0, 2), (1, 3), (2, 3), (1, 6), (3, 6), (0, 6)]
    made = replayed(SPACE, trace(edges, "conv3x3", "maxpool3x3", "conv1x1"))

    def cell(cin, cout):
        half = cout // 2
        return sum(
            a * b * k * k + 2 * b
            for a, b, k in ((cin, half, 1), (half, half, 3), (cin, half, 1), (half, half, 1), (cin, cout, 1))
        )

    cells = sum(cell(a, b) for a, b in ((128, 128), (128, 256), (256, 512))) + 2 * sum(cell(c, c) for c in (128, 256, 512))
    assert count(made, SIGNATURE).params == 9 * 3 * 128 + 2 * 128 + cells + 512 * 10 + 10


def test_channels_that_cannot_be_divided():
    """128 channels for three vertices are 43, 43 and 42; a vertex of 43 that feeds one of 42 is cut."""
    edges = [(0, 1), (1, 2), (1, 3), (1, 6), (2, 6), (3, 6)]
    made = replayed(nasbench101.space(SIGNATURE, stacks=1, cells=1), trace(edges, "conv1x1", "conv1x1", "conv1x1"))
    outs = dict(zip((node.weights for node in made.nodes), shapes(made, SIGNATURE), strict=True))
    assert {path.rpartition(".")[2]: out.shape[0] for path, out in outs.items() if "cut" in path} == {"cut13": 42}
    assert sorted(out.shape[0] for path, out in outs.items() if path.endswith(("v1.0", "v2.0", "v3.0"))) == [42, 43, 43]
    assert [out.shape for path, out in outs.items() if path.endswith("concat4")] == [(128, 32, 32)]


def test_isomorphic_cells_are_one_graph():
    rng = random.Random(0)
    for _ in range(30):
        drawn = sample(SPACE, rng)
        chosen = [EDGES[i] for i in drawn.decisions["cell.edges"]]
        ops = [OPS[drawn.decisions[f"cell.op{i}"]] for i in range(1, 6)]
        for order in itertools.permutations(range(1, 6)):
            place = (0, *order, 6)
            moved = [(place[a], place[b]) for a, b in chosen]
            if all(a < b for a, b in moved):
                names = [ops[order.index(v)] for v in range(1, 6)]
                other = replayed(SPACE, trace(moved, *names))
                assert other.id == drawn.id
                assert nasbench101.row(other) == nasbench101.row(drawn)


def test_what_leads_nowhere_is_left_out():
    small = [(0, 1), (1, 6)]
    wide = [*small, (0, 2), (3, 6), (2, 4), (3, 5)]
    one, two = (replayed(SPACE, trace(edges, "conv3x3", *["conv1x1"] * 4)) for edges in (small, wide))
    assert one.id == two.id
    assert nasbench101.row(one)["ops"] == ["input", "conv3x3", "output"]


def test_a_cell_without_a_path_is_the_smallest():
    cut = replayed(SPACE, trace([(0, 1), (2, 6)], "conv3x3", "conv3x3"))
    assert cut.id == replayed(SPACE, trace([(0, 6)])).id
    assert nasbench101.row(cut)["adjacency"] == [[0, 1], [0, 0]]
    net = Net(replayed(nasbench101.space(SIGNATURE, width=4, cells=1), cut.decisions), SIGNATURE).eval()
    assert not torch.equal(net(torch.zeros(1, 3, 32, 32)), net(torch.ones(1, 3, 32, 32)))


def test_what_is_no_cell_is_said():
    good = {"adjacency": [[0, 1, 0], [0, 0, 1], [0, 0, 0]], "ops": ["input", "conv3x3", "output"]}
    assert nasbench101.trace(good)["cell.edges"] == (0, 16)
    many = [[int(a < b) for b in range(7)] for a in range(7)]
    for wrong in (
        {**good, "ops": ["input", "conv5x5", "output"]},
        {**good, "adjacency": [[0, 1, 0], [1, 0, 1], [0, 0, 0]]},
        {"adjacency": many, "ops": ["input", *["conv3x3"] * 5, "output"]},
    ):
        with pytest.raises(SpaceError, match="is not a cell of NAS-Bench-101"):
            nasbench101.trace(wrong)


# ---- the published number of cells ------------------------------------------------------------------------------------------


def matrices(vertices):
    """Every graph of so many vertices and at most nine edges in which all lie on a path from first to last: its edges."""
    pairs = EDGES[: vertices * (vertices - 1) // 2]
    for size in range(1, 10):
        for edges in itertools.combinations(pairs, size):
            if len({a for a, _ in edges}) == len({b for _, b in edges}) == vertices - 1:
                yield edges


def cells(vertices):
    """One cell of each class of isomorphic ones: the smallest graph of its class, and the smallest of its labellings."""
    inner = range(1, vertices - 1)
    for edges in matrices(vertices):
        own = sum(1 << (a + b * (b - 1) // 2) for a, b in edges)
        same = []
        for order in itertools.permutations(inner):
            place = (0, *order, vertices - 1)
            moved = [(place[a], place[b]) for a, b in edges]
            if any(a > b for a, b in moved):
                continue
            bits = sum(1 << (a + b * (b - 1) // 2) for a, b in moved)
            if bits < own:
                break
            if bits == own and order != tuple(inner):
                same.append([order.index(v) for v in inner])
        else:
            for labels in itertools.product(range(3), repeat=vertices - 2):
                if all(tuple(labels[i] for i in order) >= labels for order in same):
                    yield edges, tuple(OPS[i] for i in labels)


def test_the_number_of_small_cells_and_their_form():
    """Of two to five vertices; a cell of three, for one, has three operations, with or without a way past it."""
    found = [list(cells(vertices)) for vertices in range(2, 6)]
    assert [len(part) for part in found] == [1, 6, 84, 2441]
    for edges, ops in itertools.chain(*found):
        assert representative(edges, ops) == (tuple(sorted(edges)), ops)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_exactly_423_624_cells_by_canonical():
    """Each class of isomorphic cells has a canonical form of its own. One cell at 60 channels, which all its vertices can share."""
    space = nasbench101.space(SIGNATURE, width=60, stacks=1, cells=1)
    last = 6
    forms = set()
    laid = 0
    for vertices in range(2, 8):
        for edges, ops in cells(vertices):
            moved = [(a, last if b == vertices - 1 else b) for a, b in edges]
            answers = trace(moved, *ops)
            forms.add(canonical(unfold(space, lambda path, hole, answers=answers: answers[path])))
            laid += 1
    assert laid == 423_624
    assert len(forms) == 423_624
