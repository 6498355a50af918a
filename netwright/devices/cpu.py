"""This machine's CPU: latency measured on ONNX Runtime, batch 1, one thread unless said otherwise."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence

import numpy as np

from netwright.core.architecture import Architecture, Signature
from netwright.core.contracts import Device
from netwright.core.trial import Measurement
from netwright.nets.graph import to_onnx

__all__ = ["Cpu"]


class Cpu(Device):
    """``threads``: of one prediction. ``seconds``: spent timing, after a warm-up of a quarter of it."""

    def __init__(self, *, threads: int = 1, seconds: float = 0.05) -> None:
        self.threads, self.seconds = threads, seconds

    def refuses(self, architecture: Architecture, signature: Signature) -> Sequence[str]:
        return [f"{node.op} at {node.weights}" for node in architecture.nodes if node.op == "mix"]

    def profile(self, architecture: Architecture, signature: Signature) -> Measurement:
        """Median of single predictions. The graph is written from the nodes, its weights random: time does not depend on them."""
        return self.timed(to_onnx(architecture, signature, None).SerializeToString(), signature)

    def timed(self, model: bytes, signature: Signature) -> Measurement:
        """The same for an ONNX file's bytes."""
        import onnxruntime  # starts a thread, which a process that forks workers must not have

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self.threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        feed = {
            given.name: np.zeros((1, *tensor.shape), dtype=np.dtype(tensor.dtype))
            for given, (_, tensor) in zip(session.get_inputs(), signature.inputs, strict=True)
        }
        clock = time.perf_counter
        warm = clock() + self.seconds / 4
        runs = 0
        while runs < 5 or clock() < warm:
            session.run(None, feed)
            runs += 1
        times: list[float] = []
        end = clock() + self.seconds
        while len(times) < 15 or (clock() < end and len(times) < 5000):
            start = clock()
            session.run(None, feed)
            times.append((clock() - start) * 1e3)
        low, median, high = statistics.quantiles(times, n=4)
        return Measurement(
            {"latency_ms": median},
            cost={"latency": sum(times) / 1e3},
            notes={"latency_p25": low, "latency_p75": high, "runs": len(times), "threads": self.threads},
        )
