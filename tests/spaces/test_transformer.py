"""Published transformers as members, counted by hand, and the rows of HW-GPT-Bench."""

import json

import pytest

from netwright.core.architecture import Signature, Tensor
from netwright.core.picks import everything, replayed
from netwright.errors import SpaceError
from netwright.layers.counts import count
from netwright.spaces import transformer


def test_vit_tiny_by_hand():
    signature = Signature((("x", Tensor((3, 224, 224))),), (("y", Tensor((1000,))),))
    space = transformer.space(signature, widths=(192,), depths=(12,), heads=(3,), ratios=(4,), size=64)
    d, norm = 192, 2 * 192
    attention, perceptron = 3 * d * d + 3 * d + d * d + d, 2 * 4 * d * d + 4 * d + d
    params = 16 * 16 * 3 * d + d + 196 * d + 12 * (attention + perceptron + 2 * norm) + norm + 1000 * d + 1000
    found = everything(space)
    assert count(found, signature).params == params == 5_717_416 - 2 * 192  # ViT-Ti/16 has a class token and its place too


def test_rows_of_hw_gpt_bench(nas):
    """Parameters are equal. The table's MACs are those of linear layers, for 8 sequences of 1,024 codes."""
    codes = 50_254
    signature = Signature((("x", Tensor((1024,), "int64")),), (("y", Tensor((1024, codes))),))
    space = transformer.space(signature, design="gpt_s")
    rows = nas("hwgpt_s")
    assert len(rows) == 10_000
    for row in rows[::25]:
        key = {**row, "n_head": json.loads(row["n_head"]), "mlp_ratio": json.loads(row["mlp_ratio"])}
        made = replayed(space, transformer.trace(key))
        assert all(key[name] == value for name, value in transformer.row(made).items())
        counted = count(made, signature)
        assert counted.params == row["params"]
        scores = 2 * 2 * 1024 * 1024 * 64 * sum(key["n_head"])  # queries by keys, shares by values
        assert 8 * (counted.flops - scores) // 2 == row["macs"]


def test_gpt_by_hand():
    codes, d, heads, ratios = 50_254, 384, [12, 4, 8] * 3 + [4], [2, 3, 4] * 3 + [4]
    signature = Signature((("x", Tensor((8,), "int64")),), (("y", Tensor((8, codes))),))
    space = transformer.space(signature, design="gpt_s")
    row = {"embed_dim": d, "n_layer": 10, "n_head": heads, "mlp_ratio": ratios, "bias": True}
    params = 2 * codes * d + 2 * d
    for h, r in zip(heads, ratios, strict=True):
        params += 2 * 2 * d + 3 * 64 * h * (d + 1) + 64 * h * d + d  # norms; queries, keys, values; what comes out of the heads
        params += 2 * (d + 1) * r * d + r * d * d + d  # gate and value; back
    assert count(replayed(space, transformer.trace(row)), signature).params == params


@pytest.mark.parametrize(
    ("shape", "dtype", "settings", "says"),
    [
        ((7,), "float32", {}, "images, sequences or codes"),
        ((7,), "int64", {}, "space.codes"),
        ((7, 3), "float32", {"design": "gpt_s"}, "takes codes"),
        ((7, 3), "float32", {"design": "decoder"}, "Known: encoder, gpt_s"),
    ],
)
def test_what_it_cannot_take(shape, dtype, settings, says):
    signature = Signature((("x", Tensor(shape, dtype)),), (("y", Tensor((2,))),))
    with pytest.raises(SpaceError, match=says):
        transformer.space(signature, **settings)
