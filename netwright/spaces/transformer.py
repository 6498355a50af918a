"""Transformers: width, depth, and for each layer heads and MLP ratio (Chen et al. 2021, arXiv:2107.00651).

Two designs: an encoder over images (in patches), sequences or codes (Vaswani et al. 2017, arXiv:1706.03762; Dosovitskiy et al.
2021, arXiv:2010.11929), and the causal language model GPT-S of HW-GPT-Bench (Sukthanker et al. 2024, arXiv:2405.10299).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from netwright.core.architecture import Answer, Architecture, Signature, Tensor
from netwright.core.contracts import Need
from netwright.core.space import Branches, Choice, Repeat, Seq, Space, Term, Tie, op
from netwright.errors import SpaceError

__all__ = ["GPT_S", "needs", "offers", "row", "space", "trace"]

needs: frozenset[Need] = frozenset()
"""Images, sequences or codes, any of them: what it cannot take, it says itself."""

offers = frozenset({Need.FINITE})

GPT_S = {
    "embed_dim": (192, 384, 768),
    "n_layer": (10, 11, 12),
    "n_head": (4, 8, 12),
    "mlp_ratio": (2, 3, 4),
    "bias": (True, False),
}
"""What HW-GPT-Bench decides for its smallest model. Heads have 64 features each."""


def space(
    signature: Signature,
    *,
    design: str = "encoder",
    widths: Sequence[int] = (32, 48, 64, 96, 128),
    depths: Sequence[int] = (1, 2, 3, 4, 5, 6),
    heads: Sequence[int] = (1, 2, 4),
    ratios: Sequence[int] = (1, 2, 4),
    size: int = 16,
    patch: int = 0,
    codes: int = 0,
) -> Space:
    """The space for inputs of that shape. ``size``: features of one head; ``patch``: pixels of a patch's side, 0 for as many
    as suit the image; ``codes``: how many there are. Design ``gpt_s`` takes ``codes`` alone."""
    x, head = signature.inputs[0][1], signature.heads[0][1]
    if design == "gpt_s":
        body = _gpt(x, head, codes or head.shape[-1])
    elif design == "encoder":
        body = _encoder(x, head, _start(x, Choice(*widths, name="width"), patch, codes), widths, depths, heads, ratios, size)
    else:
        raise SpaceError(f"unknown design {design!r}", where="transformer", todo="Known: encoder, gpt_s.")
    return Space(body, name="transformer", signature=signature)


# ---- an encoder -------------------------------------------------------------------------------------------------------


def _start(x: Tensor, width: Choice, patch: int, codes: int) -> Seq:
    """From the input to a sequence of that width."""
    if len(x.shape) == 3:
        side = min(x.shape[1:])
        patch = patch or max(1 if side < 8 else 2, min(16, side // 8))
        return Seq(op("conv", width=width, kernel=patch, stride=patch, padding=0, bias=True), op("tokens"))
    if len(x.shape) == 2:
        return Seq(op("linear", units=width))
    if x.dtype in ("int64", "int32"):
        if not codes:
            raise SpaceError("how many codes there are is not known", where="transformer", todo="Set it: --set space.codes=….")
        return Seq(op("embedding", count=codes, units=width))
    raise SpaceError(
        f"it takes images, sequences or codes, not {x.shape}", where="transformer", todo="Use --space mlp for tables."
    )


def _block(attention: Term, perceptron: Term) -> Term:
    """Attention and a perceptron, each with a normalization before it and a skip around it."""
    parts = (Branches(Seq(op("layer_norm"), part), op("identity")) for part in (attention, perceptron))
    return Seq(*parts)


def _encoder(
    x: Tensor,
    head: Tensor,
    start: Seq,
    widths: Sequence[int],
    depths: Sequence[int],
    heads: Sequence[int],
    ratios: Sequence[int],
    size: int,
) -> Term:
    width = Choice(*widths, name="width")
    attention = op("attention", heads=Choice(*heads), size=size)
    perceptron = Seq(op("linear", ratio=Choice(*ratios)), op("activation", kind="gelu"), op("linear", units=width))
    layers = Repeat(_block(attention, perceptron), Choice(*depths, name="depth"))
    pool = [op("time_pool")] if len(head.shape) == 1 else []
    return Seq(start, op("position"), Tie("layers", layers), op("layer_norm"), *pool, op("linear", units=head.shape[-1]))


# ---- GPT-S ------------------------------------------------------------------------------------------------------------


def _gpt(x: Tensor, head: Tensor, codes: int) -> Term:
    if len(x.shape) != 1 or x.dtype not in ("int64", "int32"):
        raise SpaceError(f"a language model takes codes, not {x.shape} of {x.dtype}", where="transformer")
    width, bias = Choice(*GPT_S["embed_dim"], name="embed_dim"), Choice(*GPT_S["bias"], name="bias")
    attention = op("attention", heads=Choice(*GPT_S["n_head"]), size=64, bias=bias, causal=True, rotary=True)
    perceptron = Seq(op("glu", ratio=Choice(*GPT_S["mlp_ratio"]), bias=bias), op("linear", units=width, bias=bias))
    layers = Tie("layers", Repeat(_block(attention, perceptron), Choice(*GPT_S["n_layer"], name="n_layer")))
    end = (op("layer_norm"), op("linear", units=head.shape[-1], bias=False))
    last = [op("time_pool", kind="last")] if len(head.shape) == 1 else []
    return Seq(op("embedding", count=codes, units=width), layers, *last, *end)


def _places(layer: int) -> dict[str, str]:
    """Paths of what one layer of GPT-S decides."""
    return {"n_head": f"layers.{layer}.0.0.1.heads", "mlp_ratio": f"layers.{layer}.1.0.1.0.ratio"}


def trace(row: Mapping[str, Any]) -> dict[str, Answer]:
    """The decisions of a row of HW-GPT-Bench: ``embed_dim``, ``n_layer``, ``bias``, and lists ``n_head``, ``mlp_ratio``."""
    found: dict[str, Answer] = {key: GPT_S[key].index(row[key]) for key in ("embed_dim", "n_layer", "bias")}
    for layer in range(row["n_layer"]):
        found |= {path: GPT_S[key].index(row[key][layer]) for key, path in _places(layer).items()}
    return found


def row(architecture: Architecture) -> dict[str, Any]:
    """The row of an architecture of design ``gpt_s``."""
    decisions = architecture.decisions
    if "embed_dim" not in decisions:
        raise SpaceError("an encoder has no row", where="transformer", todo="The table is of design 'gpt_s'.")

    def value(key: str, path: str) -> Any:
        answer = decisions[path]
        assert isinstance(answer, int)
        return GPT_S[key][answer]

    found = {key: value(key, key) for key in ("embed_dim", "n_layer", "bias")}
    layers = range(found["n_layer"])
    return {**found, **{key: [value(key, _places(layer)[key]) for layer in layers] for key in ("n_head", "mlp_ratio")}}
