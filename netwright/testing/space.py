"""What every space must do. ``check_all(space)`` runs the lot on a :class:`~netwright.core.space.Space` with a signature."""

from __future__ import annotations

import json
from typing import Any

from netwright.core.architecture import Architecture, Signature, Tensor
from netwright.core.encode import Encoding, sparse
from netwright.core.picks import cross, enumerated, mutate, replayed, sample
from netwright.core.seeds import stream
from netwright.core.size import size
from netwright.core.space import Choice, Hole, Space, Subset, unfold
from netwright.layers.canonical import canonical
from netwright.layers.counts import count, shapes

__all__ = ["check_all"]


def check_all(space: Space, signature: Signature, seeds: int = 25) -> None:
    """Everything below, and what a supernet must do. Raises AssertionError."""
    from netwright.testing.supernet import check_supernet  # loads torch

    check_round_trip(space, seeds)
    check_identity(space, seeds)
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


def check_identity(space: Space, seeds: int) -> None:
    """The canonical identity does not depend on how a member was laid; an encoding has a place for its answers; the size is
    that of an enumeration, where the space is small enough to enumerate."""
    exact = size(space)
    encoding = Encoding(space)
    for seed in range(seeds):
        drawn = sample(space, stream(seed, 0, "kit"))
        flat = Architecture(drawn.nodes, drawn.outputs)
        assert flat.id == drawn.id, "given as nodes it has another id"
        assert canonical(flat) == canonical(drawn), "given as nodes it is another network"
        assert space.rules or sum(encoding(drawn)) == len(sparse(drawn)), "an answer has no column"
    if exact.exact and exact.count <= 3000:
        assert exact.count == sum(1 for _ in enumerated(space)), "it has more or fewer members than its size says"


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
        if space.rules:  # a hole of a rule stands in more places than can be visited
            path = f"{hole!r:.200} ({id(hole)})"
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


def check_runs(space: Space, signature: Signature, seeds: int = 5) -> None:
    """Members build, run, train one step, and do not ignore their input, unless zeros cut it off."""
    import torch

    from netwright.nets.net import Net

    for seed in range(seeds):
        drawn = sample(space, stream(seed, 0, "kit"))
        net = Net(drawn, signature, seed=seed).train()
        generator = torch.Generator().manual_seed(seed)
        x = [_batch(tensor, 8, generator) for _, tensor in signature.inputs]
        outs = net(*x)
        outs = (outs,) if isinstance(outs, torch.Tensor) else outs
        for out, (_, head) in zip(outs, signature.heads, strict=True):
            assert out.shape == (8, *head.shape), f"the network gives {tuple(out.shape)}"
        loss: Any = torch.stack([out.square().mean() for out in outs]).sum()
        loss.backward()
        live, reads = _live(drawn)
        used = [p for place in live for p in net.layers[place].parameters()]
        assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in used), "a weight gets no finite gradient"
        net.eval()
        other = [_batch(tensor, 8, generator) for _, tensor in signature.inputs]
        one, two = net(*x), net(*other)
        same = torch.equal(one, two) if isinstance(one, torch.Tensor) else all(map(torch.equal, one, two))
        silent = same and any(node.op == "lif" for node in drawn.nodes)  # untrained neurons may never fire
        assert silent or same != reads, "the output ignores the input" if reads else "an input comes through zeros"


def _batch(tensor: Tensor, rows: int, generator: Any) -> Any:
    """Random inputs: numbers, or codes 0 and 1."""
    import torch

    shape = (rows, *tensor.shape)
    return (
        torch.randn(shape, generator=generator) if tensor.dtype == "float32" else torch.randint(0, 2, shape, generator=generator)
    )


def _live(architecture: Architecture) -> tuple[set[int], bool]:
    """Nodes from which something reaches an output (nothing passes a zero), and whether something of the input does."""
    nodes = architecture.nodes
    live: set[int] = set()
    carried = [place for place, node in enumerate(nodes) if node.op == "carry"]
    left = [*architecture.outputs, *carried]
    reads = False
    while left:
        place = left.pop()
        if place < 0:
            reads = True
        elif place not in live:
            live.add(place)
            left += nodes[place].inputs if nodes[place].op != "zero" else ()
    return live, reads
