"""The graph of a recurrent cell, run once per time step, after NAS-Bench-NLP or ENAS; cells stacked on one another are the same.

NAS-Bench-NLP (Klyuchnikov et al. 2020, arXiv:2006.07116): up to 15 nodes, each a linear layer over two or three values, an
activation, a sum, a product or a blend; up to three states. ENAS (Pham et al. 2018, arXiv:1802.03268): gated nodes that each
choose an earlier node and an activation; the mean of those that nobody reads is the output and the state.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from netwright.core.architecture import Answer, Architecture, Signature
from netwright.core.contracts import Need
from netwright.core.space import Choice, Graph, Let, Op, Recur, Seq, Space, Term, op
from netwright.errors import SpaceError

__all__ = ["PUBLISHED", "needs", "offers", "recipe", "space", "trace"]

needs = frozenset({Need.SEQUENCES})
offers: frozenset[Need] = frozenset()

PUBLISHED: Mapping[str, Any] = {"layers": 3, "units": 600, "embedding": 400, "exact": True}
"""Settings with which NAS-Bench-NLP was trained."""

NODES = 15
"""As many as the largest cell of NAS-Bench-NLP's tables has."""

_STATES = ("h0", "h1", "h2")
_OPS = (
    "linear(x, a)",
    "linear(x, a, b)",
    "linear(a, b)",
    "linear(a, b, c)",
    "tanh(a)",
    "sigmoid(a)",
    "leaky_relu(a)",
    "sum(a, b)",
    "product(a, b)",
    "blend(a, b, c)",
)
_NAMES = {
    "linear": "linear",
    "activation_tanh": "tanh",
    "activation_sigm": "sigmoid",
    "activation_leaky_relu": "leaky_relu",
    "elementwise_sum": "sum",
    "elementwise_prod": "product",
    "blend": "blend",
}
"""Operation in a published recipe → here."""

_HOW_MANY = Choice(1, 2, 3, name="cell.states")

_Nodes = dict[str, tuple[str, tuple[str, ...]]]
"""A cell: value → operation, and the values it reads: the input ``x``, the states of the step before, earlier nodes."""


def space(
    signature: Signature,
    *,
    style: str = "nasbench_nlp",
    nodes: int = 0,
    layers: int = 1,
    units: int = 64,
    embedding: int = 64,
    codes: int = 0,
    exact: bool = False,
) -> Space:
    """Cells over sequences of vectors, or of codes (``codes`` of them, embedded first).

    ``nodes``: at most 15 (nasbench_nlp), or 12 (enas). A head of shape (time, n) gives an output at each step, any other reads
    the mean over time. A language model's last cell has ``embedding`` units. ``exact``: cells of NAS-Bench-NLP as they were
    published. Else parts that never reach the output are left out, a linear layer over the input is added where the input
    never does, and a tanh where a state could grow without bound.
    """
    x, head = signature.inputs[0][1], signature.heads[0][1].shape
    words, each_step = x.dtype != "float32", len(head) == 2
    if style not in _STYLES:
        raise SpaceError(f"unknown style {style!r}", where="recurrent_cell", todo=f"Known: {', '.join(_STYLES)}.")
    make, holes, most = _STYLES[style]
    asked = holes(nodes or most)
    if exact and style == "nasbench_nlp":
        asked["states"] = _HOW_MANY
    if words and not (codes or each_step):
        raise SpaceError("how many codes there are is not known", where="recurrent_cell", todo="Say it: --set codes=5000.")
    parts: list[Term] = [op("embedding", count=codes or head[-1], units=embedding)] if words else []
    for layer in range(layers):
        width = embedding if words and each_step and layer == layers - 1 else units
        parts.append(Recur(Let(make(width), **asked)))
    parts += [op("linear", units=head[-1])] if each_step else [op("time_pool"), op("linear", units=head[-1])]
    return Space(Seq(*parts), name="recurrent_cell", signature=signature)


# ---- NAS-Bench-NLP ----------------------------------------------------------------------------------------------------


def _nlp_holes(nodes: int) -> dict[str, Choice]:
    """For each node its operation, and its inputs among the states and earlier nodes: each among those that are left."""
    holes: dict[str, Choice] = {}
    for k in range(nodes):
        holes[f"op{k}"] = Choice(*_OPS, name=f"cell.op{k}")
        for taken, letter in enumerate("abc"):
            holes[f"{letter}{k}"] = Choice(*range(len(_STATES) + k - taken), name=f"cell.{letter}{k}")
    return holes | {f"new{i}": Choice(*range(nodes), name=f"cell.new{i}") for i in range(len(_STATES))}


@dataclass(frozen=True)
class _NasBenchNlp:
    """The nodes that matter: see ``exact``."""

    units: int

    def __call__(self, **chosen: Any) -> Term:
        nodes, new, live = _cell(chosen)
        parts: list[tuple[str, Term, tuple[str, ...]]] = [
            (state, Op("state", (("name", state), ("units", self.units))), ("x",)) for state in new if state in live
        ]
        for name, (kind, reads) in nodes.items():
            if name not in live:
                continue
            if kind == "linear":
                parts += [(f"{name}in", op("concat"), reads), (name, op("linear", units=self.units), (f"{name}in",))]
            else:
                parts.append((name, op(kind) if kind in ("sum", "product", "blend") else op("activation", kind=kind), reads))
        parts += [(f"{state}new", op("carry"), (state, new[state])) for state in new if state in live]
        return Graph(parts, "h0new" if "h0" in live else new["h0"])


def _cell(chosen: Mapping[str, Any]) -> tuple[_Nodes, dict[str, str], set[str]]:
    """The nodes, the node that is the new value of each state, and what of all that is laid."""
    nodes: _Nodes = {}
    while f"op{len(nodes)}" in chosen:
        k = len(nodes)
        left = [*_STATES, *nodes]
        given = {"x": "x", **{letter: left.pop(chosen[f"{letter}{k}"]) for letter in "abc"}}
        kind, _, reads = chosen[f"op{k}"][:-1].partition("(")
        nodes[f"n{k}"] = kind, tuple(given[letter] for letter in reads.split(", "))
    new = {state: f"n{chosen[f'new{i}']}" for i, state in enumerate(_STATES)}
    if "states" in chosen:
        return nodes, new, _live(nodes, new, _STATES[: chosen["states"]])
    if not _reached(nodes, new):  # a product with a state that stays zero, say
        nodes |= {"nx": ("linear", ("x", "h0")), "ny": ("sum", (new["h0"], "nx"))}
        new["h0"] = "ny"
    growth = _growth(nodes)
    live = _live(nodes, new, _STATES[:1])
    for state in _STATES:
        if state in live and growth[new[state]] > 1:
            nodes[f"n{state}"] = "tanh", (new[state],)
            new[state] = f"n{state}"
    return nodes, new, _live(nodes, new, _STATES[:1])


def _live(nodes: _Nodes, new: Mapping[str, str], states: Sequence[str]) -> set[str]:
    """All that the new values of these states depend on, at this step or at one before."""
    live: set[str] = set()
    ahead = [new[state] for state in states]
    while ahead:
        value = ahead.pop()
        if value not in live:
            live.add(value)
            ahead += nodes[value][1] if value in nodes else [new[value]] if value in new else []
    return live


def _reached(nodes: _Nodes, new: Mapping[str, str]) -> bool:
    """Whether the input makes a difference to the output in the end, states being zero at first and biases too."""
    moved, some = {"x"}, {"x"}  # what depends on the input; what is not always zero
    before = 0
    while before != len(moved) + len(some):
        before = len(moved) + len(some)
        for name, (kind, reads) in [*nodes.items(), *((state, ("same", (node,))) for state, node in new.items())]:
            m, s = [read in moved for read in reads], [read in some for read in reads]
            if kind == "product":
                here, not_zero = (m[0] and s[1]) or (m[1] and s[0]), all(s)
            elif kind == "blend":
                here, not_zero = (m[0] and (s[1] or s[2])) or (m[1] and s[0]) or m[2], s[2] or (s[0] and s[1])
            else:
                here, not_zero = any(m), any(s) or kind == "sigmoid"
            moved |= {name} if here else set()
            some |= {name} if not_zero else set()
    return new["h0"] in moved


def _growth(nodes: _Nodes) -> dict[str, float]:
    """How many times the largest state each value may be, but for what does not depend on it; weights taken as small."""
    growth = {"x": 0.0, **dict.fromkeys(_STATES, 1.0)}
    kinds = {name: kind for name, (kind, _) in nodes.items()}
    for name, (kind, reads) in nodes.items():
        g, small = [growth[read] for read in reads], [kinds.get(read) in ("tanh", "sigmoid") for read in reads]
        match kind:
            case "tanh" | "sigmoid":
                growth[name] = 0.0
            case "sum":
                growth[name] = sum(g)
            case "product" if any(small):
                growth[name] = g[small.index(True) ^ 1]
            case "blend" if kinds.get(reads[0]) == "sigmoid":
                growth[name] = max(g)
            case "product" | "blend":
                growth[name] = math.inf if any(g) else 0.0
            case _:
                growth[name] = max(g)
    return growth


def trace(row: Mapping[str, Any]) -> dict[str, Answer]:
    """The decisions of a published recipe: ``{"f": {"op": "linear", "input": ["x", "h_prev_0"]}, "h_new_0": …}``."""
    given: Mapping[str, Any] = row["recepie"]
    if "h_new_0" not in given:
        raise SpaceError("no node is called 'h_new_0'", where="recepie")
    names = {f"h_prev_{i}": state for i, state in enumerate(_STATES)} | {"x": "x"}
    left = dict(given)
    answers: dict[str, Answer] = {hole.name: 0 for hole in _nlp_holes(NODES).values()}
    for k in range(len(given)):
        ready = next((name for name, node in left.items() if all(read in names for read in node["input"])), None)
        if ready is None:
            raise SpaceError(f"{min(left)!r} reads what is not there, or itself", where="recepie")
        if k == NODES:
            raise SpaceError(f"it has more than {NODES} nodes", where="recepie")
        kind, read = left[ready]["op"], [names[name] for name in left.pop(ready)["input"]]
        earlier = [value for value in read if value != "x"]
        text = f"{_NAMES.get(kind, kind)}({', '.join(['x'] * ('x' in read) + [*'abc'][: len(earlier)])})"
        if text not in _OPS:
            raise SpaceError(f"{ready!r} is no {text}", where="recepie", todo=f"Known: {'; '.join(_OPS)}.")
        answers[f"cell.op{k}"] = _OPS.index(text)
        sources = [*_STATES, *(f"n{i}" for i in range(k))]
        for letter, value in zip("abc", earlier, strict=False):
            answers[f"cell.{letter}{k}"] = sources.index(value)
            sources.remove(value)
        names[ready] = f"n{k}"
    for i in range(len(_STATES)):
        answers[f"cell.new{i}"] = int(names.get(f"h_new_{i}", "n0")[1:])
    return answers | {"cell.states": sum(f"h_new_{i}" in given for i in range(len(_STATES))) - 1}


def recipe(architecture: Architecture) -> dict[str, Any]:
    """The cell as a recipe of NAS-Bench-NLP, its nodes named in their order."""
    decisions = architecture.decisions
    holes = _nlp_holes(NODES) | {"states": _HOW_MANY}
    chosen = {key: hole.options[answer] for key, hole in holes.items() if isinstance(answer := decisions.get(hole.name), int)}
    nodes, new, live = _cell(chosen)
    kept = [i for i, state in enumerate(_STATES) if state in live or i < chosen.get("states", 1)]
    made = {new[_STATES[i]]: f"h_new_{i}" for i in reversed(kept)}
    names = {"x": "x"} | {state: f"h_prev_{i}" for i, state in enumerate(_STATES)}
    names |= {name: made.get(name, f"node_{name[1:]}") for name in nodes}
    published = {ours: theirs for theirs, ours in _NAMES.items()}
    return {
        names[name]: {"op": published[kind], "input": [names[read] for read in reads]}
        for name, (kind, reads) in nodes.items()
        if name in live
    }


# ---- ENAS -------------------------------------------------------------------------------------------------------------


def _enas_holes(nodes: int) -> dict[str, Choice]:
    acts = ("tanh", "relu", "identity", "sigmoid")
    holes = {f"act{k}": Choice(*acts, name=f"cell.act{k}") for k in range(nodes)}
    return holes | {f"from{k}": Choice(*range(k), name=f"cell.from{k}") for k in range(1, nodes)}


@dataclass(frozen=True)
class _Enas:
    """Weights of a node belong to the pair of it and the node it reads."""

    units: int

    def __call__(self, **chosen: Any) -> Term:
        parts: list[tuple[str, Term, tuple[str, ...]]] = [
            ("h", Op("state", (("name", "h"), ("units", self.units))), ("x",)),
            ("in", op("concat"), ("x", "h")),
        ]
        loose: dict[str, None] = {}
        for k in range(sum(key.startswith("act") for key in chosen)):
            last = f"n{chosen[f'from{k}']}" if k else "h"
            reads, edge, act = (last if k else "in",), f"{k}{last}", chosen[f"act{k}"]
            parts += [
                (f"c{edge}", op("linear", units=self.units, bias=False), reads),
                (f"gate{k}", op("activation", kind="sigmoid"), (f"c{edge}",)),
                (f"v{edge}", op("linear", units=self.units, bias=False), reads),
                (f"act{k}", op("identity") if act == "identity" else op("activation", kind=act), (f"v{edge}",)),
                (f"n{k}", op("blend"), (f"gate{k}", f"act{k}", last)),
            ]
            loose.pop(last, None)
            loose[f"n{k}"] = None
        return Graph([*parts, ("mean", op("mean"), tuple(loose)), ("out", op("carry"), ("h", "mean"))])


_STYLES: Mapping[str, tuple[Callable[[int], Callable[..., Term]], Callable[[int], dict[str, Choice]], int]] = {
    "nasbench_nlp": (_NasBenchNlp, _nlp_holes, NODES),
    "enas": (_Enas, _enas_holes, 12),
}
"""Style → what lays a cell of so many units, the holes of so many nodes, the published number of nodes."""
