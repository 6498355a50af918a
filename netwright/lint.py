"""What is asked of a space before a search: how large it is, what in it is double, dead or broken, what keeps the limits."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from netwright.core.architecture import Answer, Architecture, Signature
from netwright.core.metrics import Constraint, metric
from netwright.core.picks import at_random, enumerated, neighbours, replay
from netwright.core.seeds import stream
from netwright.core.size import Size, holes, size, ways
from netwright.core.space import Hole, Space, unfold
from netwright.errors import SpaceError
from netwright.layers.canonical import canonical
from netwright.layers.counts import Counts, count, shapes
from netwright.layers.elastic import supernet_refusal
from netwright.layers.scopes import outside

__all__ = ["Finding", "Lint", "lint"]

WHOLE = 20_000
"""A space of so many members is looked at whole; of a larger one so many are drawn as are asked for."""

TRIES = 12
"""Random surroundings in which an option is tried."""

HEADS = 20
"""Members whose outputs are compared with the heads."""

SUSPECTED = 200
"""The same for a hole that seems to have no effect, or an option that seems never to fit."""

LARGEST = 10**300
"""Sizes above are written as a power of ten only: ``size_text``."""


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong with a space: ``kind`` head, unreachable, no_effect, same or never_fits, at a path."""

    kind: str
    path: str
    text: str


@dataclass
class Member:
    """The smallest or the largest that was met."""

    trace: Mapping[str, Answer]
    values: Mapping[str, float]


@dataclass
class Lint:
    """What was found out. ``looked_at`` members, ``whole``: all there are. Shares are of the members looked at."""

    name: str
    size: Size
    looked_at: int = 0
    whole: bool = False
    broken: int = 0
    """Members with a layer that does not fit its input."""
    first_error: str = ""
    distinct_seen: int = 0
    """Functionally different ones among them, by ``canonical``."""
    kept: int | None = None
    """How many keep the limits."""
    unchecked: list[str] = field(default_factory=list)
    """Limits that only a measurement can check."""
    smallest: Member | None = None
    largest: Member | None = None
    findings: list[Finding] = field(default_factory=list)
    holes_tried: int = 0
    holes: int = 0
    supernet: str = ""
    """Why there is none; empty where there is one."""
    seconds: float = 0.0

    @property
    def distinct(self) -> int | None:
        """Functionally different ones of the whole space, where all of it was looked at."""
        return self.distinct_seen if self.whole else None

    @property
    def feasible_share(self) -> float | None:
        """Members that fit and keep the limits, of those looked at; None where no limit was given."""
        return None if self.kept is None else self.kept / max(1, self.looked_at)

    @property
    def duplicate_share(self) -> float:
        """Members looked at that compute the same as another one before them."""
        return 1 - self.distinct_seen / max(1, self.looked_at - self.broken)

    def interval(self, number: int) -> tuple[float, float]:
        """A 95 % interval for a share (Wilson 1927, JASA 22:209); a point where the whole space was looked at."""
        n = max(1, self.looked_at)
        p = number / n
        if self.whole:
            return p, p
        z = 1.96
        middle, half = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        return max(0.0, (middle - half) / (1 + z * z / n)), min(1.0, (middle + half) / (1 + z * z / n))

    def to_json(self) -> dict[str, Any]:
        def member(found: Member | None) -> dict[str, Any] | None:
            if found is None:
                return None
            trace = {path: list(a) if isinstance(a, tuple) else a for path, a in found.trace.items()}
            return {**found.values, "trace": trace}

        return {
            "space": self.name,
            "size": self.size.count if self.size.count < LARGEST else None,
            "size_text": str(self.size),
            "size_exact": self.size.exact,
            "looked_at": self.looked_at,
            "whole": self.whole,
            "distinct": self.distinct,
            "distinct_seen": self.distinct_seen,
            "duplicate_share": round(self.duplicate_share, 6),
            "broken_share": self.broken / max(1, self.looked_at),
            "first_error": self.first_error,
            "feasible_share": self.feasible_share,
            "feasible_interval": None if self.kept is None else list(self.interval(self.kept)),
            "unchecked_limits": self.unchecked,
            "smallest": member(self.smallest),
            "largest": member(self.largest),
            "findings": [{"kind": f.kind, "path": f.path, "text": f.text} for f in self.findings],
            "holes": self.holes,
            "holes_tried": self.holes_tried,
            "supernet": not self.supernet,
            "supernet_refusal": self.supernet,
            "seconds": round(self.seconds, 2),
        }


def lint(
    space: Space,
    signature: Signature,
    limits: Sequence[Constraint] = (),
    *,
    members: int = 2000,
    seconds: float = 60.0,
    seed: int = 0,
    tell: Callable[[str, float], None] = lambda what, share: None,
) -> Lint:
    """Look a space over.

    ``members``: how many are drawn where there are too many to look at all. ``seconds``: for how long extremes are looked for
    and holes tried; ``holes_tried`` says how many were. ``tell``: what is being done, and how much of it is done.
    """
    began = time.monotonic()
    space = space.screened(None)
    found = Lint(space.name, size(space))
    counted = [limit for limit in limits if metric(limit.metric).source == "counted"]
    found.unchecked = [str(limit) for limit in limits if limit not in counted]
    _Look(space, signature, counted, found, seed, seconds, tell).all(members)
    found.supernet = supernet_refusal(space, signature)
    found.seconds = time.monotonic() - began
    return found


class _Look:
    """One looking over, under way."""

    def __init__(
        self,
        space: Space,
        signature: Signature,
        limits: Sequence[Constraint],
        found: Lint,
        seed: int,
        seconds: float,
        tell: Callable[[str, float], None],
    ) -> None:
        self.space, self.signature, self.limits, self.found = space, signature, limits, found
        self.seed, self.seconds, self.tell = seed, seconds, tell
        self.until = 0.0

    def all(self, members: int) -> None:
        self.members(members)
        for largest in (False, True):
            self.until = time.monotonic() + self.seconds / 6
            self.extreme(largest)
        self.until = time.monotonic() + self.seconds * 2 / 3
        self.holes()

    # -- members

    def members(self, wanted: int) -> None:
        found = self.found
        found.whole = found.size.exact and found.size.count <= WHOLE
        drawn = enumerated(self.space) if found.whole else self.drawn(wanted)
        total = found.size.count if found.whole else wanted
        seen: set[str] = set()
        laid: set[Any] = set()
        kept = asked = 0
        for member in drawn:
            asked += 1
            if asked % 50 == 0:
                self.tell("members", asked / total)
            if not found.whole and member.trace in laid:
                continue  # drawn before
            laid.add(member.trace)
            found.looked_at += 1
            counts = self.count(member)
            if counts is None:
                continue
            if found.looked_at <= HEADS:
                self.heads(member)
            seen.add(canonical(member))
            kept += all(limit.excess(counts.value(limit.metric)) <= 0 for limit in self.limits)
            self.compare(member, counts)
        found.distinct_seen = len(seen)
        found.kept = kept if self.limits else None

    def heads(self, member: Architecture) -> None:
        try:
            _check_heads(member, self.signature)
        except SpaceError as error:
            if not any(finding.kind == "head" for finding in self.found.findings):
                self.found.findings.append(Finding("head", error.where, f"does not fit the task: {error.what}"))

    def drawn(self, wanted: int) -> Iterator[Architecture]:
        for number in range(wanted):
            yield unfold(self.space, at_random(stream(self.seed, number, "lint")))

    def count(self, member: Architecture) -> Counts | None:
        try:
            counts = count(member, self.signature)
        except SpaceError as error:
            self.found.broken += 1
            self.found.first_error = self.found.first_error or str(error)
            return None
        return counts

    def compare(self, member: Architecture, counts: Counts) -> bool:
        """Keep it if it is the smallest or the largest so far, by parameters and then by FLOPs."""
        found, own = self.found, (counts.params, counts.flops)

        def of(other: Member | None) -> tuple[float, float] | None:
            return (other.values["params"], other.values["flops"]) if other else None

        low, high = of(found.smallest), of(found.largest)
        if low is not None and high is not None and low <= own <= high:
            return False
        kept = Member(member.decisions, counts.values)
        if low is None or own < low:
            found.smallest = kept
        if high is None or own > high:
            found.largest = kept
        return True

    def extreme(self, largest: bool) -> None:
        """From the smallest or largest drawn, step by step to what is smaller or larger still."""
        found = self.found
        if found.whole or found.smallest is None or found.largest is None:
            return
        rng = stream(self.seed, int(largest), "lint extremes")
        better = True
        looked = 0
        while better and looked < 4000 and time.monotonic() < self.until:
            start = found.largest if largest else found.smallest
            better = False
            for near in neighbours(self.space, unfold(self.space, replay(start.trace, at_random(rng))), rng):
                looked += 1
                if time.monotonic() > self.until:
                    return
                try:
                    counts = count(near, self.signature)
                except SpaceError:
                    continue
                before = found.largest if largest else found.smallest
                self.compare(near, counts)
                if (found.largest if largest else found.smallest) is not before:
                    better = True
            self.tell("extremes", min(1.0, looked / 4000))

    # -- holes

    def holes(self) -> None:
        """Try each option of each hole in random surroundings."""
        every = holes(self.space)
        found = self.found
        found.holes = len(every)
        leads = ways(self.space)
        order = sorted(every, key=lambda path: (path.count("."), path))
        for n, path in enumerate(order):
            if time.monotonic() > self.until:
                return
            self.tell("holes", n / len(order))
            found.holes_tried += self.hole(path, every[path], leads.get(path, {}))

    def hole(self, path: str, hole: Hole, way: Mapping[str, Answer]) -> bool:
        """Try the answers of one hole; False where the time was up before there was anything to say."""
        answers = [hole.at(i) for i in range(min(hole.count, 64))]
        met: set[Answer] = set()
        fitted: set[Answer] = set()
        errors: dict[Answer, str] = {}
        same: list[set[Answer]] = [set(answers)]  # answers that have given the same network everywhere so far
        for number in range(SUSPECTED):
            if number >= TRIES and len(fitted) == len(answers) and all(len(group) == 1 for group in same):
                break
            if time.monotonic() > self.until:
                return False
            results: dict[str, set[Answer]] = {}
            for answer in answers:
                outcome = self.tried({**way, path: answer}, path, number)
                if outcome is None:
                    continue
                met.add(answer)
                name, error = outcome
                if error:
                    errors.setdefault(answer, error)
                else:
                    fitted.add(answer)
                    results.setdefault(name, set()).add(answer)
            known = {answer for group in results.values() for answer in group}
            if not known:
                continue
            same = [part for group in same for part in [*(group & alike for alike in results.values()), group - known] if part]
        self.judge(path, hole, answers, met, fitted, errors, same)
        return True

    def judge(
        self,
        path: str,
        hole: Hole,
        answers: Sequence[Answer],
        met: set[Answer],
        fitted: set[Answer],
        errors: Mapping[Answer, str],
        same: Sequence[set[Answer]],
    ) -> None:
        add = self.found.findings.append
        if not met:
            if not self.space.listing:
                add(Finding("unreachable", path, f"is never asked: its {hole.count} answers cannot be reached"))
            return
        for answer in answers:
            if answer in met and answer not in fitted:
                add(Finding("never_fits", path, f"option {_named(hole, answer)} always gives a shape error: {errors[answer]}"))
        left = [sorted(group & fitted, key=repr) for group in same if len(group & fitted) > 1]
        if left and len(left[0]) == len(answers) > 1:
            add(Finding("no_effect", path, f"has no effect: its {len(answers)} answers compute the same wherever tried"))
            return
        for group in left:
            add(Finding("same", path, f"options {' and '.join(_named(hole, a) for a in group)} compute the same wherever tried"))

    def tried(self, forced: Mapping[str, Answer], path: str, number: int) -> tuple[str, str] | None:
        """What comes of an answer in one surrounding: its canonical identity, or an error; None where it is not asked."""
        rng = stream(self.seed, number, f"lint {path}")  # the same for all answers
        try:
            member = unfold(self.space, replay(forced, at_random(rng)))
        except SpaceError as error:
            return "", str(error)
        if member.decisions.get(path, ()) != forced[path]:
            return None
        try:
            count(member, self.signature)
        except SpaceError as error:
            return "", str(error)
        return canonical(member), ""


def _check_heads(member: Architecture, signature: Signature) -> None:
    """Raises :class:`SpaceError` where an output has another shape than its head."""
    laid = shapes(member, signature)
    seen = outside(member, laid, signature)
    if len(member.outputs) != len(signature.heads):
        raise SpaceError(f"it has {len(member.outputs)} outputs, the task {len(signature.heads)} heads", where="heads")
    for place, (name, head) in zip(member.outputs, signature.heads, strict=True):
        tensor = seen[place] if place >= 0 else signature.input(place)
        if tensor.shape != head.shape:
            raise SpaceError(
                f"its output has shape {tensor.shape}, head {name} wants {head.shape}",
                where=member.nodes[place].weights if place >= 0 else "net",
                todo="Take the size from signature.outputs.",
            )


def _named(hole: Hole, answer: Answer) -> str:
    """An answer by its number; by its value where it is one."""

    def one(i: int) -> str:
        option = hole.options[i]
        return f"{i} ({option!r})" if isinstance(option, (int, float, str)) else str(i)

    return one(answer) if isinstance(answer, int) else f"{list(answer or ())}"
