"""The three-way split: by chance and class, by groups, or by time; equal rows always stand on the same side."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from netwright.core.seeds import stream
from netwright.errors import DataError

__all__ = ["SHARES", "Parts", "contents", "split_by_time", "split_rows"]

SHARES = {"train": 0.6, "validation": 0.2, "test": 0.2}
"""What the splits get of the rows. With a test set of one's own, the first two share all rows 80 to 20."""

Ints = npt.NDArray[np.int64]


@dataclass
class Parts:
    """Row numbers of each split, in rising order, and what there is to say about them."""

    rows: dict[str, Ints]
    warnings: list[str] = field(default_factory=list)


def contents(x: npt.NDArray[np.generic]) -> list[bytes]:
    """A digest of each row: equal rows, and only they, have the same one."""
    flat = np.ascontiguousarray(x.reshape(len(x), -1))
    if flat.dtype.kind == "f":
        flat = flat + flat.dtype.type(0)  # −0.0 equals 0.0
        flat[np.isnan(flat)] = np.nan
    return [hashlib.blake2b(row.tobytes(), digest_size=16).digest() for row in flat]


def _components(keys: Sequence[Sequence[object]], rows: int) -> list[list[int]]:
    """Rows that share a key, directly or through others, in the order of their first row."""
    parent = list(range(rows))

    def top(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    for column in keys:
        first: dict[object, int] = {}
        for i, key in enumerate(column):
            a, b = top(first.setdefault(key, i)), top(i)
            parent[max(a, b)] = min(a, b)
    found: dict[int, list[int]] = {}
    for i in range(rows):
        found.setdefault(top(i), []).append(i)
    return list(found.values())


def _deal(groups: list[list[int]], shares: dict[str, float], cover: bool) -> dict[str, list[int]]:
    """Give groups, the large ones first, to the split that lacks most; with ``cover`` every split gets at least one."""
    total = sum(len(group) for group in groups)
    lack = {name: share * total for name, share in shares.items()}
    dealt: dict[str, list[int]] = {name: [] for name in shares}
    groups = sorted(groups, key=len, reverse=True)
    held = len(shares) if cover and len(groups) >= len(shares) else 0
    for name, group in zip(shares, groups[len(groups) - held :], strict=False):
        dealt[name] += group
        lack[name] -= len(group)
    for group in groups[: len(groups) - held]:
        name = max(lack, key=lack.__getitem__)
        dealt[name] += group
        lack[name] -= len(group)
    return dealt


def split_rows(
    digests: Sequence[bytes],
    seed: int,
    *,
    labels: Sequence[int] | None = None,
    classes: Sequence[str] = (),
    groups: Sequence[object] | None = None,
    shares: dict[str, float] | None = None,
    where: str = "",
) -> Parts:
    """By chance; with ``labels`` the same share of each class in every split; with ``groups`` each wholly on one side.

    Raises :class:`DataError` that names a class with fewer different examples than there are splits.
    """
    shares = shares or SHARES
    keys: list[Sequence[object]] = [digests] if groups is None else [digests, groups]
    joined = _components(keys, len(digests))
    if len(joined) < len(shares):
        what = "groups that share no equal rows" if groups is not None else "different rows"
        raise DataError(f"only {len(joined)} {what}, too few for {len(shares)} splits", where=where, todo="Bring more data.")
    rng = stream(seed, 0, "split")
    rng.shuffle(joined)
    parts = Parts({})
    if labels is None or groups is not None:
        dealt = [_deal(joined, shares, cover=True)]
    else:
        by_class: dict[int, list[list[int]]] = {}
        for group in joined:
            votes = [labels[i] for i in group]
            by_class.setdefault(max(sorted(set(votes)), key=votes.count), []).append(group)
        _check_classes(labels, by_class, classes, len(shares), where)
        dealt = [_deal(by_class[label], shares, cover=True) for label in sorted(by_class)]
    for name in shares:
        parts.rows[name] = np.array(sorted(i for part in dealt for i in part[name]), dtype=np.int64)
    repeated = len(digests) - len(set(digests))
    if repeated:
        parts.warnings.append(f"{repeated} of {len(digests)} rows repeat another one; equal rows were kept in the same split")
    return parts


def _check_classes(
    labels: Sequence[int], by_class: dict[int, list[list[int]]], classes: Sequence[str], least: int, where: str
) -> None:
    for label in sorted(set(labels)):
        different = len(by_class.get(label, []))
        if different < least:
            name = classes[label] if classes else str(label)
            number = "a single example" if different == 1 else f"{different} different examples"
            raise DataError(
                f"class {name!r} has {number}; each class needs {least}, one for each split",
                where=where,
                todo=f"Add examples of {name!r}, or leave the class out.",
            )


def split_by_time(digests: Sequence[bytes], times: npt.NDArray[np.float64], where: str = "", test: bool = True) -> Parts:
    """The last fifth is the test, the fifth before it the validation. Equal times stand together; repeats of earlier rows go.

    ``test`` False: the last fifth is the validation.
    """
    order = np.argsort(times, kind="stable")
    names = list(SHARES) if test else ["train", "validation"]
    cuts = [
        0,
        *(round(len(order) * ((0.6 if test else 0.8) + k * 0.2)) for k in range(len(names) - 1)),
        len(order),
    ]
    for k in range(1, len(cuts) - 1):
        while cuts[k] < len(order) and times[order[cuts[k]]] == times[order[cuts[k] - 1]]:
            cuts[k] += 1
    parts, seen, gone = Parts({}), set[bytes](), 0
    for name, (start, end) in zip(names, pairwise(cuts), strict=True):
        rows = [int(i) for i in order[start:end]]
        kept = [i for i in rows if digests[i] not in seen]
        gone += len(rows) - len(kept)
        seen |= {digests[i] for i in rows}
        if not kept:
            raise DataError(
                f"time order leaves no rows for {name}", where=where, todo="Bring more rows, or split by another column."
            )
        parts.rows[name] = np.array(sorted(kept), dtype=np.int64)
    if gone:
        parts.warnings.append(f"{gone} later rows that repeat earlier ones were left out of the later splits")
    return parts
