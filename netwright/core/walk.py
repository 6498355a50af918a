"""The one recursion: it asks at each hole of an expression and lays the answer, part by part."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from netwright.core.architecture import Answer
from netwright.core.block import NETWORK, Block, Builder, Leaf
from netwright.core.terms import (
    Branches,
    Cell,
    Choice,
    Edge,
    Graph,
    Hole,
    Input,
    Let,
    Op,
    Recur,
    Ref,
    Repeat,
    Seq,
    Subset,
    Term,
    Tie,
)
from netwright.core.wellformed import check, holds_holes
from netwright.errors import SpaceError

if TYPE_CHECKING:
    from netwright.core.space import Space

__all__ = ["ALL", "Laid", "Pick", "Walk"]

MADE = 4096
"""Blocks of what Lets made that are kept at most, for functions that give the same terms again and again."""

ALL: Final = None
"""The answer that keeps every option: a supernet's way."""

Pick = Callable[[str, Hole], Answer]
"""What answers a hole, given its path: an index, a set of indices to keep, or :data:`ALL`."""


class Walk:
    """State of one unfolding: the decisions taken, and the blocks of parts that may come again. ``only_asks``: what a Let
    makes is not laid, as nothing is asked in it."""

    def __init__(self, space: Space, pick: Pick, only_asks: bool = False) -> None:
        self.space, self.pick, self.only_asks = space, pick, only_asks
        self.trace: dict[str, Answer] = {}
        self.laid, self.open = space._laid, space._open
        self.tied: dict[tuple[int, str, int], Block] = {}
        self.at = space.listing.root if space.listing else None

    def root(self) -> tuple[Block, tuple[int, ...]]:
        builder = Builder()
        last = builder.put(self.go(self.space.body, "net", 1, 0), (-1,), "net")
        heads = self.space.heads
        outputs = [builder.put(self.go(h, f"head.{i}", 1, 0), (last,), f"head.{i}") for i, h in enumerate(heads)] or [last]
        return builder.block(outputs[0]), tuple(i - NETWORK if i < NETWORK else i for i in outputs)

    # -- decisions

    def answer(self, path: str, hole: Choice | Subset, depth: int) -> Answer:
        key = hole.name or path
        trace = self.trace
        if key in trace:
            given = trace[key]
            if isinstance(given, int) and given >= len(hole.options):
                raise SpaceError("two decisions have one path", where=key, todo="Rename one of them.")
            return given
        if depth > self.space.max_depth:
            given = hole.at(hole.count - 1)
        elif self.at is None:
            given = self.pick(key, hole)
        else:
            given = self.pick(key, self.at.limited(hole))
        if self.at is not None and depth <= self.space.max_depth:  # what was not asked is in no listing
            self.at = self.at.after(key, given, self.space.name)
        trace[key] = given
        return given

    def kept(self, path: str, hole: Choice, depth: int) -> tuple[int, ...]:
        """The indices of the options of a choice that stay: one, some, or all."""
        given = self.answer(path, hole, depth)
        if given.__class__ is int:
            return (given,)
        return tuple(range(len(hole.options))) if given is ALL else given  # type: ignore[return-value]

    def value(self, value: Any, path: str, depth: int) -> Any:
        """An attribute. Where several values are kept, a layer is built at its largest and cut to the others."""
        if not isinstance(value, Choice):
            return value
        kept = [value.options[i] for i in self.kept(path, value, depth)]
        if len(kept) > 1 and not all(isinstance(v, (int, float)) for v in kept):
            raise SpaceError(f"the options {kept} cannot be kept together: they have no largest", where=path)
        return max(kept) if len(kept) > 1 else kept[0]

    # -- parts

    def go(self, term: Term, dp: str, n: int, depth: int) -> Block:
        """The block of ``term`` over ``n`` inputs; decisions live under ``dp``."""
        key = (id(term), n)
        block = self.laid.get(key)
        if block is None:
            block = _PARTS[term.__class__](self, term, dp, n, depth)
            if not self.holds(term):
                self.laid.keep(key, term, block)
                block.many = True
        return block

    def holds(self, term: Term) -> bool:
        found = self.open.get(id(term))
        if found is None:
            found = self.open[id(term)] = holds_holes(term)
        return found

    def op(self, term: Op, dp: str, n: int, depth: int, arity: int = 1) -> Block:
        attrs = tuple((k, self.value(v, f"{dp}.{k}", depth)) for k, v in term.attrs)
        return Block((Leaf(term.name, tuple(range(-arity, 0)), attrs),), 1, 0)

    def seq(self, term: Seq, dp: str, n: int, depth: int) -> Block:
        builder, x = Builder(), tuple(range(-n, 0))
        laid, memory = self.laid, term.memory
        for i, part in enumerate(term.parts):
            block = laid.get((id(part), len(x))) or self.go(part, f"{dp}.{i}", len(x), depth)
            x = (*x, builder.put(block, x, f".{i}"))[-memory:]
        return builder.block(x[-1])

    def repeat(self, term: Repeat, dp: str, n: int, depth: int) -> Block:
        times = term.times
        counts = (times,) if isinstance(times, int) else tuple(times.options[i] for i in self.kept(f"{dp}.times", times, depth))
        builder, x = Builder(), tuple(range(-n, 0))
        ends = {0: x[-1]}
        same: dict[int, Block] = {}
        for i in range(max(counts)):
            if not term.tied:
                block = self.go(term.body, f"{dp}.{i}", len(x), depth)
            elif len(x) in same:
                block = same[len(x)]
            else:
                block = same[len(x)] = _once(self.go(term.body, f"{dp}.body", len(x), depth), f"{dp}.body")
            x = (*x, builder.put(block, x, f".{i}"))[-term.memory :]
            ends[i + 1] = x[-1]
        if len(counts) == 1:
            return builder.block(ends[counts[0]])
        assert isinstance(times, Choice)
        return builder.block(builder.leaf("mix", tuple(ends[c] for c in counts), (), ".mix", times.name or f"{dp}.times"))

    def option(self, term: Choice | Subset, i: int, dp: str, n: int, depth: int) -> Block:
        """One option, with its weights at ``=i`` of where the hole stands, or of its name where they are shared."""
        option = term.options[i]
        key = (id(term), i, n)
        known: Block | None = self.laid.get(key)
        if known is not None:
            return known
        path = f"/{term.name}={i}" if term.shared and term.name else f"={i}"
        inner = self.named(option, f"{term.name}={i}", n, depth) if term.name else self.go(option, f"{dp}={i}", n, depth)
        block = _wrapped(inner, n, path)
        if not self.holds(option):
            self.laid.keep(key, option, block)
            block.many = True
        return block

    def named(self, term: Term, name: str, n: int, depth: int) -> Block:
        """A part whose decisions are taken once, wherever it stands."""
        key = (id(term), name, n)
        block = self.tied.get(key)
        if block is None:
            block = self.tied[key] = _once(self.go(term, name, n, depth), name)
        return block

    def choice(self, term: Choice, dp: str, n: int, depth: int) -> Block:
        kept = self.kept(dp, term, depth)
        if len(kept) == 1:
            return self.option(term, kept[0], dp, n, depth)
        return self.joined(term, kept, "mix", dp, n, depth)

    def subset(self, term: Subset, dp: str, n: int, depth: int) -> Block:
        given = self.answer(dp, term, depth)
        if given is ALL:
            return self.joined(term, range(len(term.options)), "mix", dp, n, depth)
        assert isinstance(given, tuple)
        return self.joined(term, given, "sum", dp, n, depth)

    def joined(self, term: Choice | Subset, members: Sequence[int], how: str, dp: str, n: int, depth: int) -> Block:
        builder, x = Builder(), tuple(range(-n, 0))
        ends = tuple(builder.put(self.option(term, i, dp, n, depth), x, "") for i in members)
        if len(ends) == 1:
            return builder.block(ends[0])
        return builder.block(builder.leaf(how, ends, (), f".{how}", (term.name or dp) if how == "mix" else ""))

    def branches(self, term: Branches, dp: str, n: int, depth: int) -> Block:
        builder, x = Builder(), tuple(range(-n, 0))
        ends = [builder.put(self.go(part, f"{dp}.{i}", n, depth), x, f".{i}") for i, part in enumerate(term.parts)]
        if term.project:
            ends[1:] = [builder.leaf("project", (end, ends[0]), (), f".{i}.fit") for i, end in enumerate(ends[1:], 1)]
        return builder.block(ends[0] if len(ends) == 1 else builder.leaf(term.join, tuple(ends), (), f".{term.join}"))

    def cell(self, term: Cell, dp: str, n: int, depth: int) -> Block:
        builder, x = Builder(), tuple(range(-n, 0))
        states = list((x[:1] * term.inputs + x)[-term.inputs :])
        for number, edges in enumerate(term.nodes):
            how, hole = term.join, ""
            place = (edges.name if isinstance(edges, Subset) else "") or f"{dp}.{number}"
            chosen: list[tuple[int, Edge]]
            if isinstance(edges, Subset):
                given = self.answer(place, edges, depth)
                kept = range(len(edges.options)) if given is ALL else given
                if given is ALL and term.join != "sum":
                    raise SpaceError(
                        f"the edges of a node that joins them by {term.join} cannot be mixed",
                        where=place,
                        todo="It has no supernet; one that joins by sum has.",
                    )
                how, hole = ("mix", edges.name or place) if given is ALL else (term.join, "")
                chosen = [(k, edges.options[k]) for k in kept]  # type: ignore[union-attr]
            else:
                chosen = list(enumerate(edges))
            ends = []
            for k, edge in chosen:
                source = edge.source
                if isinstance(source, int):
                    start = states[source]
                else:
                    starts = tuple(states[source.options[i]] for i in self.kept(f"{place}.{k}.from", source, depth))
                    start = starts[0]
                    if len(starts) > 1:
                        name = source.name or f"{place}.{k}.from"
                        start = builder.leaf("mix", starts, (), f".{number}.{k}.from", name)
                laid = self.laid.get((id(edge.term), 1)) or self.go(edge.term, f"{place}.{k}.op", 1, depth)
                ends.append(builder.put(laid, (start,), f".{number}.{k}.op"))
            one = len(ends) == 1
            states.append(ends[0] if one else builder.leaf(how, tuple(ends), (), f".{number}.{how}", hole))
        inner = states[term.inputs :]
        if term.output == "last" or len(inner) == 1:
            return builder.block(inner[-1])
        return builder.block(builder.leaf(term.output, tuple(inner), (), f".{term.output}"))

    def graph(self, term: Graph, dp: str, n: int, depth: int) -> Block:
        builder = Builder()
        places = {"x" if i == 1 else f"x{i - 1}": -i for i in range(1, n + 1)}
        for name, part, reads in term.nodes:
            missing = [read for read in reads if read not in places]
            if missing:
                raise SpaceError(f"there are {n} inputs, so no {missing[0]!r}", where=f"{dp}.{name}")
            inputs = tuple(places[read] for read in reads)
            if isinstance(part, Op):
                key = (id(part), -len(inputs))
                block = self.laid.get(key)
                if block is None:
                    block = self.op(part, f"{dp}.{name}", n, depth, len(inputs))
                    if not self.holds(part):
                        self.laid.keep(key, part, block)
            else:
                block = self.go(part, f"{dp}.{name}", len(inputs), depth)
            places[name] = builder.put(block, inputs, f".{name}")
        return builder.block(places[term.output])

    def input(self, term: Input, dp: str, n: int, depth: int) -> Block:
        signature = self.space.signature
        names = [name for name, _ in signature.inputs] if signature else []
        if term.name not in names:
            known = f"It has {', '.join(names)}." if names else "Give the space a signature."
            raise SpaceError(f"the task has no input {term.name!r}", where=dp, todo=known)
        return Block((), 0, NETWORK - 1 - names.index(term.name))

    def recur(self, term: Recur, dp: str, n: int, depth: int) -> Block:
        builder = Builder()
        return builder.block(builder.put(self.go(term.body, dp, n, depth), tuple(range(-n, 0)), "", scoped=True))

    def let(self, term: Let, dp: str, n: int, depth: int) -> Block:
        chosen: dict[str, Any] = {}
        for key, hole in term.holes:
            given = self.answer(f"{dp}.{key}", hole, depth)
            if isinstance(hole, Choice) and isinstance(given, int):
                chosen[key] = hole.options[given]
            elif isinstance(hole, Subset) and isinstance(given, tuple):
                chosen[key] = tuple(hole.options[i] for i in given)
            else:
                raise SpaceError(
                    f"the options of {key!r} cannot be kept together: {term.rule} needs one answer",
                    where=f"{dp}.{key}",
                    todo="A space with a Let has no supernet.",
                )
        if self.only_asks:
            return Block((), 0, -1)
        try:
            made = term.make(**chosen)
        except SpaceError:
            raise
        except Exception as error:  # whatever the author's function raises is an error of his space
            raise SpaceError(f"{term.rule} failed: {type(error).__name__}: {error}", where=dp) from error
        check({dp: made}, {})
        if holds_holes(made):
            raise SpaceError(f"{term.rule} returned a term with holes", where=dp, todo="Give the holes to the Let.")
        shared = self.laid, self.open
        self.laid, self.open = self.space._made, _Closed()
        if len(self.laid) > MADE:
            self.laid.clear()
        block = _PARTS[made.__class__](self, made, dp, n, depth)
        block.many = False  # it was made for this place
        self.laid, self.open = shared
        return block

    def tie(self, term: Tie, dp: str, n: int, depth: int) -> Block:
        block = self.named(term.body, term.name, n, depth)
        return _wrapped(block, n, f"/{term.name}") if term.shared else block

    def ref(self, term: Ref, dp: str, n: int, depth: int) -> Block:
        if depth > self.space.max_depth + len(self.space.rules):
            raise SpaceError(
                f"rule {term.rule!r} unfolds without end",
                where=dp if len(dp) < 120 else f"{dp[:120]} …",
                todo="Make the last option of its choices one that does not refer to the rule again.",
            )
        return _wrapped(self.go(self.space.rules[term.rule], f"{dp}.{term.rule}", n, depth + 1), n, f".{term.rule}")


def _once(block: Block, name: str) -> Block:
    """A part whose decisions are taken once, under ``name``; one without decisions is known already."""
    if not block.many:
        block.many, block.tied = True, name
    return block


class Laid(dict[tuple[int, ...], Block]):
    """Blocks by the addresses of their terms, which live as long as the blocks are known here."""

    def keep(self, key: tuple[int, ...], term: Term, block: Block) -> None:
        self[key] = block
        block.memo.setdefault("terms", []).append(term)


class _Closed(dict[int, bool]):
    """Of the terms that a Let made: none holds holes."""

    def get(self, key: int, default: Any = None) -> bool:
        return False


def _wrapped(block: Block, n: int, path: str) -> Block:
    """The same block with its paths under ``path``."""
    if block.size == 1 and isinstance(leaf := block.items[0], Leaf):
        return Block((leaf._replace(path=_kept_shared(path, leaf.path)),), 1, block.out)
    builder = Builder()
    return builder.block(builder.put(block, tuple(range(-n, 0)), path))


def _kept_shared(path: str, more: str) -> str:
    return more if more[:1] == "/" else path + more


_PARTS: dict[type, Callable[..., Block]] = {
    Op: Walk.op,
    Seq: Walk.seq,
    Repeat: Walk.repeat,
    Choice: Walk.choice,
    Subset: Walk.subset,
    Branches: Walk.branches,
    Cell: Walk.cell,
    Graph: Walk.graph,
    Input: Walk.input,
    Recur: Walk.recur,
    Let: Walk.let,
    Tie: Walk.tie,
    Ref: Walk.ref,
}
