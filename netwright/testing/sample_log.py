"""The log of a search that never was, with everything in it that a log can hold: for tests and pictures of what shows logs."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from netwright.core.architecture import Architecture, Frame, Signature, Tensor
from netwright.core.contracts import Event
from netwright.core.picks import mutate, sample
from netwright.core.seeds import stream
from netwright.layers.counts import count
from netwright.spaces.chain import space as chain

__all__ = ["SIGNATURE", "sample_log"]

SIGNATURE = Signature((("x", Tensor((1, 8, 8))),), (("y", Tensor((10,))),))

_RECIPE = {
    "data": "digits",
    "space": "chain",
    "strategy": "evolution",
    "estimator": "train",
    "device": "cpu",
    "objectives": ["accuracy", "latency_ms"],
    "limits": ["params<=20k", "latency_ms<=0.06"],
    "budget": {"seconds": 90.0},
    "seed": 0,
    "options": {"strategy": {"population": 20}},
}

_TASK = {
    "name": "digits",
    "kind": "classification",
    "rows": {"train": 1077, "validation": 360, "test": 360},
    "classes": [str(digit) for digit in range(10)],
    "split": {"method": "stratified", "seed": 0},
    "image": {"channels": 1, "height": 8, "width": 8, "resized": False, "method": "none"},
    "fingerprint": "b6c1f04e9a53d7e2",
    "skipped": [{"file": "7/0173.png", "reason": "the image is truncated"}],
    "warnings": ["1 of 1798 images could not be read and were skipped: 7/0173.png (the image is truncated)"],
    "notes": ["augmentation: shifts up to 1 pixels"],
}

_MACHINE = {
    "cpu": "Example CPU @ 2.60GHz",
    "cores": 2,
    "memory_gib": 7.8,
    "python": "3.12.3",
    "torch": "2.9.0",
    "onnxruntime": "1.23.0",
    "platform": "Linux-6.8-x86_64",
}

_FAILURES = (
    "out of memory: the worker's limit of 1.5 GiB",
    "loss is not a number after epoch 3",
    "longer than its limit of 30 s",
)


def sample_log(trials: int = 60, *, seed: int = 0, reference: float = 0.979, gain: bool = True) -> list[Event]:
    """A finished search on digits. ``reference``: what the best plain reference scores; ``gain``: whether random is beaten."""
    return list(_Sample(seed, reference, gain).events(trials))


class _Sample:
    def __init__(self, seed: int, reference: float, gain: bool) -> None:
        self.rng = stream(seed, 0, "sample log")
        self.reference, self.gain = reference, gain
        self.now, self.number = 1_780_000_000.0, 0
        self.space = chain(SIGNATURE)
        self.done: list[tuple[float, int, Architecture, dict[str, float]]] = []

    def event(self, kind: str, after: float = 0.0, **body: Any) -> Event:
        self.now += after
        self.number += 1
        return Event(kind, body, self.now, self.number)

    def draw(self) -> Architecture:
        """Evolution, roughly: mutants of the best so far."""
        while True:
            few = sorted(self.done, key=lambda entry: -entry[0])[:8]
            if len(self.done) > 15 and few:
                drawn = mutate(self.space, self.rng.choice(few)[2], self.rng)
            else:
                drawn = sample(self.space, self.rng)
            if count(drawn, SIGNATURE).params <= 20_000:
                return drawn

    def events(self, trials: int) -> Iterator[Event]:
        self.tried = trials
        yield self.event(
            "created",
            version="0.1.0",
            recipe=_RECIPE,
            space=self.space.to_json(),
            signature=SIGNATURE.to_json(),
            frame=Frame(SIGNATURE).to_json(),
            task=_TASK,
            machine=_MACHINE,
            seed=0,
            workers=2,
            strategy_why="evolution: the space holds more than 10,000 architectures",
        )
        yield self.event("session", 0.2, pid=4711, resumed=False, started=self.now - 2.4, budget={"seconds": 90.0})
        timed = [{"id": "0" * 16, "params": 9130, "seconds": 1.1}]
        yield self.event(
            "forecast",
            1.9,
            trials=66,
            trial_s=1.7,
            seconds_search=57.0,
            disk_mib=3.1,
            memory_mib=410,
            final_epochs=40,
            timed=timed,
        )
        yield from self.search(trials)
        yield self.event("stopped", 0.1, reason="deadline", text="61 of 90 s are the search's share")
        yield from self.finish()

    def search(self, trials: int) -> Iterator[Event]:
        for number in range(0, trials, 2):  # two slots, in step
            pair = [(n, self.draw()) for n in range(number, min(number + 2, trials))]
            for n, drawn in pair:
                trace = {path: list(a) if isinstance(a, tuple) else a for path, a in drawn.trace}
                notes = {"screened": self.rng.randrange(3)}
                body = {"trace": trace, "fidelity": None, "notes": notes, "parent": None, "continues": None, "id": drawn.id}
                yield self.event("proposed", 0.004, number=n, attempt=1, **body)
            for n, _ in pair:
                yield self.event("started", 0.002, number=n, attempt=1, worker=n % 2)
            for n, drawn in pair:
                yield from self.trial(n, drawn)

    def trial(self, number: int, drawn: Architecture) -> Iterator[Event]:
        counts = count(drawn, SIGNATURE).values
        yield self.event("measured", 0.001, number=number, attempt=1, values=counts, cost={"counting": 0.0004})
        latency = 0.008 + counts["flops"] / 2.2e7 + 0.0011 * len(drawn.nodes) * self.rng.uniform(0.9, 1.1)
        notes = {"noisy": True, "spread_ms": latency * 0.06}
        values = {"latency_ms": latency}
        yield self.event("measured", 0.06, number=number, attempt=1, values=values, cost={"latency": 0.06}, notes=notes)
        if latency > 0.06:
            reason = f"latency_ms {latency:.3g} > 0.06"
            yield self.event("ended", 0.001, number=number, attempt=1, state="infeasible", reason=reason, seconds=0.07)
            return
        attempt = 1
        if number in (9, 24):
            yield self.event("lost", 0.6, number=number, attempt=1, reason="its worker died (signal 9)")
            yield self.event("started", 0.1, number=number, attempt=2, worker=0)
            attempt = 2
            again = {**counts, **values}
            yield self.event("measured", 0.06, number=number, attempt=2, values=again, cost={"latency": 0.06}, notes=notes)
        seconds = 0.5 + counts["flops"] / 1.6e6
        if self.rng.random() < 0.07:
            reason = self.rng.choice(_FAILURES)
            yield self.event("ended", seconds / 2, number=number, attempt=attempt, state="failed", reason=reason, seconds=seconds)
            return
        score = 0.995 - 0.16 * math.exp(-math.log10(counts["flops"]) * 0.9 + 2.2) - abs(self.rng.gauss(0, 0.004))
        score = round(min(score, 0.9972) * 360) / 360
        values = {"accuracy": score, "log_loss": (1 - score) * 3.1}
        body = {"values": values, "fidelity": {"epochs": 12}, "cost": {"training": seconds}}
        yield self.event("measured", seconds / 2, number=number, attempt=attempt, **body)
        yield self.event("ended", 0.002, number=number, attempt=attempt, state="finished", reason="", seconds=seconds + 0.07)
        self.done.append((score, number, drawn, {**counts, **values, "latency_ms": latency}))

    def finish(self) -> Iterator[Event]:
        ranked = sorted(self.done, key=lambda entry: (-entry[0], entry[3]["latency_ms"]))
        for place, (_, number, drawn, values) in enumerate(ranked[:4]):
            again = {"latency_ms": values["latency_ms"] * (1.3 if place == 1 and values["latency_ms"] > 0.05 else 0.97)}
            kept = again["latency_ms"] <= 0.06
            reason = "" if kept else f"latency_ms {again['latency_ms']:.3g} > 0.06 when measured alone"
            yield self.event("finalist", 0.3, number=number, id=drawn.id, values=again, kept=kept, reason=reason)
        _, number, winner, found = ranked[0]
        values = {**found, "latency_ms": found["latency_ms"] * 0.97}
        why = "the highest validation accuracy among finalists within the limits"
        yield self.event("winner", 0.01, number=number, id=winner.id, trace=dict(winner.trace), why=why)
        arms: list[tuple[str, str, str, dict[str, float], float]] = [("winner", "winner", winner.id, values, 0.9883)]
        for place in range(3):
            drawn = sample(self.space, self.rng)
            sizes = {**count(drawn, SIGNATURE).values, "latency_ms": 0.02 + 0.012 * place}
            arms.append(("random", f"random-{place + 1}", drawn.id, sizes, (0.979 if self.gain else 0.988) + 0.002 * place))
        plain = {"params": 18_826.0, "flops": 1.2e6, "peak_kib": 24.0, "latency_ms": 0.048}
        arms.append(("reference", "cnn", "5f" * 8, plain, self.reference))
        arms.append(("reference", "linear", "", {"params": 650.0, "latency_ms": 0.004}, 0.953))
        arms.append(("reference", "boosting", "", {"params": 41_200.0, "latency_ms": 0.21}, 0.962))
        arms.append(("reference", "svm", "", {"params": 47_360.0, "latency_ms": 0.11}, self.reference + 0.004))
        for arm, name, id, sizes, _ in arms:
            for seed in range(3 if id else 1):
                body = {"arm": arm, "name": name, "seed": seed, "id": id, "values": sizes, "seconds": 1.6}
                if arm == "winner":
                    body["architecture"] = winner.to_json()
                yield self.event("control", 1.4 if id else 0.15, **body)
        yield self.event("unsealed", 0.05, split="test", rows=360, fingerprint="1f0e9a53d7e2b6c4")
        for arm, name, id, _, score in arms:
            for seed in range(3 if id else 1):
                accuracy = round((score + self.rng.gauss(0, 0.0022) * bool(id)) * 360) / 360
                yield self.event("tested", 0.01, arm=arm, name=name, seed=seed, values={"accuracy": accuracy})
        yield self.event(
            "result",
            0.02,
            metric="accuracy",
            score=0.9883,
            interval=[0.9778, 0.9954],
            gain=0.0074 if self.gain else 0.0006,
            gain_interval=[0.0021, 0.0127] if self.gain else [-0.0041, 0.0052],
            verdict="The search gained." if self.gain else "No gain over random architectures can be shown.",
        )
        parity = {"torch/onnx": 2.4e-6, "torch/model.py": 0.0}
        files = {"architecture.json": 6_214, "model.py": 3_902, "model.safetensors": 31_416, "model.onnx": 35_120}
        yield self.event("exported", 3.8, folder="model", files=files, parity=parity, latency_ms=values["latency_ms"])
        wall = self.now - 1_780_000_000.0 + 2.6
        ledger = {
            "imports": 1.9,
            "start": 0.3,
            "data": 0.2,
            "forecast": 1.9,
            "idle": 0.5,
            "final": 21.4,
            "export": 3.8,
            "report": 0.4,
        }
        ledger["busy"] = wall - sum(ledger.values())
        yield self.event("finished", 0.4, wall_s=wall, search_s=ledger["busy"], overhead_s=1.0, trials=self.tried, spent=ledger)
