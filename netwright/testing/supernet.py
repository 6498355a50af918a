"""What every supernet must do: members, cut out, give to the last digit what they give inside it, and train their part alone."""

from __future__ import annotations

from collections.abc import Callable

import torch

from netwright.core.architecture import Answer, Architecture, Signature
from netwright.core.picks import sample
from netwright.core.seeds import integer, stream
from netwright.core.space import Choice, Hole, Space, unfold
from netwright.layers.elastic import supernet_refusal
from netwright.nets.net import Net
from netwright.nets.weights import Restricted, SharedBank

__all__ = ["check_cut", "check_mixed", "check_supernet", "check_training", "moved"]

ROWS = 3


def check_supernet(space: Space, signature: Signature, members: int = 3) -> None:
    """Everything below on random members; where there is no supernet, that one line says why. Raises AssertionError."""
    refusal = supernet_refusal(space, signature)
    if refusal:
        assert refusal.strip() == refusal
        assert "\n" not in refusal
        return
    bank = moved(SharedBank(space, signature, seed=0))
    for seed in range(members):
        check_cut(bank, sample(space, stream(seed, 0, "supernet kit")), seed)
    check_mixed(bank)
    check_training(bank, sample(space, stream(members, 0, "supernet kit")))


def moved(bank: SharedBank) -> SharedBank:
    """With every tensor moved away from its start, running statistics too, as training does."""
    generator = torch.Generator().manual_seed(integer(0, 0, "supernet kit"))
    with torch.no_grad():
        for tensor in (*bank.parameters(), *bank.buffers()):
            tensor.mul_(1 + 0.2 * torch.rand(tensor.shape, generator=generator))
            tensor.add_(0.05 * torch.rand(tensor.shape, generator=generator))
        for name in bank.supernet.tensors:
            if name.endswith("/running_var"):
                bank[name].mul_(4)  # deep networks whose statistics are not those of their data grow without bound
    return bank


def check_cut(bank: SharedBank, member: Architecture, seed: int = 0) -> None:
    """The supernet restricted to a member, and the member as a network of its own with the weights cut out."""
    own = Net(member, bank.supernet.signature, seed=seed)
    own.load_tensors(bank.cut(member))
    _same(bank.restricted(member).eval(), own.eval(), _batch(bank, seed), "the network that is cut out gives something else")


def check_mixed(bank: SharedBank, seed: int = 0) -> None:
    """The supernet that mixes all options, with all the weight on those of one member, and that member (at its largest)."""
    supernet = bank.supernet
    mixes = supernet.mixes
    rng = stream(seed, 0, "supernet kit")

    def pick(path: str, hole: Hole) -> Answer:
        if path in mixes or not isinstance(hole, Choice) or len(hole.options) == 1:
            return hole.at(rng.randrange(hole.count))
        return hole.options.index(max(hole.options))

    member = unfold(supernet.space, pick)
    shares = {hole: torch.zeros(options) for hole, options in mixes.items()}
    for path, answer in member.trace:
        if path in mixes and answer is not None:
            shares[path][torch.tensor(answer)] = 1.0
    mixed = bank.restricted(supernet.whole).eval()
    _same(lambda *x: mixed(*x, shares=shares), bank.restricted(member).eval(), _batch(bank, seed), "mixing gives something else")


def check_training(bank: SharedBank, member: Architecture) -> None:
    """A step of training moves what the member uses and nothing else."""
    net = bank.restricted(member).train()
    assert not list(net.parameters()), "a restricted network has weights of its own"
    before = bank.tensors()
    optimiser = torch.optim.SGD(bank.parameters(), 0.1)
    outputs = net(*_batch(bank, 0))
    loss = sum(out.square().mean() for out in (outputs if isinstance(outputs, tuple) else (outputs,)))
    assert isinstance(loss, torch.Tensor)
    optimiser.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    optimiser.step()
    cuts = bank.supernet.cuts(member)
    moves = False
    for name, after in bank.tensors().items():
        changed = after != before[name]
        if name in cuts:
            moves |= bool(changed.any())
            changed[torch.meshgrid([torch.tensor(list(kept)) for kept in cuts[name]], indexing="ij")] = False
        assert not changed.any(), f"{name}: a step of training moves what the network does not use"
    assert moves, "a step of training moves nothing"


def _batch(bank: SharedBank, seed: int) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(integer(seed, 0, "supernet kit"))
    made = []
    for _, tensor in bank.supernet.signature.inputs:
        x = torch.randn(ROWS, *tensor.shape, generator=generator)
        made.append(x if tensor.dtype == "float32" else (x > 0).to(getattr(torch, tensor.dtype)))
    return made


def _same(one: Callable[..., object] | Restricted, other: Callable[..., object], batch: list[torch.Tensor], what: str) -> None:
    with torch.no_grad():
        found, wanted = one(*batch), other(*batch)
    pairs = [*zip(*(out if isinstance(out, tuple) else (out,) for out in (found, wanted)), strict=True)]
    worst = max((a - b).abs().max().item() for a, b in pairs)
    assert all(torch.equal(a, b) for a, b in pairs), f"{what}: it differs by {worst}"
