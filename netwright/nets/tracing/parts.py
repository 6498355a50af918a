"""Layers in a row as an expression: nested as the module is nested, repeated blocks as repeats, holes where they may change."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from torch import nn

from netwright.core.terms import Choice, Graph, Repeat, Seq, Term, op
from netwright.nets.tracing.items import Item
from netwright.nets.tracing.widths import WIDE, Widths

__all__ = ["Part", "Writer", "tree"]

KERNELS = {3: (3, 5, 7), 5: (5, 3), 7: (7, 5, 3)}
"""Kernel → what is offered, the original first."""

KINDS = {
    "relu": ("relu", "silu", "hardswish"),
    "relu6": ("relu6", "hardswish", "silu"),
    "gelu": ("gelu", "relu", "silu"),
    "silu": ("silu", "relu", "hardswish"),
    "hardswish": ("hardswish", "relu", "silu"),
    "leaky_relu": ("leaky_relu", "relu", "silu"),
    "elu": ("elu", "relu", "silu"),
    "tanh": ("tanh", "relu", "silu"),
}
"""Activation → what is offered, the original first. A sigmoid is a gate and stays."""

LONGEST_PERIOD = 6
"""Parts of a row that may be one block."""

_INPUTS = {"x", *(f"x{i}" for i in range(1, 10))}


@dataclass
class Part:
    """A layer, or layers with one input and one output. ``items`` in order; ``entry``: the one value from outside."""

    name: str
    path: tuple[str, ...]
    items: tuple[int, ...]
    children: tuple[Part, ...] = ()
    entry: int = -1

    @property
    def out(self) -> int:
        return self.items[-1]


def tree(items: Sequence[Item]) -> tuple[Part, ...]:
    """The layers nested by the names of the submodules they stand in, wherever such a submodule has one input and output."""
    users: dict[int, set[int]] = {}
    for place, item in enumerate(items):
        for source in item.inputs:
            users.setdefault(source, set()).add(place)
    users.setdefault(len(items) - 1, set()).add(len(items))

    def level(members: Sequence[int], depth: int) -> list[Part]:
        groups: dict[tuple[str, int], list[int]] = {}
        for place in members:  # a layer may bear the name of a submodule
            path = items[place].path
            groups.setdefault((path[depth], len(path) == depth + 1), []).append(place)
        found: list[Part] = []
        for (name, leaf), inside in groups.items():
            path = items[inside[0]].path[: depth + 1]
            if leaf or len(inside) == 1:
                found += [Part(name, path, (place,)) for place in inside]
                continue
            own = set(inside)
            entries = {source for place in inside for source in items[place].inputs} - own
            ends = [place for place in inside if users.get(place, set()) - own]
            children = level(inside, depth + 1)
            if len(entries) == 1 and len(ends) == 1:
                alone = len(children) == 1
                ordered = tuple(place for child in children for place in child.items)
                found.append(Part(name, path, ordered, children[0].children if alone else tuple(children), entries.pop()))
            else:
                for child in children:
                    child.name = f"{name}.{child.name}"
                found += children
        found.sort(key=lambda part: min(part.items))
        return _distinct(found)

    return tuple(level(range(len(items)), 0))


def _distinct(parts: list[Part]) -> list[Part]:
    taken: set[str] = set(_INPUTS)
    for part in parts:
        while part.name in taken:
            part.name += "_"
        taken.add(part.name)
    return parts


def _shared(paths: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """What all of them begin with."""
    same = [len(set(names)) == 1 for names in zip(*paths, strict=False)]
    return paths[0][: same.index(False) if False in same else len(same)]


class Writer:
    """Turns parts into terms. ``free`` says of a dotted name whether its layers may change."""

    def __init__(self, module: nn.Module, items: Sequence[Item], widths: Widths, free: Callable[[str], bool]) -> None:
        self.items, self.widths, self.free = items, widths, free
        self.names: dict[int, str] = {}
        self.modules = dict(module.named_modules())
        self.readers: dict[int, set[int]] = {}
        for place, item in enumerate(items):
            for source in item.inputs:
                self.readers.setdefault(source, set()).add(place)

    # ---- layers

    def layer(self, place: int) -> Term:
        item, attrs = self.items[place], dict(self.items[place].attrs)
        free = self.free(item.name)
        if item.op in WIDE and attrs.get("groups", 1) != 0:
            hole = self.widths.hole(place, self._name(place))
            attrs[WIDE[item.op]] = hole if isinstance(hole, Choice) else attrs[WIDE[item.op]]
        if item.op in ("conv", "conv1d") and free and "padding" not in attrs and attrs["kernel"] in KERNELS:
            attrs["kernel"] = Choice(*KERNELS[attrs["kernel"]])
        if item.op == "activation" and free and attrs["kind"] in KINDS:
            return Choice(*(op("activation", kind=kind) for kind in KINDS[attrs["kind"]]))
        if item.op in ("max_pool", "avg_pool") and free:
            other = {"max_pool": "avg_pool", "avg_pool": "max_pool"}[item.op]
            return Choice(op(item.op, **attrs), op(other, **attrs))
        return op(item.op, **attrs)

    def _name(self, place: int) -> str:
        """Of the width that several layers share; a width of one layer needs none."""
        number = self.widths.number(place)
        producers = self.widths.groups[number].producers
        if len(producers) < 2:
            return ""
        if not self.names:
            shared = [group for group in self.widths.groups if len(group.producers) > 1 and not group.rigid]
            stems = ["_".join(_shared([self.items[i].path for i in group.producers])) for group in shared]
            for group, stem in zip(shared, stems, strict=True):
                first = "_".join(self.items[min(group.producers)].path)
                self.names[id(group)] = f"width_{stem if stem and stems.count(stem) == 1 else first}"
        return self.names.get(id(self.widths.groups[number]), "")

    # ---- parts

    def term(self, part: Part) -> Term:
        return self.whole(part.children, part.entry) if part.children else self.layer(part.out)

    def whole(self, children: Sequence[Part], entry: int) -> Term:
        """Parts that lead from one value to the output of the last."""
        nodes: list[tuple[str, Term, tuple[str, ...]]] = []
        made = {entry: "x"}
        chain, place = True, 0
        while place < len(children):
            first = children[place]
            period, times = self._run(children, place)
            reads = (first.entry,) if first.children else self.items[first.out].inputs
            if times:
                body = children[place : place + period]
                term: Term = Repeat(self._row(body), Choice(*times))
                count = period * times[0]
            else:
                term, count = self.term(first), 1
            last = children[place + count - 1]
            chain = chain and reads == ((children[place - 1].out if place else entry),)
            nodes.append((first.name, term, tuple(made[source] for source in reads)))
            made[last.out] = first.name
            place += count
        if len(nodes) == 1 and nodes[0][2] == ("x",):
            return nodes[0][1]
        if chain and all(name.isdigit() for name, _, _ in nodes):
            return Seq(*(term for _, term, _ in nodes))
        return Graph(nodes, made[children[-1].out])

    def _row(self, parts: Sequence[Part]) -> Term:
        return self.term(parts[0]) if len(parts) == 1 else Seq(*map(self.term, parts))

    # ---- repeated blocks

    def _run(self, children: Sequence[Part], start: int) -> tuple[int, tuple[int, ...]]:
        """Length of the block that is repeated from here, and how often it may be: the longest run, the shortest block."""
        best: tuple[int, tuple[int, ...]] = (1, ())
        for period in range(1, min(LONGEST_PERIOD, len(children) - start) + 1):
            times = self._times(children, start, period)
            if times and period * times[0] > best[0] * (best[1][0] if best[1] else 0):
                best = period, times
        return best

    def _times(self, children: Sequence[Part], start: int, period: int) -> tuple[int, ...]:
        blocks: list[Sequence[Part]] = []
        here = start
        while here + period <= len(children) and self._row_from(children, here, period):
            block = children[here : here + period]
            if blocks and self._key(block) != self._key(blocks[0]):
                break
            blocks.append(block)
            here += period
        if not blocks or not self._block(blocks[0]):
            return ()
        before = children[max(0, start - period) : start]
        kept = [self._kind(part) for part in before] == [self._kind(part) for part in blocks[0]]
        kept = kept and self._row_from(children, start - period, period) and self._follows(children, start)
        fewest = 0 if kept else 1
        stops = [count for count in range(len(blocks) - 1, fewest - 1, -1) if self._may_stop(blocks, count)]
        return (len(blocks), *stops) if stops else ()

    def _follows(self, children: Sequence[Part], place: int) -> bool:
        """Whether a part reads only what the one before it gives, and is the only one to read it."""
        part, before = children[place], children[place - 1]
        reads = {part.entry} if part.children else set(self.items[part.out].inputs)
        return reads == {before.out} and self.readers[before.out] <= set(part.items)

    def _row_from(self, children: Sequence[Part], start: int, period: int) -> bool:
        if start < 0:
            return False
        inside = all(self._follows(children, place) for place in range(start + 1, start + period))
        first = children[start]
        single = len({first.entry} if first.children else set(self.items[first.out].inputs)) == 1
        return inside and single

    def _entry(self, part: Part) -> int:
        return part.entry if part.children else self.items[part.out].inputs[0]

    def _block(self, block: Sequence[Part]) -> bool:
        """Whether it keeps the shape, has weights that matter, begins with them where it has no name, and may change."""
        entry = self._entry(block[0])
        if entry < 0 or self.items[entry].output != self.items[block[-1].out].output:
            return False
        ops = [self.items[place].op for part in block for place in part.items]
        heavy = any(name in WIDE or name == "attention" for name in ops)
        named = len(block) == 1 and bool(block[0].children)
        return heavy and (named or ops[0] in WIDE) and all(self.free(".".join(part.path)) for part in block)

    def _kind(self, part: Part) -> Any:
        if not part.children:
            item = self.items[part.out]
            return item.op, {name: value for name, value in item.attrs.items() if name != WIDE.get(item.op)}
        found = self.modules.get(".".join(part.path))
        if found is None or type(found).__module__.startswith("torch.nn"):  # a plain container says nothing
            return tuple(self.items[place].op for place in part.items)
        return type(found)

    def _key(self, block: Sequence[Part]) -> Any:
        """Equal for blocks that are one expression, holes included."""
        places = [place for part in block for place in part.items]
        relative = {place: k for k, place in enumerate(places)}
        own: dict[int, int] = {}
        rows = []
        for part in block:
            for place in part.items:
                item, number = self.items[place], self.widths.number(place)
                group = self.widths.groups[number]
                inside = set(group.producers) | set(group.ties) <= set(places) and bool(group.producers)
                label = ("own", own.setdefault(number, len(own)), group.rigid, group.step) if inside else ("shared", number)
                reads = tuple(relative.get(source, -1) for source in item.inputs)
                attrs = tuple(sorted(item.attrs.items()))
                rows.append((item.path[len(part.path) :], item.op, attrs, reads, label, self.free(item.name), item.output.shape))
        return tuple(rows)

    def _may_stop(self, blocks: Sequence[Sequence[Part]], count: int) -> bool:
        """Whether what comes after the run can read what block ``count`` gives (0: what the first one reads)."""
        end, stop = blocks[-1][-1].out, blocks[count - 1][-1].out if count else self._entry(blocks[0][0])
        if self.widths.number(end) == self.widths.number(stop):
            return True
        last, early = self.widths.of(end), self.widths.of(stop)
        if last.rigid and early.rigid:
            return last.size == early.size
        inside = {place for part in blocks[-1] for place in part.items}
        return set(last.producers) | set(last.ties) <= inside and last.step == 1 and not last.bound
