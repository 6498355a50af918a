"""Published residual networks are members, with their published counts."""

from netwright.core.architecture import Signature, Tensor
from netwright.core.picks import everything, replayed
from netwright.layers.counts import count
from netwright.spaces import resnet


def member(space, depths):
    """Every stage at its middle width, with so many blocks."""
    trace = {}
    for stage, depth in enumerate(depths):
        trace |= {f"width{stage}": 2, f"more{stage}": depth - 1}
    return replayed(space, trace)


def block(cin, cout):
    return 9 * cin * cout + 2 * cout + 9 * cout * cout + 2 * cout


def shortcut(cin, cout):
    return cin * cout + 2 * cout


def test_resnet20_for_cifar():
    signature = Signature((("x", Tensor((3, 32, 32))),), (("y", Tensor((10,))),))
    stem, head = 27 * 16 + 2 * 16, 64 * 10 + 10
    stages = 3 * block(16, 16) + block(16, 32) + 2 * block(32, 32) + block(32, 64) + 2 * block(64, 64)
    found = count(member(resnet.space(signature), (3, 3, 3)), signature).params
    assert found == stem + stages + shortcut(16, 32) + shortcut(32, 64) + head == 272_474  # shortcuts of type B


def test_resnet18_and_34_for_imagenet():
    signature = Signature((("x", Tensor((3, 224, 224))),), (("y", Tensor((1000,))),))
    space = resnet.space(signature)
    stem, head = 49 * 3 * 64 + 2 * 64, 512 * 1000 + 1000
    params = stem + 2 * block(64, 64) + head
    for c in (128, 256, 512):
        params += block(c // 2, c) + shortcut(c // 2, c) + block(c, c)
    counted = count(member(space, (2, 2, 2, 2)), signature)
    assert counted.params == params == 11_689_512
    assert round(counted.flops / 2e9, 1) == 1.8  # published multiply-adds
    assert count(member(space, (3, 4, 6, 3)), signature).params == 21_797_672


def test_supernet_is_the_widest_and_deepest():
    signature = Signature((("x", Tensor((3, 32, 32))),), (("y", Tensor((10,))),))
    space = resnet.space(signature, width=4, deepest=2)
    widest = replayed(space, {f"{what}{stage}": last for stage in range(3) for what, last in (("width", 4), ("more", 1))})
    assert count(everything(space), signature).params == count(widest, signature).params
