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


SIGNATURES = {
    Need.IMAGES: [
        signature(1, 8, 8),
        signature(3, 32, 32),
        signature(1, 28, 28, classes=2),
        signature(3, 64, 48),
        signature(3, 5, 7),
    ],
    Need.TABLES: [signature(4, classes=3), signature(100, classes=2), signature(1, classes=1)],
}


@pytest.mark.parametrize("name", listed("spaces"))
def test_conformance(name: str) -> None:
    found = module("spaces", name)
    (kind,) = found.needs & set(SIGNATURES)
    for given in SIGNATURES[kind]:
        kit.check_all(found.space(given), given, seeds=12)


def test_chain_holds_networks_under_every_limit_that_the_readme_names() -> None:
    digits = signature(1, 8, 8)
    space = module("spaces", "chain").space(digits)
    sizes = sorted(count(sample(space, random.Random(seed)), digits).params for seed in range(400))
    assert sizes[0] < 2_000
    assert sizes[-1] > 100_000
    assert sum(size <= 5_000 for size in sizes) > 20
