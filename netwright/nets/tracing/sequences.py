"""Which layer does what a torch module or function does: the order of axes, joins, recurrence, attention."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from netwright.nets.tracing.table import FUNCTIONS, Hidden, Unmapped, Value, Weight, function, module, want

if TYPE_CHECKING:
    from netwright.nets.tracing.items import Mapper

__all__: list[str] = []


# ---- axes ----------------------------------------------------------------------------------------------------------------


@function("flatten")
def _flatten(m: Mapper, input: Value, start_dim: int = 0, end_dim: int = -1) -> Value:
    return _reshaped(m, input, torch.empty(m.torch_shape(input)).flatten(start_dim, end_dim).shape)


@module(nn.Flatten)
def _flatten_module(m: Mapper, module: nn.Flatten, x: Value) -> Value:
    return _flatten(m, x, module.start_dim, module.end_dim)


@function("view", "reshape")
def _view(m: Mapper, input: Value, *shape: Any) -> Value:
    sizes = shape[0] if len(shape) == 1 and isinstance(shape[0], (tuple, list, torch.Size)) else shape
    return _reshaped(m, input, torch.empty(m.torch_shape(input)).reshape(*sizes).shape)


@function("squeeze")
def _squeeze(m: Mapper, input: Value | Hidden, *dim: Any) -> Value:
    if isinstance(input, Hidden):
        want(len(input.layers) == 1 and dim in ((), (0,)), "hidden states of several layers at once")
        return _last(m, input.layers[0])
    return _reshaped(m, input, torch.empty(m.torch_shape(input)).squeeze(*dim).shape)


def _reshaped(m: Mapper, x: Value, wanted: Sequence[int]) -> Value:
    """The same numbers in another shape."""
    shape, sizes = m.torch_shape(x), tuple(wanted)
    if sizes == shape:
        return x
    if x.single and sizes == shape[:2]:
        return x._replace(single=False)
    if len(sizes) == 2 and sizes[0] == shape[0] and not x.turned:
        return m.emit("flatten", x, name="flatten")
    if len(shape) == 4 and sizes == (*shape[:2], math.prod(shape[2:])):
        return m.emit("tokens", x, name="tokens")._replace(turned=True)
    raise Unmapped(f"a change of shape from {shape[1:]} to {sizes[1:]}")


@function("transpose", "swapaxes", "permute")
def _transpose(m: Mapper, input: Value, *axes: Any) -> Value:
    given = axes[0] if len(axes) == 1 and isinstance(axes[0], (tuple, list)) else axes
    rank = len(m.torch_shape(input))
    order = tuple(n % rank for n in given)
    if len(order) == rank and order == tuple(range(rank)):
        return input
    want(not input.single and order in ((1, 2), (2, 1), (0, 2, 1)) and rank == 3, f"the order of axes {given}")
    return input._replace(turned=not input.turned)


# ---- joins -------------------------------------------------------------------------------------------------------------


@function("add", "iadd", "__add__", "add_")
def _add(m: Mapper, input: Any, other: Any, alpha: float = 1) -> Value:
    want(alpha == 1, "a sum with alpha")
    if isinstance(input, Weight):
        input, other = other, input
    if isinstance(input, Value) and isinstance(other, Weight):
        x = m.turn(input, False)
        whole = tuple(size for size in other.tensor.shape)
        want(len(m.shape(x)) == 2 and whole[-2:] == m.shape(x) and math.prod(whole[:-2]) == 1, f"a parameter {whole} in a sum")
        return m.emit("position", x, name="position", tensors={"weight": other.tensor.reshape(whole[-2:])})
    want(isinstance(input, Value) and isinstance(other, Value), "a sum with a constant")
    other = m.turn(other, input.turned)
    want(m.shape(input) == m.shape(other), f"a sum of {m.shape(input)} and {m.shape(other)}")
    return m.emit("sum", input, other, name="add")


@function("mul", "imul", "__mul__", "mul_", "multiply")
def _mul(m: Mapper, input: Any, other: Any) -> Value:
    want(isinstance(input, Value) and isinstance(other, Value), "a product with a constant or a parameter")
    if input.single and not other.single:
        input, other = other, input
    if other.single and len(m.shape(input)) == 3:
        return m.emit("gate", input, other, name="gate")
    other = m.turn(other, input.turned)
    want(m.shape(input) == m.shape(other), f"a product of {m.shape(input)} and {m.shape(other)}")
    return m.emit("product", input, other, name="mul")


@function("cat", "concat", "concatenate")
def _cat(m: Mapper, tensors: Sequence[Any], dim: int = 0) -> Value:
    axis = dim
    if len(tensors) == 2 and isinstance(tensors[0], Weight) and isinstance(tensors[1], Value):
        x = m.turn(tensors[1], False)
        weight = tensors[0].tensor
        want(axis == 1 and len(m.shape(x)) == 2 and weight.shape[-2] == 1, "a parameter that is joined to a tensor")
        return m.emit("class_token", x, name="token", tensors={"weight": weight.reshape(-1)})
    want(all(isinstance(each, Value) for each in tensors), "a parameter that is joined to a tensor")
    rank = len(m.torch_shape(tensors[0]))
    want(len({(each.turned, each.single) for each in tensors}) == 1, "tensors of different order that are joined")
    features = 2 if rank == 3 and not tensors[0].turned else 1
    want(axis % rank == features, f"a concatenation along axis {dim} of {m.torch_shape(tensors[0])[1:]}")
    return m.emit("concat", *tensors, name="concat")


@function("expand", "repeat", "expand_as")
def _expand(m: Mapper, input: Any, *sizes: Any) -> Weight:
    want(isinstance(input, Weight), "a tensor that is repeated")
    return Weight(input.tensor)


@function("getitem")
def _getitem(m: Mapper, input: Any, index: Any) -> Any:
    if isinstance(input, tuple) and not isinstance(input, (Value, Hidden, Weight)):
        return input[index]
    if isinstance(input, Hidden):
        return _last(m, input.layers[index])
    want(isinstance(input, Value) and len(m.shape(input)) == 2 and not input.turned, f"the part {index} of a tensor")
    all_of = slice(None)
    places = index if isinstance(index, tuple) else (index,)
    places = places[:-1] if len(places) == 3 and places[2] == all_of else places
    if len(places) == 2 and places[0] == all_of and places[1] in (0, -1):
        return m.emit("time_pool", input, name="step", kind="last" if places[1] else "first")
    raise Unmapped(f"the part {index} of a tensor")


def _last(m: Mapper, states: Value) -> Value:
    return m.emit("time_pool", states, name="step", kind="last")


# ---- recurrence, attention ---------------------------------------------------------------------------------------------


@module(nn.RNN, nn.GRU, nn.LSTM)
def _recurrent(m: Mapper, module: Any, x: Value, hx: Any = None) -> tuple[Value, Any]:
    want(hx is None, "a first state of its own")
    want(module.batch_first, "batch_first=False: time must be the second axis")
    want(not module.bidirectional, "bidirectional=True")
    want(not getattr(module, "proj_size", 0) and module.bias, "proj_size, or bias=False")
    want(getattr(module, "nonlinearity", "tanh") == "tanh", "nonlinearity other than tanh")
    op = type(module).__name__.lower()
    x = m.turn(x, False)
    layers = []
    for number in range(module.num_layers):
        names = ("weight_ih_l", "weight_hh_l", "bias_ih_l", "bias_hh_l")
        tensors = {f"{name}0": getattr(module, f"{name}{number}") for name in names}
        with m.inside(str(number)) if module.num_layers > 1 else nullcontext():
            x = m.emit(op, x, tensors=tensors, units=module.hidden_size)
        layers.append(x)
        if module.dropout and number + 1 < module.num_layers:
            with m.inside(f"dropout{number}"):
                x = m.emit("dropout", x, rate=module.dropout)
    hidden = Hidden(tuple(layers))
    return x, ((hidden, None) if op == "lstm" else hidden)


@module(nn.MultiheadAttention)
def _attention(m: Mapper, module: Any, query: Value, key: Value, value: Value, **settings: Any) -> tuple[Value, None]:
    told = {name: given for name, given in settings.items() if given is not None and name not in _WEIGHTS_WANTED}
    want(not told or all(given is False for given in told.values()), f"attention with {', '.join(told)}")
    want(module.batch_first, "batch_first=False: time must be the second axis")
    want(query == key == value, "attention between two sequences")
    plain = module.in_proj_weight is not None and module.in_proj_bias is not None and module.bias_k is None
    want(plain and not module.add_zero_attn, "attention with kdim, vdim, without bias, or with added keys")
    tensors = {
        "in_proj_weight": module.in_proj_weight,
        "in_proj_bias": module.in_proj_bias,
        "out_proj.weight": module.out_proj.weight,
        "out_proj.bias": module.out_proj.bias,
    }
    return m.emit("attention", m.turn(query, False), tensors=tensors, heads=module.num_heads), None


_WEIGHTS_WANTED = {"need_weights", "average_attn_weights"}


@module(nn.TransformerEncoderLayer)
def _encoder_layer(m: Mapper, module: Any, src: Value, **settings: Any) -> Value:
    _no_mask(settings)
    activation = module.activation
    kind = activation if isinstance(activation, nn.Module) else getattr(activation, "__name__", "")

    def mixed(x: Value) -> Value:
        y, _ = m.call("self_attn", module.self_attn, x, x, x)
        return m.call("dropout1", module.dropout1, y)  # type: ignore[no-any-return]

    def fed(x: Value) -> Value:
        x = m.call("linear1", module.linear1, x)
        x = m.call("activation", kind, x) if isinstance(kind, nn.Module) else FUNCTIONS[kind](m, x)
        x = m.call("linear2", module.linear2, m.call("dropout", module.dropout, x))
        return m.call("dropout2", module.dropout2, x)  # type: ignore[no-any-return]

    want(isinstance(kind, nn.Module) or kind in FUNCTIONS, f"activation {kind}")
    with m.inside():
        if module.norm_first:
            src = _add(m, src, mixed(m.call("norm1", module.norm1, src)))
            return _add(m, src, fed(m.call("norm2", module.norm2, src)))
        src = m.call("norm1", module.norm1, _add(m, src, mixed(src)))
        return m.call("norm2", module.norm2, _add(m, src, fed(src)))  # type: ignore[no-any-return]


@module(nn.TransformerEncoder)
def _encoder(m: Mapper, module: Any, src: Value, **settings: Any) -> Value:
    _no_mask(settings)
    for number, layer in enumerate(module.layers):
        src = m.call(f"layers.{number}", layer, src)
    return src if module.norm is None else m.call("norm", module.norm, src)


def _no_mask(settings: Mapping[str, Any]) -> None:
    told = [name for name, given in settings.items() if given not in (None, False)]
    want(not told, f"attention with {', '.join(told)}")
