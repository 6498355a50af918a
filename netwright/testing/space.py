"""What every space must do. ``check_all(space)`` runs the lot on a :class:`~netwright.core.space.Space` with a signature."""

from __future__ import annotations

import json
from typing import Any

from netwright.core.architecture import Architecture, Signature
from netwright.core.picks import cross, everything, mutate, replayed, sample
from netwright.core.seeds import stream
from netwright.core.space import Choice, Hole, Space, Subset, unfold
from netwright.errors import SpaceError
from netwright.layers.counts import count, shapes

__all__ = ["check_all"]


def check_all(space: Space, signature: Signature, seeds: int = 25) -> None:
    """Everything below. Raises AssertionError."""
    check_round_trip(space, seeds)
    check_operators(space, seeds)
    check_reaches_every_option(space)
    check_shapes(space, signature, seeds)
    check_supernet(space, signature)
    check_runs(space, signature)


def check_round_trip(space: Space, seeds: int) -> None:
    """Sample → JSON → back; replaying a trace gives the same id."""
    for seed in range(seeds):
        drawn = sample(space, stream(seed, 0, "kit"))
        assert Architecture.from_json(json.loads(json.dumps(drawn.to_json()))) == drawn, "JSON changes it"
        assert replayed(space, drawn.decisions).id == drawn.id, "its trace gives another"


def check_operators(space: Space, seeds: int) -> None:
    """A mutant differs and lies inside; so does a crossing."""
    for seed in range(seeds):
        rng = stream(seed, 0, "kit")
        mother, father = sample(space, rng), sample(space, rng)
        child = mutate(space, mother, rng)
        assert child.id != mother.id, "a mutant is its parent"
        for made in (child, cross(space, mother, father, rng)):
            assert replayed(space, made.decisions) == made, "an operator leaves the space"


def check_reaches_every_option(space: Space, most: int = 3000) -> None:
    """Sampling meets every option of every hole that it meets at all."""
    met: dict[str, set[Any]] = {}
    wanted: dict[str, set[Any]] = {}
    rng = stream(0, 0, "kit")

    def pick(path: str, hole: Hole) -> Any:
        answer = hole.at(rng.randrange(hole.count))
        options = range(len(hole.options))
        wanted.setdefault(path, set(options))
        met.setdefault(path, set()).update([answer] if isinstance(hole, Choice) else answer)  # type: ignore[arg-type]
        assert isinstance(hole, (Choice, Subset))
        return answer

    for _ in range(most):
        unfold(space, pick)
        if all(met[path] == wanted[path] for path in wanted):
            return
    missed = {path: wanted[path] - met[path] for path in wanted if wanted[path] != met[path]}
    rare = {path for path in missed if len(wanted[path]) > most / 50}
    assert set(missed) <= rare, f"options never drawn: {missed}"


def check_shapes(space: Space, signature: Signature, seeds: int) -> None:
    """Every member maps the signature's inputs to its head, and counts."""
    for seed in range(seeds):
        drawn = sample(space, stream(seed, 0, "kit"))
        outs = shapes(drawn, signature)
        assert outs[drawn.outputs[0]].shape == signature.heads[0][1].shape, "the output has another shape than the head"
        counted = count(drawn, signature)
        assert counted.params > 0
        assert counted.peak_bytes > 0


def check_supernet(space: Space, signature: Signature) -> None:
    """The space unfolds whole, or says why it does not."""
    try:
        whole = everything(space)
    except SpaceError:  # says why, as all errors do
        return
    assert any(node.op == "mix" for node in whole.nodes) or whole.hard


def check_runs(space: Space, signature: Signature, seeds: int = 5) -> None:
    """Members build, run, train one step, and do not ignore their input."""
    import torch

    from netwright.nets.net import Net

    for seed in range(seeds):
        net = Net(sample(space, stream(seed, 0, "kit")), signature, seed=seed).train()
        x = torch.randn(8, *signature.inputs[0][1].shape, generator=torch.Generator().manual_seed(seed))
        out = net(x)
        assert out.shape == (8, *signature.heads[0][1].shape), f"the network gives {tuple(out.shape)}"
        out.square().mean().backward()
        assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in net.parameters()), (
            "a weight gets no finite gradient"
        )
        net.eval()
        assert not torch.equal(net(x), net(x + 1)), "the output ignores the input"
