"""The kit for layers: what their counts, graphs and texts say is compared with what torch does, layer by layer and in random
architectures. A layer needs at least one line in :data:`CASES`."""

from __future__ import annotations

import importlib.util
import weakref
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnxruntime
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from netwright.core.architecture import Architecture, Node, Signature, Tensor
from netwright.core.seeds import integer
from netwright.layers.counts import count, shapes, steps
from netwright.nets.graph import to_onnx
from netwright.nets.net import Net
from netwright.nets.source import source_tensors, to_source

__all__ = [
    "CASES",
    "Case",
    "batch",
    "check_flops",
    "check_onnx",
    "check_params",
    "check_peak",
    "check_shapes",
    "check_source",
    "laid",
    "signed",
    "trained",
    "unrolled_flops",
]


class Case(NamedTuple):
    """One layer with attributes and shapes that it is tried with."""

    op: str
    attrs: dict[str, Any]
    inputs: tuple[tuple[int, ...], ...]
    dtype: str = "float32"


def _case(name: str, *inputs: tuple[int, ...], dtype: str = "float32", **attrs: Any) -> Case:
    return Case(name, attrs, inputs, dtype)


_MAP = (4, 7, 9)
_COLUMNS = (("number", 0.5, 0.1, 0.2), ("category", 3), ("number", -1.0, 2.0, 4.0, 1), ("category", 1))
CASES: tuple[Case, ...] = (
    _case("conv", _MAP, width=6, kernel=3),
    _case("conv", _MAP, width=6, kernel=5, stride=2, bias=True),
    _case("conv", _MAP, kernel=3, stride=2, groups=0),
    _case("conv", _MAP, width=8, kernel=3, groups=2, dilation=2),
    _case("conv", _MAP, ratio=3, kernel=1),
    _case("conv", _MAP, width=6, kernel=4, stride=2, padding=0, bias=True),
    _case("conv", _MAP, width=6, kernel=3, padding=2, dilation=2),
    _case("batch_norm", _MAP),
    _case("batch_norm", (5,)),
    _case("batch_norm", _MAP, eps=1e-3),
    *(
        _case("activation", _MAP, kind=kind)
        for kind in ("relu", "relu6", "gelu", "silu", "hardswish", "tanh", "sigmoid", "hardsigmoid", "elu", "leaky_relu")
    ),
    _case("max_pool", _MAP),
    _case("max_pool", _MAP, kernel=3, stride=1, padding=1),
    _case("avg_pool", _MAP),
    _case("avg_pool", _MAP, kernel=3, stride=2, padding=1),
    _case("global_pool", _MAP),
    _case("time_pool", (5, 6)),
    _case("flatten", _MAP),
    _case("linear", (5,), units=3),
    _case("linear", (5,), units=3, bias=False),
    _case("linear", (4, 5), units=3),
    _case("linear", (4, 5), units=3, bias=False),
    _case("dropout", _MAP, rate=0.5),
    _case("identity", _MAP),
    _case("zero", _MAP),
    _case("sum", _MAP, _MAP, _MAP),
    _case("mix", _MAP, _MAP),
    _case("concat", _MAP, (2, 7, 9)),
    _case("concat", (3,), (2,), (4,)),
    _case("concat", (3, 4), (3, 2)),
    _case("project", _MAP, _MAP),
    _case("project", _MAP, (6, 7, 9)),
    _case("project", _MAP, (6, 4, 5)),
    _case("project", (5,), (3,)),
    _case("project", (3, 5), (3, 4)),
    _case("normalize", (2, 5, 5), mean=(0.5, -1.0), std=(2.0, 0.25)),
    _case("normalize", (3,), mean=(0.5, -1.0, 3.0), std=(2.0, 0.25, 1.0)),
    _case("rescale", (2,), mean=(10.0, -1.0), std=(2.0, 0.5)),
    _case("encode", (4,), columns=_COLUMNS),
    _case("encode", (1,), columns=(("number", 0.0, 0.0, 1.0),)),
    _case("layer_norm", (6,)),
    _case("layer_norm", (3, 4)),
    _case("layer_norm", (3, 4), eps=1e-3),
    _case("squeeze_excite", _MAP, ratio=2),
    _case("squeeze_excite", _MAP, ratio=8),
    _case("conv1d", (7, 3), width=5),
    _case("conv1d", (7, 3), width=5, kernel=5, stride=2, dilation=2, bias=True),
    _case("embedding", (6,), dtype="int64", count=9, units=4),
    _case("rnn", (4, 3), units=5),
    _case("gru", (4, 3), units=5),
    _case("lstm", (4, 3), units=5),
    _case("attention", (5, 6), heads=2),
    _case("route", _MAP, _MAP, _MAP),
    _case("route", (5,), (3,), (3,), (3,)),
    _case("route", (4, 5), (4, 3), (4, 3)),
    _case("transpose", (3, 5)),
    _case("tokens", _MAP),
    _case("append", (3, 4), (2, 4)),
    _case("truncate", _MAP, width=3),
    _case("lif", (3, *_MAP), threshold=0.5),
    _case("lif", (4, 6)),
    _case("repeat_steps", _MAP, steps=3),
    _case("each_step", (3, *_MAP), layer="conv", attrs=(("kernel", 3), ("width", 6))),
    _case("each_step", (3, *_MAP), layer="avg_pool"),
    _case("each_step", (3, *_MAP), layer="flatten"),
    _case("each_step", (5, 6), layer="batch_norm"),
    _case("feature_pool", (6,), size=3),
    *(_case("graph_conv", (5, 3), (5, 5), kind=kind, units=4) for kind in ("gcn", "gin", "sage", "cheb", "arma", "graph")),
    _case("graph_attention", (5, 3), (5, 5), units=4, heads=2),
    _case("attention", (5, 6), heads=3, size=4, bias=False, causal=True),
    _case("attention", (5, 6), heads=2, size=4, causal=True, rotary=True),
    _case("batch_norm", (7, 3)),
    _case("time_pool", (5, 6), kind="max"),
    _case("time_pool", (5, 6), kind="last"),
    _case("time_pool", (5, 6), kind="first"),
    _case("conv1d", (7, 3), groups=0, kernel=5),
    _case("conv1d", (7, 4), width=6, groups=2),
    _case("squeeze_excite", _MAP, ratio=2, multiple=8, gate="hardsigmoid"),
    _case("squeeze_excite", _MAP, hidden=3),
    _case("product", _MAP, _MAP, _MAP),
    _case("product", (5,)),
    _case("gate", _MAP, (4,)),
    _case("linear", (4, 5), ratio=2),
    _case("glu", (4, 5), ratio=2),
    _case("glu", (5,), units=3, bias=False),
    _case("zero", _MAP, width=6, stride=2),
    _case("zero", _MAP, stride=2),
    _case("resize", _MAP, size=5),
    _case("resize", _MAP, size=7),
    _case("resize", _MAP, size=14),
    _case("shift", _MAP),
    _case("channel_shuffle", _MAP, groups=2),
    _case("position", (5, 6)),
    _case("class_token", (5, 6)),
    _case("mean", _MAP, _MAP, _MAP),
    _case("mean", (5,)),
    _case("blend", (5,), (5,), (5,)),
    _case("state", (5,), units=3),  # on its own it stays zero
    _case("carry", (5,), (5,)),
)


def laid(case: Case) -> tuple[Architecture, Signature]:
    """The case as an architecture of one node."""
    names = ["x", *(f"x{i}" for i in range(1, len(case.inputs)))]
    inputs = tuple((name, Tensor(shape, case.dtype)) for name, shape in zip(names, case.inputs, strict=True))
    node = Node(case.op, tuple(-1 - i for i in range(len(inputs))), tuple(sorted(case.attrs.items())), "net.0")
    return signed(Architecture((node,), (0,)), inputs)


def signed(architecture: Architecture, inputs: tuple[tuple[str, Tensor], ...]) -> tuple[Architecture, Signature]:
    """With the signature that its inputs give it. Raises :class:`SpaceError` where a layer does not fit."""
    out = shapes(architecture, Signature(inputs, (("y", Tensor((1,))),)))[architecture.outputs[0]]
    return architecture, Signature(inputs, (("y", out),))


def batch(architecture: Architecture, signature: Signature, rows: int, seed: int = 0) -> list[torch.Tensor]:
    """Random inputs; with codes and gaps among the numbers where the first layer encodes."""
    generator = torch.Generator().manual_seed(integer(seed, 0, "batch"))
    made = []
    for _, tensor in signature.inputs:
        shape = (rows, *tensor.shape)
        if tensor.dtype == "int64":
            made.append(torch.randint(0, 9, shape, generator=generator))
        else:
            made.append(torch.randn(shape, generator=generator))
    if architecture.nodes[0].op == "encode":
        made[0][:, 1::2] = (made[0][:, 1::2] * 2).round()
        made[0][::2, ::3] = torch.nan
        made[0][:1, 2:3] = torch.nan
    return made


def trained(architecture: Architecture, signature: Signature, seed: int = 0) -> Net:
    """The network in eval mode with every tensor moved away from its start, as training does."""
    net = Net(architecture, signature, seed=seed).eval()
    generator = torch.Generator().manual_seed(integer(seed, 0, "moved"))
    moved = {}
    for name, tensor in net.tensors().items():
        noise = torch.rand(tensor.shape, generator=generator)
        positive = name.rpartition("/")[2] in ("running_var", "std")
        moved[name] = tensor * (0.5 + noise) if positive else tensor + (noise - 0.5) / 5
    net.load_tensors(moved)
    return net


# ---- checks: each takes any architecture ------------------------------------------------------------------------------


def _near(one: Any, other: Any) -> None:
    one, other = np.asarray(one), np.asarray(other)
    assert one.shape == other.shape
    np.testing.assert_allclose(one, other, rtol=0, atol=1e-5 * max(1.0, float(np.abs(one).max(initial=0.0))))


def _run(net: Net, inputs: Sequence[torch.Tensor], seen: Callable[[Sequence[Any], torch.Tensor], None]) -> None:
    """Predict, and show ``seen`` what each node read and wrote."""
    hooks = [m.register_forward_hook(lambda _, read, wrote: seen(read, wrote)) for m in dict.fromkeys(net.layers)]
    with torch.no_grad():
        net(*inputs)
    for hook in hooks:
        hook.remove()


def check_shapes(architecture: Architecture, signature: Signature) -> None:
    """Every node's output has the shape that its layer says."""
    seen: list[tuple[int, ...]] = []
    _run(trained(architecture, signature), batch(architecture, signature, 2), lambda _, y: seen.append(tuple(y.shape[1:])))
    assert seen == [tensor.shape for tensor in shapes(architecture, signature)]


def check_params(architecture: Architecture, signature: Signature) -> None:
    """Parameters are counted as torch counts them; weights and buffers have torch's names and shapes."""
    net = Net(architecture, signature)
    assert count(architecture, signature).params == sum(p.numel() for p in net.parameters())
    said = {
        f"{step.node.weights}/{name}": shape
        for step in steps(architecture, signature)
        for part in (step.layer.weights, step.layer.buffers)
        for name, shape in part(step.inputs, step.attrs).items()
    }
    assert said == {name: tuple(tensor.shape) for name, tensor in net.tensors().items()}


def check_flops(architecture: Architecture, signature: Signature) -> None:
    """FLOPs are what torch's own counter counts. It counts nothing in recurrent layers: see :func:`unrolled_flops`."""
    net = trained(architecture, signature)
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), counter:
        net(*batch(architecture, signature, 1))
    assert count(architecture, signature).flops == counter.get_total_flops()


def unrolled_flops(architecture: Architecture, signature: Signature) -> int:
    """FLOPs by torch's counter of a network of one recurrent layer, run step by step as products of matrices.

    Asserts that this computes the same.
    """
    net = trained(architecture, signature)
    (cell,) = net.layers
    assert isinstance(cell, nn.RNNBase)
    weights = cell.state_dict()
    (x,) = batch(architecture, signature, 1)
    hidden = memory = torch.zeros(1, cell.hidden_size)
    outputs = []
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        for now in x.unbind(1):
            read = F.linear(now, weights["weight_ih_l0"], weights["bias_ih_l0"])
            kept = F.linear(hidden, weights["weight_hh_l0"], weights["bias_hh_l0"])
            if cell.mode == "GRU":
                (r, z, n), (r2, z2, n2) = read.chunk(3, 1), kept.chunk(3, 1)
                update = torch.sigmoid(z + z2)
                hidden = (1 - update) * torch.tanh(n + torch.sigmoid(r + r2) * n2) + update * hidden
            elif cell.mode == "LSTM":
                i, f, g, o = (read + kept).chunk(4, 1)
                memory = torch.sigmoid(f) * memory + torch.sigmoid(i) * torch.tanh(g)
                hidden = torch.sigmoid(o) * torch.tanh(memory)
            else:
                hidden = torch.tanh(read + kept)
            outputs.append(hidden)
    with torch.no_grad():
        _near(net(x), torch.stack(outputs, 1))
    return counter.get_total_flops()


def check_peak(architecture: Architecture, signature: Signature) -> None:
    """Peak memory is what hooks see: the memory of all outputs that are alive and of the inputs that are still to be read."""
    net = trained(architecture, signature)
    inputs = batch(architecture, signature, 1)
    own = {x.untyped_storage().data_ptr(): x.numel() * x.element_size() for x in inputs}
    until: dict[int, int] = {}  # the last node that reads an input
    place = 0

    def note(read: Sequence[torch.Tensor], _: torch.Tensor) -> None:
        nonlocal place
        until.update({x.untyped_storage().data_ptr(): place for x in read})
        place += 1

    _run(net, inputs, note)
    last, place, peak = place, 0, 0
    outputs: list[weakref.ref[torch.Tensor]] = []

    def measure(_: Sequence[torch.Tensor], wrote: torch.Tensor) -> None:
        nonlocal place, peak
        outputs.append(weakref.ref(wrote))
        sizes = {at: size for at, size in own.items() if until.get(at, last) >= place}
        for output in outputs:
            if (x := output()) is not None and x.untyped_storage().data_ptr() not in own:
                sizes[x.untyped_storage().data_ptr()] = x.numel() * x.element_size()
        peak = max(peak, sum(sizes.values()))
        place += 1

    _run(net, inputs, measure)
    assert count(architecture, signature).peak_bytes == peak


def check_onnx(architecture: Architecture, signature: Signature) -> None:
    """The ONNX graph computes what torch computes, at any batch size."""
    net = trained(architecture, signature)
    model = to_onnx(architecture, signature, net.tensors())
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, ["CPUExecutionProvider"])
    for rows in (1, 3):
        inputs = batch(architecture, signature, rows)
        fed = {name: x.numpy() for (name, _), x in zip(signature.inputs, inputs, strict=True)}
        with torch.no_grad():
            _near(net(*inputs), session.run([name for name, _ in signature.heads], fed)[0])


def check_source(architecture: Architecture, signature: Signature, folder: Path) -> str:
    """The text stands alone, loads its weights and computes what the network computes. Returns it."""
    net = trained(architecture, signature)
    text = to_source(architecture, signature, title="A network that is tested.")
    assert "netwright" not in text.lower()
    (folder / "model.py").write_text(text)
    save_file(source_tensors(architecture, net.tensors()), folder / "model.safetensors")
    spec = importlib.util.spec_from_file_location("tested_model", folder / "model.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    inputs = batch(architecture, signature, 3)
    with torch.no_grad():
        _near(net(*inputs), module.load()(*inputs))
    return text
