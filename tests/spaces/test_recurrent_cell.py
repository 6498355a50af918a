"""Recurrent cells: published recipes are members that compute what they say; random ones neither explode nor ignore their input."""

import json
from collections import Counter

import pytest
import torch

from netwright.core.architecture import Signature, Tensor
from netwright.core.picks import mutate, replayed, sample
from netwright.core.seeds import stream
from netwright.errors import SpaceError
from netwright.layers.counts import count
from netwright.nets.net import Net
from netwright.spaces.recurrent_cell import PUBLISHED, recipe, space, trace
from netwright.testing import layers as kit
from netwright.testing import space as space_kit

torch.set_num_threads(1)

WORDS = Signature((("x", Tensor((5,), "int64")),), (("y", Tensor((5, 11))),))
WIKITEXT = Signature((("x", Tensor((35,), "int64")),), (("y", Tensor((35, 33278))),))
LSTM = {
    **{k: {"op": "linear", "input": ["x", "h_prev_0"]} for k in "ijfo"},
    **{
        f"{k}_act": {"op": f"activation_{a}", "input": [k]} for k, a in zip("ijfo", ("tanh", "sigm", "sigm", "tanh"), strict=True)
    },
    "h_new_0": {"op": "elementwise_prod", "input": ["c_act", "o_act"]},
    "c_act": {"op": "activation_tanh", "input": ["h_new_1"]},
    "h_new_1": {"op": "elementwise_sum", "input": ["kept", "new"]},
    "kept": {"op": "elementwise_prod", "input": ["f_act", "h_prev_1"]},
    "new": {"op": "elementwise_prod", "input": ["i_act", "j_act"]},
}


def sequences(steps, features, outputs=3):
    return Signature((("x", Tensor((steps, features))),), (("y", Tensor((outputs,))),))


def member(given, signature=WORDS, **settings):
    made = space(signature, **{"units": 6, "embedding": 4, "exact": True, **settings})
    return replayed(made, trace({"recepie": given}))


def said(given, net, architecture, x, scope):
    """What a recipe computes, read word by word, with the linear layers of a network in the order in which it has them."""
    ours = recipe(architecture)
    layers = [m for n, m in zip(architecture.nodes, net.layers, strict=True) if n.scope == scope and n.op == "linear"]
    linear = dict(zip((name for name, node in ours.items() if node["op"] == "linear"), layers, strict=True))
    ops = {
        "activation_tanh": torch.tanh,
        "activation_sigm": torch.sigmoid,
        "activation_leaky_relu": torch.nn.functional.leaky_relu,
        "elementwise_sum": torch.add,
        "elementwise_prod": torch.mul,
        "blend": lambda z, a, b: z * a + (1 - z) * b,
    }
    width = layers[0].out_features
    states = {f"h_prev_{i}": torch.zeros(len(x), width) for i in range(3)}
    outputs = []
    for now in x.unbind(1):
        values = {"x": now, **states}
        for name, node in ours.items():
            read = [values[i] for i in node["input"]]
            values[name] = linear[name](torch.cat(read, 1)) if node["op"] == "linear" else ops[node["op"]](*read)
        states = {f"h_prev_{i}": values.get(f"h_new_{i}") for i in range(3)}
        outputs.append(values["h_new_0"])
    return torch.stack(outputs, 1)


def same_graph(one, other):
    """Whether two recipes differ in names, and in the order of what is added or read side by side, only."""

    def shape(given):
        def of(name, seen=()):
            if name not in given:
                return name
            node, fixed = given[name], name if name.startswith("h_new") and name[6:].isdigit() else ""
            inputs = [of(i, (*seen, name)) for i in node["input"]]
            return (fixed, node["op"], *(inputs if node["op"] == "blend" else sorted(inputs, key=repr)))

        return Counter(repr(of(name)) for name in given)

    return shape(one) == shape(other)


# ---- published recipes ----------------------------------------------------------------------------------------------------


def test_an_lstm_is_a_member_and_computes_what_its_recipe_says():
    drawn = member(LSTM, layers=2)
    assert same_graph(recipe(drawn), LSTM)
    net = Net(drawn, WORDS, seed=1).eval()
    (x,) = kit.batch(drawn, WORDS, 3)
    with torch.no_grad():
        read = net.layers[0](x)
        for scope in dict.fromkeys(node.scope for node in drawn.nodes if node.scope):
            read = said(LSTM, net, drawn, read, scope)
        assert torch.allclose(net(x), net.layers[-1](read), atol=1e-6)


def test_every_published_recipe_is_a_member_with_the_published_parameters(nas):
    """But for the decoder, whose weights are those of the embedding there, and its own here."""
    rows = nas("nasbench_nlp_wikitext2")
    made = space(WIKITEXT, **PUBLISHED)
    for row in rows:
        given = json.loads(row["recepie"])
        drawn = replayed(made, trace({"recepie": given}))
        assert same_graph(recipe(drawn), given)
        assert replayed(made, trace({"recepie": recipe(drawn)})).id == drawn.id
        assert count(drawn, WIKITEXT).params == row["num_params"] + 33278 * 400
    assert len(rows) == 345


def test_published_recipes_build_and_compute_what_they_say(nas):
    for row in nas("nasbench_nlp_wikitext2")[::6]:
        given = json.loads(row["recepie"])
        drawn = member(given)
        net = Net(drawn, WORDS, seed=2).eval()
        (x,) = kit.batch(drawn, WORDS, 2)
        (scope,) = {node.scope for node in drawn.nodes if node.scope}
        with torch.no_grad():
            wanted = net.layers[-1](said(given, net, drawn, net.layers[0](x), scope))
            assert torch.allclose(net(x), wanted, atol=1e-5), row["recepie_id"]
    kit.check_onnx(drawn, WORDS)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"h_new_0": {"op": "linear", "input": ["x", "y"]}}, "'h_new_0' reads what is not there"),
        ({"h_new_0": {"op": "linear", "input": ["x", "h_new_0"]}}, "or itself"),
        ({"h_new_0": {"op": "activation_relu", "input": ["h_prev_0"]}}, r"is no activation_relu\(a\). Known: linear\(x, a\)"),
        ({"h_new_0": {"op": "activation_tanh", "input": ["x"]}}, r"is no tanh\(x\)"),
        ({"h_new_0": {"op": "linear", "input": ["h_prev_0"]}}, r"is no linear\(a\)"),
        ({"node_0": {"op": "linear", "input": ["x", "h_prev_0"]}}, "no node is called 'h_new_0'"),
        ({f"h_new_{i}": {"op": "activation_tanh", "input": ["h_prev_0"]} for i in range(16)}, "more than 15 nodes"),
    ],
)
def test_what_is_no_recipe_is_said_in_one_line(given, says):
    with pytest.raises(SpaceError, match=says) as caught:
        trace({"recepie": given})
    assert str(caught.value).startswith("recepie: ")


# ---- random cells ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("given", [sequences(24, 4), sequences(5, 1, outputs=1), sequences(100, 2)], ids=("24", "5", "100"))
def test_random_cells_run_forward_and_backward(given):
    space_kit.check_runs(space(given, units=8), given, seeds=40)


def test_enas_cells_run_forward_and_backward():
    given = sequences(6, 4)
    space_kit.check_runs(space(given, style="enas", units=8), given, seeds=10)


def test_a_graph_and_a_text_of_random_cells_compute_the_same(tmp_path):
    for number, style in enumerate(("nasbench_nlp", "nasbench_nlp", "enas")):
        given = sequences(6, 4)
        drawn = sample(space(given, style=style, units=5, layers=2), stream(number, 0, "test"))
        kit.check_params(drawn, given)
        kit.check_flops(drawn, given)
        kit.check_onnx(drawn, given)
        kit.check_source(drawn, given, tmp_path)


def test_layers_share_decisions_and_not_weights():
    given = sequences(6, 4)
    made = space(given, layers=3, units=5)
    drawn = mutate(made, sample(made, stream(0, 0, "test")), stream(1, 0, "test"))
    parts = {scope: [n.op for n in drawn.nodes if n.scope == scope] for scope in ("net.0", "net.1", "net.2")}
    assert parts["net.0"] == parts["net.1"] == parts["net.2"]
    paths = [n.weights for n in drawn.nodes if n.op == "linear"]
    assert len(set(paths)) == len(paths)


def test_what_enas_lays_by_hand():
    given = sequences(4, 3)
    made = space(given, style="enas", nodes=3, units=5)
    answers = {"cell.act0": 0, "cell.act1": 1, "cell.act2": 2, "cell.from1": 0, "cell.from2": 0}
    drawn = replayed(made, answers)
    assert count(drawn, given).params == 2 * 5 * (3 + 5) + 4 * 5 * 5 + 5 * 3 + 3
    means = [node for node in drawn.nodes if node.op == "mean"]
    assert [len(node.inputs) for node in means] == [2]  # nodes 1 and 2 are read by nobody
    net = Net(drawn, given, seed=0).eval()
    x = torch.randn(2, 4, 3)
    linear = [module for node, module in zip(drawn.nodes, net.layers, strict=True) if node.op == "linear"]
    c0, h0, c1, h1, c2, h2 = linear[:6]
    state, outputs = torch.zeros(2, 5), []
    for now in x.unbind(1):
        both = torch.cat([now, state], 1)
        gate = c0(both).sigmoid()
        first = gate * h0(both).tanh() + (1 - gate) * state
        gate = c1(first).sigmoid()
        second = gate * h1(first).relu() + (1 - gate) * first
        gate = c2(first).sigmoid()
        state = (second + gate * h2(first) + (1 - gate) * first) / 2
        outputs.append(state)
    assert torch.allclose(net(x), net.layers[-1](torch.stack(outputs, 1).mean(1)), atol=1e-6)


def test_settings_that_do_not_fit():
    with pytest.raises(SpaceError, match="unknown style 'nas'"):
        space(sequences(4, 3), style="nas")
    with pytest.raises(SpaceError, match="--set codes=5000"):
        space(Signature(WORDS.inputs, (("y", Tensor((2,))),)))
