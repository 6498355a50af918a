"""A recurrent network over questions, by hand: its steps are too small for a tensor library to be worth its overhead.

A gated recurrent unit (Cho et al. 2014, arXiv:1406.1078) reads the answer before and keeps a state; each answer of each
question has a row of weights that turns the state into a logit. Trained with Adam (Kingma & Ba 2015, arXiv:1412.6980).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from netwright.core.seeds import integer

__all__ = ["Batch", "Controller", "Step"]

Array = np.ndarray[Any, np.dtype[Any]]
Step = tuple[int, tuple[float, ...], int]
"""A question that was answered: the row of its first answer, the weights of its answers, which of them was given."""

START = "start"


@dataclass(frozen=True)
class Batch:
    """Sequences of steps side by side, (sequences, steps, answers), filled up where they are shorter or have fewer."""

    rows: Array
    prior: Array
    taken: Array
    asked: Array
    before: Array

    @classmethod
    def of(cls, sequences: Sequence[Sequence[Step]]) -> Batch:
        n, steps = len(sequences), max(1, *(len(sequence) for sequence in sequences))
        most = max((len(weights) for sequence in sequences for _, weights, _ in sequence), default=1)
        rows, prior = np.zeros((n, steps, most), int), np.full((n, steps, most), -np.inf)
        taken, asked, before = np.zeros((n, steps), int), np.zeros((n, steps)), np.zeros((n, steps), int)
        prior[:, :, 0] = 0.0
        for i, sequence in enumerate(sequences):
            last = 0
            for k, (row, weights, answer) in enumerate(sequence):
                count = len(weights)
                rows[i, k, :count] = np.arange(row, row + count)
                with np.errstate(divide="ignore"):
                    prior[i, k, :count] = np.log(np.array(weights) / sum(weights))
                taken[i, k], asked[i, k], before[i, k] = answer, 1.0, last
                last = row + answer
        return cls(rows, prior, taken, asked, before)

    def only(self, which: Array) -> Batch:
        """Some of the sequences."""
        return Batch(self.rows[which], self.prior[which], self.taken[which], self.asked[which], self.before[which])


class Controller:
    """Its parameters depend on the seed and on names only, not on the order in which questions are met."""

    def __init__(self, seed: int, units: int = 32, rate: float = 0.05) -> None:
        self.seed, self.units, self.rate = seed, units, rate
        draw = np.random.default_rng(integer(seed, 0, "policy"))
        bound = units**-0.5
        self.places: dict[str, int] = {}
        self.parameters: dict[str, Array] = {
            "input": draw.uniform(-bound, bound, (units, 3 * units)),
            "state": draw.uniform(-bound, bound, (units, 3 * units)),
            "shift": np.zeros(3 * units),
            "answer": np.zeros((64, units)),
            "weight": np.zeros((64, units)),
            "bias": np.zeros(64),
        }
        self.moments = [{name: np.zeros_like(value) for name, value in self.parameters.items()} for _ in range(2)]
        self.updates, self.used = 0, 0
        self.place(START, 1)

    def place(self, name: str, count: int) -> int:
        """The row of a question's first answer. A question that was never met is given its rows."""
        if name not in self.places:
            self.places[name], self.used = self.used, self.used + count
            while self.used > len(self.parameters["bias"]):
                for table in (self.parameters, *self.moments):
                    for each in ("answer", "weight", "bias"):
                        table[each] = np.concatenate([table[each], np.zeros_like(table[each])])
            draw = np.random.default_rng(integer(self.seed, 0, f"policy {name}"))
            self.parameters["answer"][self.used - count : self.used] = draw.uniform(-0.5, 0.5, (count, self.units))
        return self.places[name]

    # ---- one step at a time ------------------------------------------------------------------------------------------

    def state(self, before: Array | None, row: int) -> Array:
        """The state after an answer, given the state before it."""
        p, units = self.parameters, self.units
        state = np.zeros(units) if before is None else before
        reads = p["answer"][row] @ p["input"] + p["shift"]
        gates = 1 / (1 + np.exp(-(reads[: 2 * units] + state @ p["state"][:, : 2 * units])))
        keep, reset = gates[:units], gates[units:]
        new = np.tanh(reads[2 * units :] + (reset * state) @ p["state"][:, 2 * units :])
        found: Array = keep * state + (1 - keep) * new
        return found

    def logits(self, state: Array, row: int, count: int) -> list[float]:
        """What it thinks of each answer of a question, 0 where it has no opinion."""
        p = self.parameters
        found: list[float] = (p["weight"][row : row + count] @ state + p["bias"][row : row + count]).tolist()
        return found

    # ---- many at once ------------------------------------------------------------------------------------------------

    def forward(self, batch: Batch) -> tuple[Array, list[tuple[Array, ...]], Array]:
        """States, what the way back needs, and the logarithm of every answer's probability."""
        p, units = self.parameters, self.units
        n, steps, _ = batch.rows.shape
        reads = p["answer"][batch.before] @ p["input"] + p["shift"]
        state, states = np.zeros((n, units)), np.zeros((n, steps, units))
        kept: list[tuple[Array, ...]] = []
        for k in range(steps):
            gates = 1 / (1 + np.exp(-(reads[:, k, : 2 * units] + state @ p["state"][:, : 2 * units])))
            keep, reset = gates[:, :units], gates[:, units:]
            new = np.tanh(reads[:, k, 2 * units :] + (reset * state) @ p["state"][:, 2 * units :])
            kept.append((state, keep, reset, new))
            states[:, k] = state = keep * state + (1 - keep) * new
        logits = np.einsum("nkau,nku->nka", p["weight"][batch.rows], states) + p["bias"][batch.rows] + batch.prior
        logits -= logits.max(-1, keepdims=True)
        return states, kept, logits - np.log(np.exp(logits).sum(-1, keepdims=True))

    def likelihood(self, batch: Batch) -> Array:
        """The logarithm of the probability of each answer that was given, (sequences, steps); 0 where nothing was asked."""
        return _given(self.forward(batch)[2], batch) * batch.asked

    def gradient(self, batch: Batch, merit: Callable[[Array], Array], entropy: float) -> dict[str, Array]:
        """Of the mean over sequences of Σ merit · log p(answer given) − entropy · Σ KL(policy ‖ uniform draw).

        ``merit`` is told the logarithms of the given answers' probabilities; it counts as constant.
        """
        p, units = self.parameters, self.units
        states, kept, logs = self.forward(batch)
        chances = np.exp(logs)
        worth = merit(_given(logs, batch)) * batch.asked
        up = -chances * worth[..., None]
        np.put_along_axis(up, batch.taken[..., None], (_given(up, batch) + worth)[..., None], -1)
        if entropy:
            apart = np.where(chances > 0, logs - np.where(chances > 0, batch.prior, 0.0), 0.0)
            apart -= (chances * apart).sum(-1, keepdims=True)
            up -= entropy * chances * apart * batch.asked[..., None]
        up /= len(up)
        found = {name: np.zeros_like(value) for name, value in p.items()}
        np.add.at(found["bias"], batch.rows, up)
        np.add.at(found["weight"], batch.rows, up[..., None] * states[:, :, None, :])
        above = np.einsum("nka,nkau->nku", up, p["weight"][batch.rows])
        back, reads = np.zeros_like(states[:, 0]), np.zeros((*batch.taken.shape, 3 * units))
        for k in range(len(kept) - 1, -1, -1):
            state, keep, reset, new = kept[k]
            back = back + above[:, k]
            to_new = back * (1 - keep) * (1 - new**2)
            through = to_new @ p["state"][:, 2 * units :].T
            gates = np.concatenate([back * (state - new) * keep * (1 - keep), through * state * reset * (1 - reset)], 1)
            reads[:, k] = np.concatenate([gates, to_new], 1)
            found["state"][:, : 2 * units] += state.T @ gates
            found["state"][:, 2 * units :] += (reset * state).T @ to_new
            back = back * keep + through * reset + gates @ p["state"][:, : 2 * units].T
        found["shift"] = reads.sum((0, 1))
        found["input"] = np.einsum("nke,nkg->eg", p["answer"][batch.before], reads)
        np.add.at(found["answer"], batch.before, reads @ p["input"].T)
        return found

    def ascend(self, gradient: dict[str, Array]) -> None:
        """One step of Adam. Rows that were never asked for stay as they are."""
        self.updates += 1
        first, second = self.moments
        for name, slope in gradient.items():
            first[name] = 0.9 * first[name] + 0.1 * slope
            second[name] = 0.999 * second[name] + 0.001 * slope**2
            mean, spread = first[name] / (1 - 0.9**self.updates), second[name] / (1 - 0.999**self.updates)
            self.parameters[name] = self.parameters[name] + self.rate * mean / (np.sqrt(spread) + 1e-8)


def _given(values: Array, batch: Batch) -> Array:
    found: Array = np.take_along_axis(values, batch.taken[..., None], -1)[..., 0]
    return found
