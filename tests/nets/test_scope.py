"""Recurrences written as nodes of a scope: against torch's own cells, in ONNX Runtime, as text; what does not fit."""

import subprocess
import sys

import onnx
import onnxruntime
import pytest
import torch

from netwright.core.architecture import Architecture, Node, Signature, Tensor
from netwright.core.picks import sample
from netwright.core.seeds import stream
from netwright.core.space import Choice, Graph, Op, Recur, Seq, Space, op
from netwright.errors import SpaceError
from netwright.layers.counts import count, shapes
from netwright.layers.scopes import entering, leaving, length, loops, outside
from netwright.nets.graph import to_onnx
from netwright.nets.net import Net
from netwright.nets.plan import inner, plan
from netwright.nets.source import to_source
from netwright.testing import layers as kit

torch.set_num_threads(1)
TIME, FEATURES, UNITS = 7, 3, 5


def node(op, *inputs, weights="", scope="r", **attrs):
    return Node(op, inputs, tuple(sorted(attrs.items())), weights, "", scope)


def act(kind, source):
    return node("activation", source, kind=kind)


def state(name, units=UNITS, source=-1):
    return node("state", source, units=units, name=name)


def linear(name, source):
    return node("linear", source, weights=f"r.{name}", units=UNITS)


LSTM = Architecture(
    (
        state("h"),
        state("c"),
        node("concat", -1, 0),
        *(
            part
            for k, kind in enumerate(("sigmoid", "sigmoid", "tanh", "sigmoid"))
            for part in (linear(k, 2), act(kind, 3 + 2 * k))
        ),
        node("product", 6, 1),
        node("product", 4, 8),
        node("sum", 11, 12),
        node("carry", 1, 13),
        act("tanh", 14),
        node("product", 10, 15),
        node("carry", 0, 16),
    ),
    (17,),
)
GRU = Architecture(
    (
        state("h"),
        node("concat", -1, 0),
        linear("r", 1),
        act("sigmoid", 2),
        linear("z", 1),
        act("sigmoid", 4),
        linear("new", -1),
        linear("old", 0),
        node("product", 3, 7),
        node("sum", 6, 8),
        act("tanh", 9),
        node("blend", 5, 0, 10),
        node("carry", 0, 11),
    ),
    (12,),
)
SIGNATURE = Signature((("x", Tensor((TIME, FEATURES))),), (("y", Tensor((TIME, UNITS))),))


def both(weights):
    """Of torch's two products one over what is read side by side."""
    return torch.cat(weights, 1)


def copied(cell):
    """The weights of a torch cell under the paths here."""
    own = {name.removesuffix("_l0"): tensor.detach() for name, tensor in cell.named_parameters()}
    parts = {name: tensor.chunk(len(tensor) // UNITS) for name, tensor in own.items()}
    made = {}
    for k, name in enumerate(range(4) if cell.mode == "LSTM" else ("r", "z")):
        made[f"r.{name}/weight"] = both([parts["weight_ih"][k], parts["weight_hh"][k]])
        made[f"r.{name}/bias"] = parts["bias_ih"][k] + parts["bias_hh"][k]
    if cell.mode == "GRU":
        for name, which in (("new", "ih"), ("old", "hh")):
            made[f"r.{name}/weight"], made[f"r.{name}/bias"] = parts[f"weight_{which}"][2], parts[f"bias_{which}"][2]
    return made


CELLS = [pytest.param(LSTM, torch.nn.LSTM, id="lstm"), pytest.param(GRU, torch.nn.GRU, id="gru")]
each = pytest.mark.parametrize(("architecture", "kind"), CELLS)


@each
def test_it_computes_what_torchs_cell_computes_forwards_and_backwards(architecture, kind):
    torch.manual_seed(0)
    theirs = kind(FEATURES, UNITS, batch_first=True)
    ours = Net(architecture, SIGNATURE)
    ours.load_tensors(copied(theirs))
    one = torch.randn(4, TIME, FEATURES, requires_grad=True)
    two = one.detach().clone().requires_grad_()
    mine, given = ours(one), theirs(two)[0]
    assert (mine - given).abs().max() < 1e-6
    (mine.sin().sum()).backward()
    (given.sin().sum()).backward()
    assert (one.grad - two.grad).abs().max() < 1e-6
    grads = {path: ours.bank[place].weight.grad for path, place in ours._places.items()}
    first = grads["r.0" if kind is torch.nn.LSTM else "r.r"]
    assert (first - both([theirs.weight_ih_l0.grad[:UNITS], theirs.weight_hh_l0.grad[:UNITS]])).abs().max() < 1e-5


@each
def test_it_is_counted_as_torch_counts_it(architecture, kind):
    kit.check_params(architecture, SIGNATURE)
    kit.check_flops(architecture, SIGNATURE)
    gates = 4 if kind is torch.nn.LSTM else 3
    assert count(architecture, SIGNATURE).flops == TIME * 2 * gates * UNITS * (FEATURES + UNITS)


@each
def test_its_graph_computes_the_same(architecture, kind):
    kit.check_onnx(architecture, SIGNATURE)
    model = to_onnx(architecture, SIGNATURE)
    onnx.checker.check_model(model, full_check=True)
    assert "Scan" in [written.op_type for written in model.graph.node]


@each
def test_its_text_computes_the_same(architecture, kind, tmp_path):
    text = kit.check_source(architecture, SIGNATURE, tmp_path)
    assert text.count("for step in x.unbind(1):") == 1
    assert "h = x.new_zeros(x.shape[0], 5)" in text
    assert f"Output: y, float32, shape (N, {TIME}, {UNITS})" in text


def test_its_text_is_formatted(tmp_path):
    pytest.importorskip("ruff")
    for number, (architecture, signature) in enumerate(((LSTM, SIGNATURE), (GRU, SIGNATURE), several())):
        (tmp_path / f"model{number}.py").write_text(to_source(architecture, signature, title="A recurrence."))
    for command in (["format", "--diff"], ["check", "--select", "E,F,I,UP,B"]):
        run = [sys.executable, "-m", "ruff", *command, "--isolated", "--line-length", "110", str(tmp_path)]
        done = subprocess.run(run, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_without_recurrence_there_is_one_move_for_each_node():
    architecture = Architecture((node("identity", -1, scope=""), node("sum", -1, 0, scope="")), (1,))
    signature = Signature((("x", Tensor((3,))),), (("y", Tensor((3,))),))
    found = kit.steps(architecture, signature)
    assert [(move.place, move.loop, move.picked) for move in plan(architecture, found, 1).moves] == [
        (0, None, None),
        (1, None, None),
    ]


# ---- what enters and what leaves ---------------------------------------------------------------------------------------


def several():
    """Two sequences enter, three values leave: the state before and after a step, and the input itself."""
    nodes = (
        node("linear", -1, scope="", weights="a", units=UNITS),
        state("h"),
        node("sum", 0, 1, -2),
        act("tanh", 2),
        node("carry", 1, 3),
        node("identity", -2),
        node("concat", 4, 1, 5, scope=""),
    )
    inputs = (("x", Tensor((TIME, FEATURES))), ("z", Tensor((TIME, UNITS))))
    heads = (("all", Tensor((TIME, 3 * UNITS))), ("h", Tensor((TIME, UNITS))))
    return Architecture(nodes, (6, 4)), Signature(inputs, heads)


def test_several_sequences_enter_and_several_values_leave(tmp_path):
    architecture, signature = several()
    x, z = kit.batch(architecture, signature, 2)
    net = kit.trained(architecture, signature)
    read = net.layers[0](x)
    hidden, wanted = torch.zeros(2, UNITS), []
    for t in range(TIME):
        before, hidden = hidden, torch.tanh(read[:, t] + hidden + z[:, t])
        wanted.append(torch.cat([hidden, before, z[:, t]], 1))
    everything, last = net(x, z)
    assert torch.allclose(everything, torch.stack(wanted, 1))
    assert torch.equal(last, everything[:, :, :UNITS])
    model = to_onnx(architecture, signature, net.tensors())
    session = onnxruntime.InferenceSession(model.SerializeToString())
    one, two = session.run(["all", "h"], {"x": x.numpy(), "z": z.numpy()})
    assert abs(one - everything.detach().numpy()).max() < 1e-5
    assert abs(two - last.detach().numpy()).max() < 1e-5
    only = Architecture(architecture.nodes, (6,))
    kit.check_source(only, Signature(signature.inputs, signature.heads[:1]), tmp_path)
    (loop,) = loops(architecture)
    assert loop == (1, 5, (-1, 0, -2), ((1, 4),), (1, 4, 5))  # the state reads the input, for its rows
    assert len(inner(loop, kit.steps(architecture, signature)).outputs) == 4


def test_one_after_the_other_and_between_other_layers(tmp_path):
    cell = Graph(
        (
            ("h", Op("state", (("name", "h"), ("units", 4))), ("x",)),
            ("in", op("concat"), ("x", "h")),
            ("sum", op("linear", units=4), ("in",)),
            ("act", op("activation", kind=Choice("tanh", "relu", "sigmoid")), ("sum",)),
            ("out", op("carry"), ("h", "act")),
        )
    )
    body = Seq(op("layer_norm"), Recur(cell), Recur(cell), op("linear", units=3), Recur(cell), op("time_pool"))
    for number in range(5):
        drawn = sample(Space(body), stream(number, 0, "test"))
        laid = kit.signed(drawn, (("x", Tensor((6, 2))),))
        assert laid[1].heads[0][1].shape == (4,)
        kit.check_params(*laid)
        kit.check_flops(*laid)
        kit.check_onnx(*laid)
        kit.check_source(*laid, tmp_path)
        assert [loop.last - loop.first for loop in loops(drawn)] == [4, 4, 4]
        assert outside(drawn, shapes(drawn, laid[1]), laid[1])[5].shape == (6, 4)


def test_a_state_that_nothing_is_carried_to_stays_zero():
    nodes = (state("h", FEATURES), node("sum", -1, 0))
    signature = Signature(SIGNATURE.inputs, (("y", Tensor((TIME, FEATURES))),))
    x = torch.randn(2, TIME, FEATURES)
    assert torch.equal(Net(Architecture(nodes, (1,)), signature)(x), x)
    kit.check_onnx(Architecture(nodes, (1,)), signature)


def test_memory_of_what_leaves_is_that_of_all_steps():
    counted = count(GRU, SIGNATURE).peak_bytes
    assert counted >= 4 * TIME * UNITS
    assert counted < 4 * TIME * (FEATURES + UNITS) + 4 * 20 * UNITS


def test_shapes_at_the_edge():
    assert entering(Tensor((7, 3))) == Tensor((3,))
    assert leaving(Tensor((3,)), 7) == Tensor((7, 3))
    assert length([Tensor((7, 3)), Tensor((7, 9, 9))]) == 7


# ---- what does not fit -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("nodes", "shape", "says"),
    [
        ((state("h"),), (3,), r"a recurrence needs \(time, features\), not \(3,\)"),
        ((state("h"), node("carry", 0, -1)), (7, 3), r"node 1 .*a state of \(5,\) cannot become \(3,\)"),
        ((node("identity", -1), node("carry", 0, -1)), (7, 3), "node 1 .*carries to what is no state"),
        ((state("h", 3), node("carry", 0, -1), node("carry", 0, 1)), (7, 3), "node 2 .*carried to twice"),
        ((node("blend", -1, -1, -1), node("sum", 0, -1), node("product", 1, 1)), (7, 3), None),
        ((node("linear", -1, units=2), node("product", -1, 0)), (7, 3), "a product needs inputs of one shape"),
        ((node("linear", -1, units=2), node("mean", -1, 0)), (7, 3), "a mean needs inputs of one shape"),
        ((node("linear", -1, units=2), node("blend", -1, 0, 0)), (7, 3), "a blend needs inputs of one shape"),
    ],
)
def test_what_does_not_fit_is_said_in_one_line(nodes, shape, says):
    signature = Signature((("x", Tensor(shape)),), (("y", Tensor(shape)),))
    architecture = Architecture(nodes, (len(nodes) - 1,))
    if says is None:
        Net(architecture, signature)
        return
    with pytest.raises(SpaceError, match=says) as caught:
        Net(architecture, signature)
    assert "\n" not in str(caught.value)


def test_a_recurrence_stands_together():
    with pytest.raises(SpaceError, match=r"^r: the nodes of a recurrence stand apart"):
        loops(Architecture((node("identity", -1), node("identity", -1, scope=""), node("identity", -1)), (2,)))


def test_sequences_of_two_lengths_do_not_meet():
    signature = Signature((("x", Tensor((7, 3))), ("z", Tensor((6, 3)))), (("y", Tensor((7, 3))),))
    with pytest.raises(SpaceError, match="one length, not of 6 and 7 steps"):
        Net(Architecture((node("sum", -1, -2),), (0,)), signature)
