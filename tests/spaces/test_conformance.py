"""Every space of the folder passes the kit, on signatures of several sizes."""

import random

import pytest

from netwright.core.architecture import Signature, Tensor
from netwright.core.contracts import Need
from netwright.core.picks import sample
from netwright.layers.counts import count
from netwright.registry import listed, module
from netwright.testing import space as kit


def signature(*shape: int, classes: int = 10) -> Signature:
    return Signature((("x", Tensor(shape)),), (("y", Tensor((classes,))),))


def codes(steps: int, head: tuple[int, ...]) -> Signature:
    return Signature((("x", Tensor((steps,), "int64")),), (("y", Tensor(head)),))


def graph(nodes: int, features: int, head: tuple[int, ...]) -> Signature:
    inputs = (("adjacency", Tensor((nodes, nodes))), ("x", Tensor((nodes, features))))
    return Signature(inputs, (("y", Tensor(head)),))


def several(inputs: dict[str, tuple[int, ...]], heads: dict[str, int]) -> Signature:
    read = tuple((name, Tensor(shape)) for name, shape in inputs.items())
    return Signature(read, tuple((name, Tensor((classes,))) for name, classes in heads.items()))


SIGNATURES = {
    Need.IMAGES: [
        signature(1, 8, 8),
        signature(3, 32, 32),
        signature(1, 28, 28, classes=2),
        signature(3, 64, 48),
        signature(3, 5, 7),
    ],
    Need.TABLES: [signature(4, classes=3), signature(100, classes=2), signature(1, classes=1)],
    Need.GRAPHS: [graph(9, 5, (3,)), graph(6, 2, (6, 4)), graph(1, 3, (2,))],
    Need.SEVERAL: [
        several({"audio": (100, 5), "image": (3, 16, 16)}, {"speaker": 4, "word": 10}),
        several({"left": (1, 8, 8), "right": (2, 20, 9), "speed": (7, 1)}, {"y": 1}),
    ],
    Need.SEQUENCES: [signature(30, 4, classes=3), signature(5, 1, classes=2), signature(96, 7, classes=1)],
}

SMALL = {
    "darts": {"layers": 3, "channels": 4},
    "fbnet": {"features": 16},
    "hierarchical": {"width": 4},
    "macro": {"width": 4, "features": 16},
    "multimodal": {"width": 8, "blocks": 2},
    "nasbench101": {"width": 8, "cells": 1},
    "nasbench201": {"width": 4, "cells": 2},
    "spikenas": {"width": 4, "steps": 2, "hidden": 16, "neurons": 2},
    "transnas_micro": {"width": 8},
}
"""Settings that make a space's networks small enough for a test."""

LONG = {"fbnet", "mobilenet", "resnet", "transnas_micro"}
"""Spaces of networks that take their time: the first signature and the last."""

MORE = [
    ("mobilenet", {"design": "ofa", "width": 0.25}, signature(3, 224, 224)),
    ("mobilenet", {"design": "accel"}, signature(3, 96, 96)),
    ("resnet", {"width": 4, "deepest": 1}, signature(3, 96, 128)),
    ("darts", {"layers": 3, "channels": 4}, signature(3, 96, 96)),
    ("transformer", {"widths": (16, 32), "size": 8}, signature(3, 32, 32)),
    ("transformer", {"widths": (16, 32), "size": 8}, signature(30, 4)),
    ("transformer", {"widths": (16, 32), "size": 8, "codes": 9}, codes(12, (2,))),
    ("recurrent_cell", {"units": 6}, signature(12, 4)),
    ("recurrent_cell", {"units": 6, "embedding": 5, "layers": 2, "style": "enas"}, codes(7, (7, 9))),
    pytest.param("transformer", {"design": "gpt_s"}, codes(6, (6, 11)), marks=pytest.mark.slow),
]
"""Other designs, sizes and inputs: name, settings, signature."""


@pytest.mark.parametrize("name", listed("spaces"))
def test_conformance(name: str) -> None:
    found = module("spaces", name)
    for kind in found.needs & set(SIGNATURES):
        for given in SIGNATURES[kind][:: 4 if name in LONG else 1]:
            kit.check_all(found.space(given, **SMALL.get(name, {})), given, seeds=12)
    assert found.needs & set(SIGNATURES) or any(name == other for other, *_ in MORE), f"add a signature for {name}"


@pytest.mark.parametrize(("name", "settings", "given"), MORE, ids=lambda value: value if isinstance(value, str) else "")
def test_more(name: str, settings: dict, given: Signature) -> None:
    kit.check_all(module("spaces", name).space(given, **settings), given, seeds=5)


@pytest.mark.slow
@pytest.mark.parametrize("name", listed("spaces"))
def test_two_hundred_members_run_forward_and_backward(name: str) -> None:
    found = module("spaces", name)
    given = next((SIGNATURES[kind][0] for kind in SIGNATURES if kind in found.needs), None) or next(
        value[2] for value in MORE if value[0] == name
    )
    small = SMALL.get(name, {}) or next((value[1] for value in MORE if value[0] == name), {})
    kit.check_runs(found.space(given, **small), given, seeds=200)


def test_chain_holds_networks_under_every_limit_that_the_readme_names() -> None:
    digits = signature(1, 8, 8)
    space = module("spaces", "chain").space(digits)
    sizes = sorted(count(sample(space, random.Random(seed)), digits).params for seed in range(400))
    assert sizes[0] < 2_000
    assert sizes[-1] > 100_000
    assert sum(size <= 5_000 for size in sizes) > 20
