"""Makes the table ``minibench``: every network of its space trained for real on scikit-learn's digits, and what its noise is.

    python benchmarks/minibench.py train FOLDER [--workers 2]   # about half an hour on two cores; picks up where it was stopped
    python benchmarks/minibench.py latency FOLDER               # some minutes, on a machine that does nothing else
    python benchmarks/minibench.py write FOLDER TABLE           # the Parquet file
    python benchmarks/minibench.py noise [TABLE]                # the figures of docs/tables/minibench.md

Every training runs on one thread; its time is the processor's, so that a busy neighbour does not matter.
"""

from __future__ import annotations

import argparse
import json
import math
import platform
import time
from itertools import combinations
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from netwright.core.architecture import Architecture, Signature
from netwright.core.architecture import Tensor as Shape
from netwright.core.picks import enumerated
from netwright.core.seeds import integer, stream
from netwright.layers.canonical import canonical
from netwright.layers.counts import count
from netwright.nets.net import Net
from netwright.spaces import minibench

__all__ = ["Data", "architectures", "digits", "main", "noise", "trained"]

SIGNATURE = Signature((("x", Shape((1, 8, 8))),), (("y", Shape((10,))),))
TABLE = Path(__file__).parent.parent / "netwright" / "tables" / "minibench.parquet"

SEEDS = 6
EPOCHS = 9
TRAIN_ROWS = 300
BATCH = 50
RATE, MOMENTUM, DECAY, CLIP = 0.1, 0.9, 0.002, 5.0
WARM = 0.15
"""Share of the steps in which the rate rises; then it falls along a cosine. Gradients are clipped in the first third."""

CURVES = ("val_acc", "test_acc", "val_loss", "test_loss", "train_loss", "train_s")
PASSES = 6
"""Times that each network's latency is measured, in another order each time. The least counts: neighbours only slow it down."""


# ---- training -----------------------------------------------------------------------------------------------------------


class Data(NamedTuple):
    """Rows and labels of each split."""

    train: tuple[Tensor, Tensor]
    validation: tuple[Tensor, Tensor]
    test: tuple[Tensor, Tensor]


def digits() -> Data:
    """The digits in a fixed split by class: 30 images of each to train on, the others half to validation, half to test."""
    from sklearn.datasets import load_digits

    found = load_digits()
    order = list(range(len(found.target)))
    stream(0, 0, "minibench split").shuffle(order)
    rows: tuple[list[int], list[int], list[int]] = ([], [], [])
    for label in range(10):
        own = [i for i in order if found.target[i] == label]
        rest = TRAIN_ROWS // 10
        middle = rest + (len(own) - rest + label % 2) // 2
        for part, chosen in zip(rows, (own[:rest], own[rest:middle], own[middle:]), strict=True):
            part += chosen
    x = torch.from_numpy(found.images.astype(np.float32))[:, None]
    y = torch.from_numpy(found.target.astype(np.int64))
    mean, std = x[rows[0]].mean(), x[rows[0]].std()
    made = [(((x[part] - mean) / std).contiguous(memory_format=torch.channels_last), y[part]) for part in rows]
    return Data(*made)


def architectures() -> list[Architecture]:
    """The first of each class of networks that compute the same, in the order of the space."""
    found: dict[str, Architecture] = {}
    for architecture in enumerated(minibench.space(SIGNATURE)):
        found.setdefault(canonical(architecture), architecture)
    return list(found.values())


def trained(architecture: Architecture, seed: int, data: Data) -> dict[str, list[float]]:
    """The curves of one training: a value after each epoch; ``train_s`` is each epoch's own seconds of processor time."""
    net = Net(architecture, SIGNATURE, seed=seed).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    params = list(net.parameters())
    decayed, free = [p for p in params if p.ndim > 1], [p for p in params if p.ndim <= 1]
    groups = [{"params": decayed, "weight_decay": DECAY}, {"params": free, "weight_decay": 0.0}]
    optimizer = torch.optim.SGD(groups, lr=RATE, momentum=MOMENTUM, nesterov=True, fused=True)
    x, y = data.train
    steps = len(y) // BATCH
    curves: dict[str, list[float]] = {name: [] for name in CURVES}
    for epoch in range(EPOCHS):
        start = time.process_time()
        net.train()
        order = torch.randperm(len(y), generator=torch.Generator().manual_seed(integer(seed, epoch, "minibench order")))
        total = 0.0
        for k in range(steps):
            done = (epoch * steps + k) / (EPOCHS * steps)
            for group in optimizer.param_groups:
                group["lr"] = RATE * _share(done)
            rows = order[k * BATCH : (k + 1) * BATCH]
            loss = F.cross_entropy(net(x[rows]), y[rows])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            if done < 1 / 3:
                torch.nn.utils.clip_grad_norm_(params, CLIP, foreach=True)
            optimizer.step()
            total += loss.item()
        curves["train_s"].append(time.process_time() - start)
        curves["train_loss"].append(total / steps)
        for name, part in (("val", data.validation), ("test", data.test)):
            accuracy, log_loss = _scored(net, *part)
            curves[f"{name}_acc"].append(accuracy)
            curves[f"{name}_loss"].append(log_loss)
    return curves


def _share(done: float) -> float:
    """Share of the peak rate after ``done`` (0 to 1) of the steps."""
    return 0.05 + 0.95 * done / WARM if done < WARM else 0.5 * (1 + math.cos(math.pi * (done - WARM) / (1 - WARM)))


def _scored(net: Net, x: Tensor, y: Tensor) -> tuple[float, float]:
    net.eval()
    with torch.inference_mode():
        logits = net(x)
    return (logits.argmax(1) == y).double().mean().item(), F.cross_entropy(logits.double(), y).item()


# ---- the long run -------------------------------------------------------------------------------------------------------


def _read(folder: Path) -> dict[tuple[int, int], dict[str, list[float]]]:
    """What is there already: (network, seed) → curves. A line that was cut off by a crash is left out."""
    found = {}
    for path in sorted(folder.glob("part-*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            try:
                told = json.loads(line)
            except ValueError:
                continue
            found[told["network"], told["seed"]] = told["curves"]
    return found


def _work(folder: Path, worker: int, workers: int) -> None:
    """One process's share of what is not there yet, seed by seed, each result a line."""
    torch.set_num_threads(1)
    made, data, done = architectures(), digits(), _read(folder)
    jobs = [(network, seed) for seed in range(SEEDS) for network in range(len(made)) if (network, seed) not in done]
    trained(made[0], 0, data)  # what torch prepares on first use is not counted
    with (folder / f"part-{worker}.jsonl").open("a", encoding="utf-8") as file:
        for network, seed in jobs[worker::workers]:
            told = {"network": network, "seed": seed, "curves": trained(made[network], seed, data)}
            file.write("\n" + json.dumps(told))
            file.flush()


def train(folder: Path, workers: int) -> None:
    """Train what is missing in so many processes."""
    folder.mkdir(parents=True, exist_ok=True)
    context = get_context("spawn")
    processes = [context.Process(target=_work, args=(folder, worker, workers)) for worker in range(workers)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    print(f"{len(_read(folder))} trainings of {len(architectures()) * SEEDS} are in {folder}")


def latency(folder: Path) -> None:
    """The medians of some passes over all networks."""
    from scipy.stats import spearmanr

    from netwright.devices.cpu import Cpu

    made, device = architectures(), Cpu()
    times: list[list[float]] = [[] for _ in made]
    for turn in range(PASSES):
        order = list(range(len(made)))
        stream(0, turn, "minibench latency").shuffle(order)
        for network in order:
            times[network].append(device.profile(made[network], SIGNATURE).values["latency_ms"])
    (folder / "latency.json").write_text(json.dumps(times), encoding="utf-8")
    halves = np.array([[min(each[::2]), min(each[1::2])] for each in times])
    apart = np.median(np.abs(halves[:, 0] - halves[:, 1]) / halves.min(1))
    print(f"two halves of the passes: Spearman {spearmanr(*halves.T)[0]:.3f}, {apart:.1%} apart (median network)")


# ---- the table ----------------------------------------------------------------------------------------------------------


def _described() -> dict[str, Any]:
    splits = {"val": "validation", "test": "test", "train": "train"}
    columns: list[dict[str, Any]] = [
        {
            "pattern": rf"{short}_{end}\.(?P<seed>\d+)",
            "name": f"{short}_{end}",
            "metric": metric,
            "split": split,
            "dataset": "digits",
            "seed": "{seed}",
            "curve": True,
            **({"role": "info"} if short == "train" else {}),
        }
        for short, split in splits.items()
        for end, metric in (("acc", "accuracy"), ("loss", "log_loss"))
        if f"{short}_{end}" in CURVES
    ]
    cost = {"pattern": r"train_s\.(?P<seed>\d+)", "name": "train_s", "unit": "s", "role": "cost", "seed": "{seed}", "curve": True}
    columns += [cost, *({"field": name} for name in ("params", "flops", "latency_ms"))]
    return {
        "schema": 1,
        "name": "minibench",
        "title": f"A small cell space, all of it, on {TRAIN_ROWS} of scikit-learn's digits for {EPOCHS} epochs, {SEEDS} seeds",
        "space": "minibench",
        "whole": True,
        "signature": SIGNATURE.to_json(),
        "key": ["width", *minibench.EDGES],
        "default": "val_acc",
        "columns": columns,
        "licence": "Apache-2.0",
        "source": f"Netwright, on torch {torch.__version__}, {platform.machine()}",
        "made_by": "python benchmarks/minibench.py",
    }


def write(folder: Path, path: Path) -> None:
    """One row for each network, one list column for each curve and seed."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    made, done = architectures(), _read(folder)
    latencies = json.loads((folder / "latency.json").read_text(encoding="utf-8"))
    keys = [minibench.row(each) for each in made]
    columns: dict[str, Any] = {name: [key[name] for key in keys] for name in keys[0]}
    columns["width"] = pa.array(columns["width"], pa.int16())
    for name in CURVES:
        for seed in range(SEEDS):
            rows = [done[network, seed][name] for network in range(len(made))]
            columns[f"{name}.{seed}"] = pa.array(rows, pa.list_(pa.float32()))
    counts = [count(each, SIGNATURE) for each in made]
    columns["params"] = pa.array([each.params for each in counts], pa.int32())
    columns["flops"] = pa.array([each.flops for each in counts], pa.int32())
    columns["latency_ms"] = pa.array([min(each) for each in latencies], pa.float32())
    table = pa.table(columns).replace_schema_metadata({"netwright": json.dumps(_described())})
    pq.write_table(table, path, compression="zstd", compression_level=19)
    print(f"{path}: {table.num_rows} rows, {path.stat().st_size / 1e6:.2f} MB")


# ---- its noise ----------------------------------------------------------------------------------------------------------


def noise(path: Path = TABLE) -> dict[str, dict[str, float]]:
    """For each metric after the last epoch, how well the mean of one half of the seeds ranks as that of the other half does:
    Spearman, mean over all ways to halve them, not corrected for length; over all networks, and in the best tenth by all
    seeds. And how the means of all seeds are spread."""
    import pyarrow.parquet as pq
    from scipy.stats import spearmanr

    table = pq.read_table(path)
    params, flops = table["params"].to_numpy(), table["flops"].to_numpy()
    found = {}
    for name in ("val_acc", "test_acc", "val_loss", "test_loss"):
        sign = 1 if name.endswith("acc") else -1
        seeds = sum(column.startswith(f"{name}.") for column in table.column_names)
        last = np.array([[curve[-1] for curve in table[f"{name}.{seed}"].to_pylist()] for seed in range(seeds)])
        mean = last.mean(0)
        best = np.argsort(-sign * mean, kind="stable")[: round(len(mean) / 10)]
        halves = [half for half in combinations(range(seeds), seeds // 2) if seeds % 2 or 0 in half]

        def agreement(rows: Any, last: Any = last, halves: Any = halves, seeds: int = seeds) -> float:
            others = [[s for s in range(seeds) if s not in half] for half in halves]
            pairs = zip(halves, others, strict=True)
            return float(np.mean([spearmanr(last[list(a)][:, rows].mean(0), last[b][:, rows].mean(0))[0] for a, b in pairs]))

        order = np.sort(sign * mean)[::-1]
        found[name] = {
            "split-half": agreement(np.arange(len(mean))),
            "split-half, best tenth": agreement(best),
            "std over seeds": float(last.std(0, ddof=1).mean()),
            "std over seeds, best tenth": float(last[:, best].std(0, ddof=1).mean()),
            "best": float(sign * order[0]),
            "tenth": float(sign * order[len(best) - 1]),
            "median": float(np.median(mean)),
            "worst": float(sign * order[-1]),
            "rank with params": float(spearmanr(sign * mean, params)[0]),
            "rank with flops": float(spearmanr(sign * mean, flops)[0]),
            "share with an equal": float(np.mean([(mean == each).sum() > 1 for each in mean])),
            "share with an equal, one seed": float(np.mean([(last[0] == each).sum() > 1 for each in last[0]])),
        }
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("train", "latency", "write"):
        commands.add_parser(name).add_argument("folder", type=Path)
    commands.choices["train"].add_argument("--workers", type=int, default=2)
    commands.choices["write"].add_argument("table", type=Path, nargs="?", default=TABLE)
    commands.add_parser("noise").add_argument("table", type=Path, nargs="?", default=TABLE)
    given = parser.parse_args()
    if given.command == "train":
        train(given.folder, given.workers)
    elif given.command == "latency":
        latency(given.folder)
    elif given.command == "write":
        write(given.folder, given.table)
    else:
        told = noise(given.table)
        print(f"{'':32}" + "".join(f"{name:>12}" for name in told))
        for what in next(iter(told.values())):
            print(f"{what:32}" + "".join(f"{values[what]:12.4f}" for values in told.values()))


if __name__ == "__main__":
    main()
