"""NAS-Bench-Graph: its list of cells, its parameters on five data sets, and what its operations compute."""

import itertools
import json

import pytest
import torch

from netwright.core.architecture import Signature, Tensor
from netwright.core.picks import replayed
from netwright.errors import SpaceError
from netwright.layers.counts import count
from netwright.nets.net import Net
from netwright.spaces import nasbench_graph

torch.set_num_threads(1)


def signature(features, classes, nodes=50, each=True):
    inputs = (("adjacency", Tensor((nodes, nodes))), ("x", Tensor((nodes, features))))
    return Signature(inputs, (("y", Tensor((nodes, classes) if each else (classes,))),))


DATA = {
    "cora": (signature(1433, 7), {"units": 256, "after": 1}),
    "citeseer": (signature(3703, 6), {"units": 256, "after": 1}),
    "pubmed": (signature(500, 3), {}),
    "cs": (signature(6805, 15), {"before": 1}),
    "photo": (signature(745, 8), {}),
}


def cell(space, link, *ops):
    return replayed(space, nasbench_graph.trace({"link": link, "ops": ops}))


def test_every_choice_is_a_listed_cell(nas):
    """All but the cell of four skips, which the benchmark leaves out."""
    listed = {(tuple(json.loads(row["link"])), tuple(json.loads(row["ops"]))) for row in nas("nasbench_graph")}
    choices = itertools.product(nasbench_graph.LINKS, itertools.product(nasbench_graph.OPS, repeat=4))
    made = {nasbench_graph.representative(link, ops) for link, ops in choices}
    assert len(listed) == 26_206
    assert made - listed == {((0, 1, 2, 3), ("skip",) * 4)}
    assert listed < made


@pytest.mark.parametrize("name", DATA)
def test_parameters(name, nas):
    """The table counts two things that no output depends on: the batch norm of an operation at the input, and the weights
    between the layers of a convolution of kind arma, which has one layer."""
    given, settings = DATA[name]
    space = nasbench_graph.space(given, **settings)
    units = settings.get("units", 128)
    for row in nas("nasbench_graph")[::13]:
        read = {key: json.loads(row[key]) for key in ("link", "ops")}
        made = replayed(space, nasbench_graph.trace(read))
        norms = sum(node.op == "each_step" for node in made.nodes)
        idle = 2 * units * (4 - norms) + units**2 * read["ops"].count("arma")
        assert count(made, given).params + idle == round(row[f"{name}.params_M"] * 1e6), read
        assert nasbench_graph.row(made) == {**read, "hash": row["hash"]}


def test_counts_by_hand():
    given, settings = DATA["cora"]
    space = nasbench_graph.space(given, **settings)
    made = count(cell(space, [0, 1, 1, 2], "gcn", "gat", "sage", "fc"), given)
    gcn, gat, sage, fc = (1433 + 1) * 256, (256 + 3) * 256, (2 * 256 + 1) * 256, (256 + 1) * 256
    ends = (2 * 256 + 1) * 256 + (256 + 1) * 7
    assert made.params == gcn + gat + sage + fc + 3 * 2 * 256 + ends


def test_skips_are_moved_and_equals_are_sorted():
    space = nasbench_graph.space(signature(5, 3))
    assert nasbench_graph.row(cell(space, [0, 0, 0, 0], "gcn", "gat", "fc", "gin"))["ops"] == ["gat", "gcn", "gin", "fc"]
    moved = nasbench_graph.row(cell(space, [0, 1, 2, 3], "gcn", "skip", "gat", "skip"))
    assert moved == {"link": [0, 1, 2, 3], "ops": ["skip", "skip", "gcn", "gat"], "hash": 88810}
    one, two = (cell(space, [0, 0, 0, 0], *ops) for ops in (("gcn", "gat", "fc", "gin"), ("gin", "gcn", "gat", "fc")))
    assert one.id == two.id


def test_a_convolution_by_hand():
    from netwright.nets.modules.graph_conv import GraphConv

    path = torch.tensor([[0.0, 1.0, 0.0], [1.0, 0.0, 1.0], [0.0, 1.0, 0.0]])[None]
    x = torch.tensor([[[1.0], [2.0], [4.0]]])

    def heard(how, loops, root):
        layer = GraphConv(1, 1, how, loops, root)
        with torch.no_grad():
            layer.weight.fill_(1.0)
            return layer(x, path).flatten().tolist() if not root else (layer(x, path) - x * layer.root).flatten().tolist()

    both, ends = 1 / 6**0.5, 1 / 2
    assert heard("symmetric", True, False) == pytest.approx([ends + 2 * both, 5 * both + 2 / 3, 4 * ends + 2 * both])
    assert heard("sum", True, False) == pytest.approx([3, 7, 6])
    assert heard("mean", False, True) == pytest.approx([2, 2.5, 2])
    assert heard("sum", False, True) == pytest.approx([2, 5, 2])


@pytest.mark.parametrize("each", [True, False])
def test_the_order_of_nodes_means_nothing(each):
    given = signature(5, 3, nodes=6, each=each)
    space = nasbench_graph.space(given, units=8)
    generator = torch.Generator().manual_seed(0)
    edges = (torch.rand(2, 6, 6, generator=generator) < 0.4).float().triu(1)
    adjacency, x = edges + edges.transpose(1, 2), torch.randn(2, 6, 5, generator=generator)
    order = torch.randperm(6, generator=generator)
    for ops in (("gat", "gcn", "gin", "cheb"), ("sage", "arma", "graph", "fc")):
        net = Net(cell(space, [0, 1, 1, 2], *ops), given, seed=0).eval()
        with torch.no_grad():
            one, two = net(adjacency, x), net(adjacency[:, order][:, :, order], x[:, order])
            torch.testing.assert_close(one[:, order] if each else one, two, atol=1e-5, rtol=1e-5)
            assert not torch.allclose(one, net(adjacency * 0, x), atol=1e-3)


def test_what_is_no_cell_is_said():
    for wrong in ({"link": [0, 0, 0, 2], "ops": ["gcn"] * 4}, {"link": [0, 0, 0, 0], "ops": ["gnc"] * 4}):
        with pytest.raises(SpaceError, match="is not a cell of NAS-Bench-Graph"):
            nasbench_graph.trace(wrong)
