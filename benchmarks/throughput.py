"""Training throughput of a search's workers, against the loop that everybody writes, on two cores.

The plain loop: ``DataLoader`` over a ``TensorDataset`` (the default collation, shuffled, no loader processes), the network as
its exported ``model.py`` writes it, ``torch.optim.SGD``, float32, two threads. Netwright: two worker processes with one thread
each that do trial jobs as a search gives them, one network in both at a time. Same networks, batches of 64, Nesterov momentum and
weight decay. Only Netwright augments, as a search does. Repetitions alternate; a ratio is of neighbours in time. Where other
programs run, two threads that wait for each other lose more than two processes: rounds in which others took over 5 % of the
processors are left out, unless fewer than three are left, which is then said.

    python benchmarks/throughput.py [--quick] [--bfloat16 [--accuracy]] [--json]

``--bfloat16`` compares bfloat16 workers with the same float32 loop; ``--accuracy`` trains finals in both and tests them.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from netwright import compose
from netwright.core.architecture import Architecture, Signature
from netwright.core.contracts import Job
from netwright.core.picks import at_random, sample
from netwright.core.seeds import stream
from netwright.core.space import Branches, Cell, Edge, Repeat, Seq, Space, Term, op, unfold
from netwright.core.trial import Fidelity
from netwright.layers.counts import count
from netwright.nets.source import to_source
from netwright.recipe import Recipe
from netwright.runners.process import ProcessRunner
from netwright.spaces import chain
from netwright.tasks.load import load

__all__ = ["main", "nasbench201_like"]

WORKERS = 2
BATCH = 64
QUIET = 0.05
"""Share of the processors that other programs may take in a round that counts."""

RATE, DECAY = 0.05, 0.002


@dataclass
class Case:
    """Networks to train on a task for some epochs; the ratio that is asked for."""

    name: str
    task: Any
    networks: list[Architecture]
    epochs: int
    target: float

    def rows(self) -> int:
        return int(self.task.describe()["rows"]["train"])

    def params(self, network: Architecture) -> int:
        return int(count(network, self.task.signature).values["params"])


def nasbench201_like(signature: Signature, cells: int = 1) -> Architecture:
    """Three stages of 16, 32 and 64 channels with residual reductions between them (Dong & Yang 2020, arXiv:2001.00326)."""

    def conv(kernel: int, width: int, stride: int = 1) -> Term:
        return Seq(op("activation", kind="relu"), op("conv", width=width, kernel=kernel, stride=stride), op("batch_norm"))

    def cell(width: int) -> Term:
        pool = op("avg_pool", kernel=3, stride=1, padding=1)
        return Cell(
            (
                (Edge(0, conv(3, width)),),
                (Edge(0, conv(3, width)), Edge(1, conv(1, width))),
                (Edge(0, op("identity")), Edge(1, pool), Edge(2, conv(3, width))),
            )
        )

    def halved(width: int) -> Term:
        short = Seq(op("avg_pool", kernel=2, stride=2), op("conv", width=width, kernel=1))
        return Branches(Seq(conv(3, width, 2), conv(3, width)), short)

    parts: list[Term] = [op("conv", width=16, kernel=3), op("batch_norm"), Repeat(cell(16), cells)]
    for width in (32, 64):
        parts += [halved(width), Repeat(cell(width), cells)]
    parts += [op("batch_norm"), op("activation", kind="relu"), op("global_pool"), op("linear", units=signature.outputs)]
    return unfold(Space(Seq(*parts), name="nasbench201-like"), at_random(stream(0, 0, "no holes")))


def chains(signature: Signature, number: int, least: int = 5_000, most: int = 20_000) -> list[Architecture]:
    """Random architectures of the space that a search would choose, between two sizes."""

    def screen(architecture: Architecture) -> dict[str, float]:
        params = count(architecture, signature).values["params"]
        return {"params": 1.0} if not least <= params <= most else {}

    space = chain.space(signature).screened(screen)
    return [sample(space, stream(0, i, "throughput")) for i in range(number)]


def digits(quick: bool) -> Case:
    task = load("digits", seed=0)
    return Case("digits", task, chains(task.signature, 2 if quick else 4), 10, 2.5)


def images(quick: bool, rows: int = 0) -> Case:
    """CIFAR-10's own images where they are, random ones elsewhere: the arithmetic is the same."""
    rows = rows or (2_000 if quick else 4_000)
    place = Path(os.environ.get("NETWRIGHT_DATA", Path(__file__).parents[2] / "shared" / "data"))
    file = place / "datasets" / "cifar10_subset.npz"
    if file.is_file():
        with np.load(file, allow_pickle=False) as data:
            x, y = data["x_train"], data["y_train"]
        chosen = np.random.default_rng(0).permutation(len(y))[:rows]
        x, y = x[chosen], y[chosen]
    else:
        rng = np.random.default_rng(0)
        x, y = rng.integers(0, 256, (rows, 32, 32, 3), dtype=np.uint8), np.arange(rows) % 10
    task = load((x, y), seed=0)
    return Case("cells at 32×32", task, [nasbench201_like(task.signature)], 1, 1.8)


# ---- the two sides ----------------------------------------------------------------------------------------------------


def plain(case: Case, network: Architecture) -> Callable[[], float]:
    """The loop that everybody writes: a function that trains for the case's epochs and returns examples a second."""
    namespace: dict[str, Any] = {"__name__": "model", "__file__": ""}
    exec(compile(to_source(network, case.task.signature, title="plain"), "model.py", "exec"), namespace)  # noqa: S102 (our own text)
    x = torch.cat([batch.x for batch in case.task.batches("train")]).contiguous()
    y = torch.cat([batch.y for batch in case.task.batches("train")])
    loader = DataLoader(TensorDataset(x, y), batch_size=BATCH, shuffle=True)
    model: nn.Module = namespace["Model"]()
    optimizer = torch.optim.SGD(model.parameters(), lr=RATE, momentum=0.9, nesterov=True, weight_decay=DECAY)

    def train() -> float:
        start = time.perf_counter()
        model.train()
        for _ in range(case.epochs):
            for inputs, labels in loader:
                optimizer.zero_grad()
                loss = F.cross_entropy(model(inputs), labels)
                loss.backward()
                optimizer.step()
        return case.epochs * len(y) / (time.perf_counter() - start)

    return train


@contextmanager
def workers(case: Case, **options: Any) -> Iterator[Callable[..., list[dict[str, Any]]]]:
    """Two workers as a search starts them; gives a function that does jobs and returns what was measured last in each."""
    recipe = Recipe(objectives=("maximize accuracy",), space="chain", options={"estimator": {"optimizer": "sgd", **options}})
    with tempfile.TemporaryDirectory() as folder:
        case.task.without_test().save(Path(folder) / "data")
        argument = {"recipe": recipe.to_json(), "folder": folder}
        with closing(
            ProcessRunner("netwright.compose:worker", argument, WORKERS, preload=("torch", "netwright.compose"))
        ) as runner:

            def work(kind: str, network: Architecture, fidelity: Fidelity, seeds: Sequence[int]) -> list[dict[str, Any]]:
                for seed in seeds:
                    body = {"architecture": network.to_json(), "fidelity": fidelity.to_json(), "number": seed, "noisy": False}
                    runner.submit(Job(str(seed), kind, {**body, "seed": seed}))  # type: ignore[arg-type]
                last: dict[str, dict[str, Any]] = {str(seed): {"train": 0.0} for seed in seeds}
                open_ = set(last)
                while open_:
                    for arrival in runner.arrivals(1.0):
                        if arrival.kind == "measured":
                            spent = last[arrival.key]["train"] + arrival.body.get("cost", {}).get("train", 0.0)
                            last[arrival.key] = {**arrival.body, "train": spent}
                        elif arrival.kind == "finished":
                            open_.discard(arrival.key)
                        else:
                            raise SystemExit(f"{case.name}: {arrival.kind}: {arrival.reason}")
                for body in last.values():
                    if body.get("checkpoint"):
                        body["blob"] = (Path(folder) / "vault" / f"{body['checkpoint']}.safetensors").read_bytes()
                return list(last.values())

            yield work


def feeding(case: Case) -> float:
    """Seconds that one thread needs to draw, shift and mirror one example: the median pass of several."""
    passes = []
    for seed in range(9):
        start = time.perf_counter()
        for _ in case.task.batches("train", Fidelity(1), seed):
            pass
        passes.append(time.perf_counter() - start)
    return statistics.median(passes[2:]) / case.rows()


# ---- throughput -------------------------------------------------------------------------------------------------------


def compared(case: Case, repetitions: int, **options: Any) -> dict[str, Any]:
    """Examples a second of both sides, over all networks of the case together, and their ratio; repetition by repetition."""
    fidelity = Fidelity(case.epochs)
    loops = [plain(case, network) for network in case.networks]
    rounds: list[dict[str, float]] = []
    torch.set_num_threads(WORKERS)
    with workers(case, **options) as work:
        for repetition in range(repetitions + 1):  # the first warms both sides up
            spent = dict.fromkeys(("plain", "training", "jobs"), 0.0)
            began, others = time.perf_counter(), _others()
            for loop, network in zip(loops, case.networks, strict=True):
                spent["plain"] += 1 / loop()
                start = time.perf_counter()
                done = work("trial", network, fidelity, range(WORKERS))
                examples = case.epochs * case.rows()
                spent["jobs"] += (time.perf_counter() - start) / (WORKERS * examples)
                spent["training"] += 1 / sum(examples / body["train"] for body in done)
            rates = {name: len(loops) / seconds for name, seconds in spent.items()}
            rates["others"] = max(0.0, _others() - others) / (time.perf_counter() - began) / (os.cpu_count() or 1)
            _say(f"{case.name} {repetition}/{repetitions}: " + _told(rates))
            if repetition:
                rounds.append(rates)
    torch.set_num_threads(1)
    feed = feeding(case)
    quiet = [each for each in rounds if each["others"] <= QUIET]
    disturbed = len(quiet) < min(3, len(rounds))
    rounds = rounds if disturbed else quiet
    best = {name: max(each[name] for each in rounds) for name in rounds[0]}
    return {
        "case": case.name,
        "params": [case.params(network) for network in case.networks],
        "target": case.target,
        **{name: statistics.median(each[name] for each in rounds) for name in rounds[0]},
        "ratio": _spread([each["training"] / each["plain"] for each in rounds]),
        "ratio_of_best": best["training"] / best["plain"],
        "ratio_of_jobs": _spread([each["jobs"] / each["plain"] for each in rounds]),
        "feeding_share": feed * best["training"] / WORKERS,
        "rounds": len(rounds),
        "disturbed": disturbed,
    }


def _others() -> float:
    """Seconds of processor time that programs other than this one and its workers have taken since the machine started."""
    ours = 0.0
    me = psutil.Process()
    for process in (me, *me.children(recursive=True)):
        times = process.cpu_times()
        ours += times.user + times.system
    times = psutil.cpu_times()
    return float(times.user + times.nice + times.system - ours)


def _told(rates: dict[str, float]) -> str:
    shown = [f"{name} {rate:,.0f}/s" for name, rate in rates.items() if name != "others"]
    return ", ".join([*shown, f"others {rates['others']:.0%}"])


def _spread(values: list[float]) -> dict[str, float]:
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def accuracy(case: Case, seeds: int, epochs: int) -> list[dict[str, Any]]:
    """Test accuracy of final trainings in both kinds of arithmetic: the same networks, seeds and batches."""
    case.task.open_test()
    _, y = case.task.rows("test")
    found = []
    fidelity = Fidelity(epochs, join_validation=True)
    with workers(case) as full, workers(case, bfloat16=True) as half:
        for network in case.networks:
            scores = {}
            for name, work in (("float32", full), ("bfloat16", half)):
                models = [
                    compose.network(network, case.task, body["blob"]) for body in work("final", network, fidelity, range(seeds))
                ]
                scores[name] = [float((compose.outputs(model, case.task, "test").argmax(1) == y).mean()) for model in models]
                _say(f"{case.name}, {case.params(network)} parameters, {name}: {statistics.mean(scores[name]):.4f}")
            gaps = [b - a for a, b in zip(scores["float32"], scores["bfloat16"], strict=True)]
            error = statistics.stdev(gaps) / len(gaps) ** 0.5
            row = {"case": case.name, "params": case.params(network), **scores, "gap": statistics.mean(gaps), "gap_error": error}
            found.append({**row, "epochs": epochs, "test_rows": len(y)})
    return found


# ---- what is printed --------------------------------------------------------------------------------------------------


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _shown(row: dict[str, Any]) -> str:
    params = ", ".join(f"{p:,}" for p in row["params"])
    ratio, jobs = row["ratio"], row["ratio_of_jobs"]
    return "\n".join(
        [
            f"{row['case']} ({params} parameters), {row['arithmetic']}",
            f"  plain loop, two threads    {row['plain']:10,.0f} examples/s",
            f"  two workers, training      {row['training']:10,.0f} examples/s",
            f"  two workers, whole jobs    {row['jobs']:10,.0f} examples/s   building and scoring included",
            f"  ratio                      {ratio['median']:10.2f} ({ratio['min']:.2f} to {ratio['max']:.2f}), of the best "
            f"rounds {row['ratio_of_best']:.2f}; asked for: {row['target']:g}",
            f"  ratio of whole jobs        {jobs['median']:10.2f} ({jobs['min']:.2f} to {jobs['max']:.2f})",
            f"  feeding                    {row['feeding_share']:10.1%} of a step",
            f"  rounds                     {row['rounds']:10}, other programs took {row['others']:.0%} of the processors"
            + (": too much, do not trust the ratio" if row["disturbed"] else ""),
        ]
    )


def _scored(row: dict[str, Any]) -> str:
    means = " ".join(f"{name} {statistics.mean(row[name]):.4f}" for name in ("float32", "bfloat16"))
    much = f"{len(row['float32'])} seeds, {row['epochs']} epochs, {row['test_rows']} test rows"
    return f"{row['case']}, {row['params']:,} parameters: {means}, gap {row['gap']:+.4f} ± {row['gap_error']:.4f} ({much})"


def has_bfloat16() -> bool:
    """Whether the processor multiplies in bfloat16 itself."""
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="about a minute: fewer networks, rows and repetitions")
    parser.add_argument("--bfloat16", action="store_true", help="bfloat16 workers against the float32 loop")
    parser.add_argument("--accuracy", action="store_true", help="with --bfloat16: test accuracy in both kinds of arithmetic")
    parser.add_argument("--case", choices=("digits", "images"), help="one of the two only")
    parser.add_argument("--repetitions", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(arguments)
    if given.bfloat16 and not has_bfloat16():
        raise SystemExit("this processor has no bfloat16 instructions (avx512_bf16 or amx_bf16): nothing to measure")
    makers = {"digits": digits, "images": images}
    wanted = [given.case] if given.case else list(makers)
    options = {"bfloat16": True} if given.bfloat16 else {}
    rows: list[dict[str, Any]] = []
    for name in wanted if not given.accuracy else ():
        case = makers[name](given.quick)
        case.target = 3.0 if given.bfloat16 else case.target
        found = compared(case, given.repetitions or (3 if given.quick else 9), **options)
        rows.append({**found, "arithmetic": "bfloat16 against float32" if given.bfloat16 else "float32"})
        if not given.json:
            print(_shown(rows[-1]))
    scored: list[dict[str, Any]] = []
    if given.accuracy:
        for name in wanted:
            case = images(given.quick, 3_000 if given.quick else 10_000) if name == "images" else digits(given.quick)
            few, long = ((2, 2) if given.quick else (3, 8)) if name == "images" else ((4, 10) if given.quick else (10, 40))
            scored += accuracy(case, few, long)
        if not given.json:
            print("\n".join(_scored(row) for row in scored))
    if given.json:
        print(json.dumps({"throughput": rows, "accuracy": scored, "torch": torch.__version__}))


if __name__ == "__main__":
    main()
