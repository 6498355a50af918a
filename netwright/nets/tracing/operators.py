"""Which layer does what a torch module or function does: convolution, linear, normalisation, activation, pooling."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from netwright.nets.tracing.table import FUNCTIONS, MODULES, Handler, Unmapped, Value, function, module, one, want

if TYPE_CHECKING:
    from netwright.nets.tracing.items import Mapper

__all__: list[str] = []


# ---- what passes its input on -----------------------------------------------------------------------------------------


@function("contiguous", "clone", "float", "to", "type_as", "detach", "stochastic_depth")
def _same(m: Mapper, x: Value, *_: Any, **__: Any) -> Value:
    return x


@module(nn.Identity)
def _identity(m: Mapper, module: nn.Module, x: Value) -> Value:
    return x


@function("dropout", "dropout1d", "dropout2d")
def _dropout(m: Mapper, input: Value, p: float = 0.5, training: bool = False, inplace: bool = False) -> Value:
    return m.emit("dropout", input, name="dropout", rate=float(p)) if p else input


@module(nn.Dropout, nn.Dropout1d, nn.Dropout2d)
def _dropout_module(m: Mapper, module: Any, x: Value) -> Value:
    return _dropout(m, x, module.p)


# ---- convolution, linear, embedding ------------------------------------------------------------------------------------


@module(nn.Conv2d)
def _conv(m: Mapper, module: nn.Conv2d, x: Value) -> Value:
    kernel, stride, dilation = (one(getattr(module, name), name) for name in ("kernel_size", "stride", "dilation"))
    tensors = {"weight": module.weight, **({"bias": module.bias} if module.bias is not None else {})}
    bias = module.bias is not None
    if x.single:
        want(kernel == 1 and module.groups == 1, "a convolution of a single pixel, unless its kernel is 1")
        flat = {**tensors, "weight": module.weight.flatten(1)}
        told: dict[str, Any] = {"units": module.out_channels, **({} if bias else {"bias": False})}
        return m.emit("linear", x, tensors=flat, **told)
    want(module.padding_mode == "zeros", f"padding_mode {module.padding_mode!r}")
    want(not x.turned and len(m.shape(x)) == 3, f"a convolution over {m.shape(x)}")
    keeps = dilation * (kernel - 1) // 2
    padding = {"same": keeps, "valid": 0}.get(str(module.padding))
    padding = one(module.padding, "padding") if padding is None else padding
    want(kernel % 2 == 1 or module.padding != "same", "padding='same' with an even kernel")
    attrs: dict[str, Any] = {"kernel": kernel}
    if module.groups == module.in_channels > 1:
        attrs |= {"groups": 0, "ratio": module.out_channels // module.in_channels}
    else:
        attrs |= {"groups": module.groups, "width": module.out_channels}
    attrs |= {"stride": stride, "dilation": dilation, "bias": bias, "padding": padding}
    usual = {"groups": 1, "ratio": 1, "stride": 1, "dilation": 1, "bias": False, "padding": keeps if kernel % 2 else None}
    attrs = {name: value for name, value in attrs.items() if name not in usual or value != usual[name]}
    return m.emit("conv", x, tensors=tensors, **attrs)


@module(nn.Conv1d)
def _conv1d(m: Mapper, module: nn.Conv1d, x: Value) -> Value:
    want(len(m.shape(x)) == 2, f"a convolution along time over {m.shape(x)}")
    x = m.turn(x, True)
    kernel, stride, dilation = (one(getattr(module, name), name) for name in ("kernel_size", "stride", "dilation"))
    keeps = dilation * (kernel - 1) // 2
    padding = keeps if module.padding == "same" else 0 if module.padding == "valid" else one(module.padding, "padding")
    want(kernel % 2 == 1 and padding == keeps, f"padding {padding} along time: kernel {kernel} needs {keeps}, and to be odd")
    want(module.padding_mode == "zeros", f"padding_mode {module.padding_mode!r}")
    bias = {} if module.bias is None else {"bias": module.bias}
    usual = {"stride": 1, "dilation": 1, "bias": False, "groups": 1}
    attrs: dict[str, Any] = {"kernel": kernel, "stride": stride, "dilation": dilation, "bias": bool(bias)}
    if module.groups == module.in_channels > 1:
        want(module.out_channels == module.in_channels, "a depthwise convolution along time with several filters for each")
        attrs["groups"] = 0
    else:
        attrs |= {"groups": module.groups, "width": module.out_channels}
    told = {name: value for name, value in attrs.items() if name not in usual or value != usual[name]}
    return m.emit("conv1d", x, tensors={"weight": module.weight, **bias}, **told)._replace(turned=True)


@module(nn.Linear)
def _linear(m: Mapper, module: nn.Linear, x: Value) -> Value:
    x = m.turn(x, False)
    want(not x.single and len(m.shape(x)) < 3, f"a linear layer over the last axis of {m.shape(x)}")
    bias = {} if module.bias is None else {"bias": module.bias}
    more: dict[str, Any] = {} if bias else {"bias": False}
    return m.emit("linear", x, tensors={"weight": module.weight, **bias}, units=module.out_features, **more)


@module(nn.Embedding)
def _embedding(m: Mapper, module: nn.Embedding, x: Value) -> Value:
    want(module.max_norm is None, "max_norm")
    return m.emit("embedding", x, tensors={"weight": module.weight}, count=module.num_embeddings, units=module.embedding_dim)


# ---- normalisation, activation -----------------------------------------------------------------------------------------


@module(nn.BatchNorm1d, nn.BatchNorm2d)
def _batch_norm(m: Mapper, module: Any, x: Value) -> Value:
    want(module.running_mean is not None, "track_running_stats=False")
    ones = torch.ones_like(module.running_mean)
    tensors = {
        "weight": module.weight if module.affine else ones,
        "bias": module.bias if module.affine else ones * 0,
        "running_mean": module.running_mean,
        "running_var": module.running_var,
    }
    x = m.turn(x, True) if len(m.shape(x)) == 2 else x
    return m.emit("batch_norm", x, tensors=tensors, **({} if module.eps == 1e-5 else {"eps": module.eps}))


@module(nn.LayerNorm)
def _layer_norm(m: Mapper, module: nn.LayerNorm, x: Value) -> Value:
    x = m.turn(x, False)
    features = m.shape(x)[-1]
    want(tuple(module.normalized_shape) == (features,), f"normalisation over the axes {tuple(module.normalized_shape)}")
    ones = torch.ones(features)
    weight = ones if module.weight is None else module.weight
    bias = ones * 0 if module.bias is None else module.bias
    more: dict[str, Any] = {} if module.eps == 1e-5 else {"eps": module.eps}
    return m.emit("layer_norm", x, tensors={"weight": weight, "bias": bias}, **more)


_KINDS: dict[str, tuple[type[nn.Module], Mapping[str, Any]]] = {
    "relu": (nn.ReLU, {}),
    "relu6": (nn.ReLU6, {}),
    "gelu": (nn.GELU, {"approximate": "none"}),
    "silu": (nn.SiLU, {}),
    "hardswish": (nn.Hardswish, {}),
    "tanh": (nn.Tanh, {}),
    "sigmoid": (nn.Sigmoid, {}),
    "hardsigmoid": (nn.Hardsigmoid, {}),
    "elu": (nn.ELU, {"alpha": 1.0}),
    "leaky_relu": (nn.LeakyReLU, {"negative_slope": 0.01}),
}


def _activation(kind: str, usual: Mapping[str, Any]) -> Handler:
    def by_function(m: Mapper, input: Value, *rest: Any, inplace: bool = False, **settings: Any) -> Value:
        given = {**dict(zip(usual, rest, strict=False)), **settings}
        wrong = [f"{name}={value}" for name, value in given.items() if usual.get(name, value) != value]
        want(not wrong, f"{kind} with {', '.join(wrong)}")
        return m.emit("activation", input, name=kind, kind=kind)

    return by_function


def _activations() -> None:
    for kind, (found, usual) in _KINDS.items():
        handler = _activation(kind, usual)
        FUNCTIONS.update({kind: handler, f"{kind}_": handler})
        MODULES[found] = lambda m, module, x, handler=handler, usual=usual: handler(
            m, x, **{name: getattr(module, name) for name in usual}
        )


_activations()


# ---- pooling, axes -----------------------------------------------------------------------------------------------------


def _pool(m: Mapper, op: str, x: Value, kernel: Any, stride: Any, padding: Any, ceil_mode: bool) -> Value:
    want(not x.turned and len(m.shape(x)) == 3, f"pooling over {m.shape(x)}")
    size = one(kernel, "kernel_size")
    step = size if stride in (None, [], ()) else one(stride, "stride")
    around = one(padding, "padding")
    spare = any((n + 2 * around - size) % step for n in m.shape(x)[1:])
    want(not (ceil_mode and spare), "ceil_mode, where sizes are rounded")
    more: dict[str, Any] = {"padding": around} if around else {}
    return m.emit(op, x, name="pool", kernel=size, stride=step, **more)


@function("max_pool2d")
def _max_pool(
    m: Mapper,
    input: Value,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Value:
    want(one(dilation, "dilation") == 1 and not return_indices, "dilated pooling, or its indices")
    return _pool(m, "max_pool", input, kernel_size, stride, padding, ceil_mode)


@function("avg_pool2d")
def _avg_pool(
    m: Mapper,
    input: Value,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Value:
    want(not count_include_pad or one(padding, "padding") == 0, "a mean that counts its padding (count_include_pad)")
    want(divisor_override is None, "divisor_override")
    return _pool(m, "avg_pool", input, kernel_size, stride, padding, ceil_mode)


@function("adaptive_avg_pool2d")
def _adaptive(m: Mapper, input: Value, output_size: Any) -> Value:
    want(len(m.shape(input)) == 3, f"pooling over {m.shape(input)}")
    sizes = m.shape(input)[1:]
    wanted = output_size if isinstance(output_size, (tuple, list)) else (output_size, output_size)
    wanted = tuple(given if given is not None else size for given, size in zip(wanted, sizes, strict=True))
    if wanted == sizes and wanted != (1, 1):
        return input
    if wanted == (1, 1):
        return m.emit("global_pool", input, name="pool")._replace(single=True)
    steps = {size // given for size, given in zip(sizes, wanted, strict=True)}
    fits = len(steps) == 1 and all(size % given == 0 for size, given in zip(sizes, wanted, strict=True))
    want(fits, f"a mean from {sizes} to {wanted}, which no one window gives")
    return _pool(m, "avg_pool", input, steps.pop(), None, 0, False)


@function("mean")
def _mean(m: Mapper, input: Value, dim: Any = None, keepdim: bool = False) -> Value:
    shape = m.shape(input)
    axes = {n % (len(shape) + 1) for n in (dim if isinstance(dim, (tuple, list)) else [dim])} if dim is not None else set()
    if len(shape) == 3 and axes == {2, 3}:
        return m.emit("global_pool", input, name="pool")._replace(single=keepdim)
    if len(shape) == 2 and axes == {2 if input.turned else 1}:
        want(not keepdim or input.turned, "keepdim")
        return m.emit("time_pool", input, name="pool")._replace(single=keepdim)
    raise Unmapped(f"a mean over axes {dim} of {shape}")


@function("adaptive_avg_pool1d")
def _adaptive1d(m: Mapper, input: Value, output_size: Any) -> Value:
    want(one(output_size, "output_size") == 1 and input.turned, "a mean along time to other than one step")
    return m.emit("time_pool", input, name="pool")._replace(single=True)


@module(nn.MaxPool2d)
def _max_pool_module(m: Mapper, module: nn.MaxPool2d, x: Value) -> Value:
    given = (module.kernel_size, module.stride, module.padding, module.dilation, module.ceil_mode, module.return_indices)
    return _max_pool(m, x, *given)


@module(nn.AvgPool2d)
def _avg_pool_module(m: Mapper, module: nn.AvgPool2d, x: Value) -> Value:
    given = (module.kernel_size, module.stride, module.padding, module.ceil_mode, module.count_include_pad)
    return _avg_pool(m, x, *given, module.divisor_override)


@module(nn.AdaptiveAvgPool2d)
def _adaptive_module(m: Mapper, module: nn.AdaptiveAvgPool2d, x: Value) -> Value:
    return _adaptive(m, x, module.output_size)


@module(nn.AdaptiveAvgPool1d)
def _adaptive1d_module(m: Mapper, module: nn.AdaptiveAvgPool1d, x: Value) -> Value:
    return _adaptive1d(m, x, module.output_size)
