"""The task that Netwright makes of all data: arrays and facts. Images and tables differ in their facts only."""

from __future__ import annotations

import hashlib
import importlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F

from netwright.core.architecture import Frame, Signature
from netwright.core.architecture import Tensor as Shape
from netwright.core.contracts import Need, Split
from netwright.core.seeds import stream
from netwright.core.trial import Fidelity
from netwright.errors import DataError
from netwright.tasks import feed, scores
from netwright.tasks.sealed import Batch, Kind, Sealed

__all__ = ["ArrayTask", "Part"]

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Part:
    """One split: raw inputs (pixel values as stored, table columns as numbers), targets, and the rows' numbers or names."""

    x: Array
    y: Array
    ids: Sequence[int | str]


@final
class ArrayTask(Sealed):
    """``facts`` is JSON and says everything but the rows: see :meth:`describe`. ``parts``: the rows of each split."""

    travels = True

    def __init__(self, facts: Mapping[str, Any], parts: Mapping[str, Part]) -> None:
        self.facts = dict(facts)
        self.parts = dict(parts)
        self.name: str = facts["name"]
        self.kind: Kind = facts["kind"]
        self.classes: tuple[str, ...] = tuple(facts["classes"])
        self.signature = Signature.from_json(facts["signature"])
        self.frame = Frame.from_json(facts["frame"])
        self.images = facts["inputs"] == "images"
        self.offers = frozenset({Need.IMAGES if self.images else Need.TABLES})
        self.has_test = "test" in parts
        self.facts.setdefault("fingerprint", self._digest())
        self._made: dict[str, Any] = {}

    @property
    def fingerprint(self) -> str:
        return str(self.facts["fingerprint"])

    def _digest(self) -> str:
        made = hashlib.blake2b(repr((self.kind, self.classes)).encode(), digest_size=16)
        for name in sorted(self.parts):
            part = self.parts[name]
            made.update(name.encode() + repr(list(part.ids)).encode())
            for array in (part.x, part.y):
                made.update(f"{array.dtype}{array.shape}".encode())
                made.update(np.ascontiguousarray(array).data)
        return made.hexdigest()

    def metrics(self) -> Sequence[str]:
        return scores.names(self.kind)

    def describe(self) -> dict[str, Any]:
        """JSON facts: ``name kind inputs inferred classes rows columns image split warnings notes options fingerprint`` …"""
        return {key: value for key, value in self.facts.items() if key not in ("signature", "frame")}

    def splits(self) -> dict[str, list[int | str]]:
        return {name: list(part.ids) for name, part in self.parts.items()}

    # The seal

    def without_test(self) -> ArrayTask:
        return ArrayTask(self.facts, {name: part for name, part in self.parts.items() if name != "test"})

    def _part(self, split: str) -> Part:
        self.check_seal(split)
        if split not in self.parts:
            raise DataError(f"there is no split {split!r}", todo="Splits: train, validation, test.")
        return self.parts[split]

    def rows(self, split: Split) -> tuple[npt.NDArray[np.float32], Array]:
        part = self._part(split)
        return np.array(part.x, dtype=np.float32), np.array(part.y)

    # Feeding

    def _front(self, x: Tensor) -> Tensor:
        """Raw inputs → what the space's network takes."""
        with torch.no_grad():
            for name, attrs in self.frame.front:
                if name not in self._made:
                    build = importlib.import_module(f"netwright.nets.modules.{name}").build
                    self._made[name] = build([Shape(tuple(x.shape[1:]))], dict(attrs)).eval()
                x = self._made[name](x)
        return x

    def _targets(self, y: Array) -> Tensor:
        if self.kind == "classification":
            return torch.from_numpy(np.array(y, dtype=np.int64))
        mean, std = self._scale
        return torch.from_numpy(((np.asarray(y, dtype=np.float64) - mean) / std).astype(np.float32).reshape(-1, 1))

    @property
    def _scale(self) -> tuple[float, float]:
        attrs = dict(self.frame.back[0][1]) if self.frame.back else {}
        return (float(attrs["mean"][0]), float(attrs["std"][0])) if attrs else (0.0, 1.0)

    def _trained_on(self) -> feed.Store:
        """Train rows, then validation rows, as they are drawn from in training. Made once."""
        if "store" not in self._made:
            both = [self._part("train"), self._part("validation")]
            options = self.facts["options"]
            shift = int(options.get("shift", 0)) if self.images else 0
            self._made["store"] = feed.Store.made(
                [part.x for part in both],
                torch.cat([self._targets(part.y) for part in both]),
                self._front,
                shift=shift,
                flip=bool(options.get("flip", False)) and self.images,
                fill=self.facts.get("image", {}).get("fill", ()),
            )
        return self._made["store"]  # type: ignore[no-any-return]

    def _shown(self, split: str) -> tuple[Callable[[int, int], Tensor], Tensor]:
        """Rows of a split in order: a function of (start, end), and the targets. Made once."""
        part = self._part(split)
        if split not in self._made:
            self._made[split] = (feed.in_order(part.x, self._front), self._targets(part.y))
        return self._made[split]  # type: ignore[no-any-return]

    def _chosen(self, fidelity: Fidelity) -> Tensor:
        """Rows of the store that a fidelity pays for: a prefix of a fixed order in which each class has its share."""
        key = f"chosen {fidelity.data} {fidelity.join_validation}"
        if key not in self._made:
            names = ["train", "validation"] if fidelity.join_validation else ["train"]
            y = np.concatenate([self.parts[name].y for name in names])
            if fidelity.data >= 1:
                rows = np.arange(len(y))
            else:
                rows = np.sort(_fair_order(y if self.classes else np.zeros(len(y), int))[: max(2, round(len(y) * fidelity.data))])
            self._made[key] = torch.from_numpy(rows)
        return self._made[key]  # type: ignore[no-any-return]

    def batches(self, split: Split, fidelity: Fidelity | None = None, seed: int | None = None) -> Iterator[Batch]:
        """One pass: with a ``seed`` shuffled and (images) augmented, else in order, as stored and in larger batches."""
        self._part(split)  # raises here, not at the first batch
        fidelity = fidelity or Fidelity()
        size = int(self.facts["options"].get("batch", 64))
        if seed is None:
            return self._ordered(split, max(size, 256))
        if split != "train":
            raise DataError(f"{split} rows are never shuffled or augmented", todo="Leave the seed out.")
        options = self.facts["options"]
        # The final training is long enough to gain from warps and smoothing; a search trial is not.
        warp, smoothing = (float(options.get(name, 0.0)) * fidelity.join_validation for name in ("warp", "smoothing"))
        drawn = self._trained_on().epoch(self._chosen(fidelity), size, seed, warp)
        return (Batch(x, y, smoothing) for x, y in drawn)

    def _ordered(self, split: str, size: int) -> Iterator[Batch]:
        x, y = self._shown(split)
        for start in range(0, len(y), size):
            end = min(start + size, len(y))
            yield Batch(x(start, end), y[start:end])

    # Loss and score

    def loss(self, output: Tensor, batch: Batch) -> Tensor:
        """Cross entropy, or mean squared error of standardised targets."""
        if self.kind == "classification":
            return F.cross_entropy(output, batch.y, label_smoothing=batch.smoothing)
        return F.mse_loss(output, batch.y)

    def score(self, predict: Callable[[Any], Any], split: Split) -> Mapping[str, float]:
        """Every score that is finite. ``predict``: inputs → logits or standardised values, as the loss takes them."""
        with torch.no_grad():
            out = torch.cat([predict(batch.x).detach().float().cpu() for batch in self.batches(split)]).numpy()
        y = self._part(split).y
        if self.kind == "classification":
            return scores.classification_scores(out, y)
        mean, std = self._scale
        return scores.regression_scores(out.astype(np.float64) * std + mean, y)

    # On disk, for workers

    def save(self, folder: Path | str) -> None:
        """Write train and validation rows as .npy files and the facts as ``task.json``. Test rows are never written."""
        place = Path(folder)
        place.mkdir(parents=True, exist_ok=True)
        for name in ("train", "validation"):
            np.save(place / f"{name}_x.npy", self.parts[name].x, allow_pickle=False)
            np.save(place / f"{name}_y.npy", self.parts[name].y, allow_pickle=False)
        ids = {name: list(self.parts[name].ids) for name in ("train", "validation")}
        (place / "task.json").write_text(json.dumps({"facts": self.facts, "ids": ids}), encoding="utf-8")

    @classmethod
    def restored(cls, folder: Path | str) -> ArrayTask:
        """What :meth:`save` wrote, the rows mapped from the disk."""
        place = Path(folder)
        told = json.loads((place / "task.json").read_text(encoding="utf-8"))

        def read(name: str) -> Array:
            return np.load(place / f"{name}.npy", mmap_mode="r", allow_pickle=False)  # type: ignore[no-any-return]

        return cls(told["facts"], {s: Part(read(f"{s}_x"), read(f"{s}_y"), told["ids"][s]) for s in ("train", "validation")})


def _fair_order(y: Array) -> npt.NDArray[np.int64]:
    """All rows, ordered so that each prefix holds each class in its share. The same for every seed."""
    rng = stream(0, 0, "fraction")
    keys = np.empty(len(y))
    for label in np.unique(y):
        rows = np.flatnonzero(y == label)
        ranks = list(range(len(rows)))
        rng.shuffle(ranks)
        keys[rows] = (np.array(ranks) + rng.random()) / len(rows)
    return np.argsort(keys, kind="stable")
