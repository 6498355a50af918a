"""Which layers of a network must keep one width: those that meet in a sum, or whose channels are another's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import lcm, prod

from netwright.core.terms import Choice
from netwright.nets.tracing.items import Item

__all__ = ["SHARES", "WIDE", "Group", "Widths"]

WIDE = {"conv": "width", "conv1d": "width", "linear": "units", "rnn": "units", "gru": "units", "lstm": "units"} | {
    "embedding": "units"
}
"""Layers that set a width → the attribute that says it."""

SHARES = (0.75, 0.5)
"""Of the original width, what is offered beside it."""


@dataclass
class Group:
    """Values of one width. ``producers``: items that set it; ``ties``: sums in which several of them meet; ``step``: what it
    must be a multiple of; ``parts``: groups of which it is made; ``bound``: its size cannot change; ``fixed``: it is not to."""

    size: int
    producers: list[int] = field(default_factory=list)
    ties: list[int] = field(default_factory=list)
    parts: list[int] = field(default_factory=list)
    step: int = 1
    bound: bool = False
    fixed: bool = False

    @property
    def rigid(self) -> bool:
        return self.bound or self.fixed or not self.producers


class Widths:
    """The groups of a network's values, by union-find over its sums."""

    def __init__(self, items: Sequence[Item], free: Callable[[str], bool]) -> None:
        self.items = items
        self.groups: list[Group] = []
        self.parent: list[int] = []
        self.out: list[int] = []
        self.entry = self._new(0, bound=True)
        for place, item in enumerate(items):
            self.out.append(self._add(place, item, free(item.name)))
        self._bind(self.out[-1])

    def of(self, value: int) -> Group:
        """The group of an item's output, or of the network's input."""
        return self.groups[self.number(value)]

    def number(self, value: int) -> int:
        return self._find(self.out[value] if value >= 0 else self.entry)

    def _find(self, number: int) -> int:
        while self.parent[number] != number:
            self.parent[number] = number = self.parent[self.parent[number]]
        return number

    def _new(self, size: int, *parts: int, bound: bool = False) -> int:
        self.groups.append(Group(size, parts=list(parts), bound=bound))
        self.parent.append(len(self.parent))
        return len(self.parent) - 1

    def _add(self, place: int, item: Item, free: bool) -> int:
        inputs = [self._find(self.out[i] if i >= 0 else self.entry) for i in item.inputs]
        first, groups = inputs[0], item.attrs.get("groups", 1)
        shape = item.output.shape
        size = shape[1] if len(shape) == 2 else shape[0]
        if item.op in WIDE and groups != 0:
            made = self._new(size)
            self.groups[made].producers.append(place)
            self.groups[made].fixed = not free
            for number in (first, made) if groups > 1 else ():
                self.groups[number].step = lcm(self.groups[number].step, groups)
            return made
        if item.op in ("sum", "product", "gate"):
            for other in inputs[1:]:
                first = self._union(first, self._find(other))
            self.groups[first].ties.append(place)
            return first
        if item.op == "concat" or (item.op == "flatten" and prod(shape) != self.groups[first].size):
            return self._new(size, *inputs)
        if item.op == "conv" and item.attrs.get("ratio", 1) != 1:
            return self._new(size, first)
        if item.op == "transpose":
            self._bind(first)
            return self._new(size, bound=True)
        if item.op == "attention":
            self.groups[first].step = lcm(self.groups[first].step, item.attrs["heads"])
        return first

    def _union(self, a: int, b: int) -> int:
        if a == b:
            return a
        first, second = self.groups[a], self.groups[b]
        self.parent[b] = a
        first.producers += second.producers
        first.ties += second.ties
        first.step = lcm(first.step, second.step)
        first.fixed |= second.fixed
        made_of = first.parts + second.parts
        if first.bound or second.bound or made_of:
            first.parts = made_of
            first.bound = False
            self._bind(a)
        return a

    def _bind(self, number: int) -> None:
        group = self.groups[self._find(number)]
        if not group.bound:
            group.bound = True
            for part in group.parts:
                self._bind(part)

    def options(self, group: Group) -> tuple[int, ...]:
        """The original width, then the others that are offered; one alone where it cannot change."""
        if group.rigid:
            return (group.size,)
        step = lcm(group.step, 8 if group.size >= 64 else 4 if group.size >= 16 else 1)
        if group.size % step:
            step = group.step
        found = [max(step, round(group.size * share / step) * step) for share in SHARES]
        return tuple(dict.fromkeys([group.size, *(size for size in found if size < group.size)]))

    def hole(self, value: int, name: str) -> Choice | int:
        """The width of an item's output: a hole, or the number where there is one option."""
        group = self.of(value)
        found = self.options(group)
        return Choice(*found, name=name) if len(found) > 1 else group.size
