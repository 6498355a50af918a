"""Supernets as plain data: a space unfolded whole, and which part of its tensors each of its architectures is.

One set of weights for a whole space, of which every member is a part: Bender et al. 2018 (one-shot), Cai et al. 2020,
arXiv:1908.09791 (once-for-all: first channels, centres of kernels).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache

from netwright.core.architecture import Answer, Architecture, Attrs, Node, Signature, Tensor
from netwright.core.picks import at_random
from netwright.core.seeds import stream
from netwright.core.space import ALL, Hole, Pick, Space, unfold
from netwright.errors import SpaceError
from netwright.layers.base import Indices, Part, Shape
from netwright.layers.counts import Step, shapes, steps
from netwright.layers.scopes import entering, leaving

__all__ = ["Supernet", "supernet_refusal"]

MOST_DECISIONS = 2_000
"""Decisions of a space unfolded whole: more than that are a supernet that nobody can train."""

PROBES = 24
"""Random members that are cut out before a supernet is said to exist, beside those that show each option."""


class Supernet:
    """A space unfolded whole (``whole``): each choice of layers a ``mix`` of its options, each attribute at its largest.

    ``tensors``: ``<path>/<name>`` → shape, and whether it is trained. Raises :class:`SpaceError` where the space has no
    supernet, saying why.
    """

    def __init__(self, space: Space, signature: Signature) -> None:
        self.space = space = replace(space, listing=None, screen=None)  # which limit what is searched, not what is shared
        self.signature = signature
        self.whole = _whole(space)
        self.tensors: dict[str, tuple[Shape, bool]] = {}
        self._large: dict[str, tuple[str, Attrs]] = {}
        for step in steps(self.whole, signature):
            node = step.node
            self._large.setdefault(node.weights, (node.op, node.attrs))
            buffers = step.layer.buffers(step.inputs, step.attrs)
            for name, shape in step.layer.shared(step.inputs, step.attrs).items():
                self.tensors[f"{node.weights}/{name}"] = shape, name not in buffers
        for probe in _probes(space):
            try:
                shapes(probe, signature)
            except SpaceError:
                continue  # a member that cannot be built alone says nothing about the supernet
            self.cuts(probe)

    @property
    def mixes(self) -> dict[str, int]:
        """The decisions that are mixed: path → number of options."""
        return {node.hole: len(node.inputs) for node in self.whole.nodes if node.op == "mix"}

    def cuts(self, architecture: Architecture) -> dict[str, tuple[Indices, ...]]:
        """The tensors that an architecture of the space uses: ``<path>/<name>`` → what it keeps of each axis.

        Raises :class:`SpaceError` with the path where a layer is no part of the supernet's.
        """
        found: dict[str, tuple[Indices, ...]] = {}
        nodes = architecture.nodes
        outs: list[Part] = []
        lengths: dict[str, int] = {}
        for step in steps(architecture, self.signature):
            node = step.node
            try:
                part, tensors = self._part(step, self._seen(step, nodes, outs, lengths))
                for name, kept in tensors.items():
                    if found.setdefault(f"{node.weights}/{name}", kept) != kept:
                        raise SpaceError("two places that share these weights keep different parts of them")
            except SpaceError as error:
                raise SpaceError(str(error), where=f"{node.op} at {node.weights}" if node.weights else node.op) from None
            outs.append(part)
        return found

    def _seen(self, step: Step, nodes: Sequence[Node], outs: Sequence[Part], lengths: dict[str, int]) -> list[Part]:
        """What a node reads. Across the edge of a recurrence one step or all: the small network's is known, the large one's
        follows. ``lengths``: steps of the large one's recurrences."""
        seen = []
        scope = step.node.scope
        for i, small in zip(step.node.inputs, step.inputs, strict=True):
            if i < 0 and not scope:
                seen.append(_all_of(small))
                continue
            theirs = nodes[i].scope if i >= 0 else ""
            part = outs[i] if i >= 0 else _all_of(self.signature.input(i))
            large = part.large
            if theirs != scope:
                large = leaving(large, lengths[theirs]) if theirs else large
                if scope:
                    lengths.setdefault(scope, large.shape[0])
                    large = entering(large)
            seen.append(Part(large, small, part.kept))
        return seen

    def _part(self, step: Step, inputs: list[Part]) -> tuple[Part, dict[str, tuple[Indices, ...]]]:
        """A node's output as a part of the supernet's, and the parts of its tensors."""
        node = step.node
        own = {**step.layer.weights(step.inputs, step.attrs), **step.layer.buffers(step.inputs, step.attrs)}
        op, attrs = self._large.get(node.weights, ("sum", ()))  # some options added up: no node where all are mixed
        if op != node.op:
            raise SpaceError("the supernet, which adds up what it mixes, has no such layer here")
        if attrs == node.attrs and all(_whole_part(x) for x in inputs):
            if any(self.tensors.get(f"{node.weights}/{name}", ((), True))[0] != shape for name, shape in own.items()):
                raise SpaceError("the supernet's layer has another shape")
            return _all_of(step.output), {name: tuple(map(range, shape)) for name, shape in own.items()}
        large = dict(attrs)
        out = step.layer.shape([x.large for x in inputs], large)
        cut = step.layer.cut(inputs, large, step.attrs)
        part = Part(out, step.output, _tidy(cut.kept))
        _check(part.kept, _channels(step.output), _channels(out), "output")
        tensors = {}
        for name, shape in own.items():
            if name not in cut.tensors or f"{node.weights}/{name}" not in self.tensors:
                raise SpaceError(f"the supernet's layer has no {name}")
            tensors[name] = tuple(map(_tidy, cut.tensors[name]))
            for kept, size, most in zip(tensors[name], shape, self.tensors[f"{node.weights}/{name}"][0], strict=True):
                _check(kept, size, most, name)
        return part, tensors


def supernet_refusal(space: Space, signature: Signature) -> str:
    """Why the space has no supernet for such data; empty where it has one."""
    try:
        Supernet(space, signature)
    except SpaceError as error:
        return str(error)
    return ""


# ---- unfolding ----------------------------------------------------------------------------------------------------------


def _whole(space: Space) -> Architecture:
    """As :func:`~netwright.core.picks.everything`, with an end."""
    asked = 0

    def pick(path: str, hole: Hole) -> Answer:
        nonlocal asked
        asked += 1
        if asked > MOST_DECISIONS:
            raise SpaceError(f"unfolded whole it has more than {MOST_DECISIONS} decisions", where=space.name)
        return ALL

    return unfold(space, pick)


def _probes(space: Space) -> Iterator[Architecture]:
    """Members to try the rules on: the smallest, some that together show each option, and random ones."""

    def smallest(path: str, hole: Hole) -> Answer:
        numbers = all(isinstance(option, (int, float)) for option in hole.options)
        return hole.at(hole.options.index(min(hole.options)) if numbers else 0)

    most = 1

    def every(i: int) -> Pick:
        def pick(path: str, hole: Hole) -> Answer:
            nonlocal most
            most = max(most, len(hole.options))
            return hole.at(i % hole.count)

        return pick

    yield unfold(space, smallest)
    i = 0
    while i < most:
        yield unfold(space, every(i))
        i += 1
    for i in range(PROBES):
        yield unfold(space, at_random(stream(0, i, "supernet")))


# ---- indices ------------------------------------------------------------------------------------------------------------


def _channels(x: Tensor) -> int:
    """Size of the axis that holds channels: the second where time is the first (sequences, maps over time), else the first."""
    return x.shape[1] if len(x.shape) in (2, 4) else x.shape[0] if x.shape else 1


@cache
def _all_of(x: Tensor) -> Part:
    return Part(x, x, range(_channels(x)))


def _whole_part(x: Part) -> bool:
    return x.large == x.small and x.kept == range(_channels(x.large))


def _tidy(kept: Indices) -> Indices:
    """Neighbours in order as a range, which costs no copy of a tensor's first axis."""
    if isinstance(kept, range) or not kept:
        return kept
    run = range(kept[0], kept[0] + len(kept))
    return run if all(a == b for a, b in zip(kept, run, strict=True)) else kept


def _check(kept: Indices, size: int, most: int, what: str) -> None:
    """The rules of layers are kept honest here: as many indices as the small axis has, each once, all inside the large one."""
    if len(kept) != size or (size and not 0 <= min(kept) <= max(kept) < most) or len(set(kept)) != size:
        raise SpaceError(f"{size} of the supernet's {most} are wanted of its {what}, which it does not hold")
