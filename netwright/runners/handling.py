"""What every runner does with one job: call its handler, and turn whatever comes of it into strict JSON steps."""

from __future__ import annotations

import errno
import importlib
import json
import math
import re
import traceback
from collections.abc import Callable, Generator, Iterator, Mapping
from typing import Any

__all__ = ["ENDS", "Handler", "Step", "encode", "failure", "is_memory", "out_of_memory", "resolve", "steps"]

Step = dict[str, Any]
"""``{"kind": "measured" | "finished" | "infeasible" | "failed", "body": {…}, "reason": "…"}``"""

Handler = Callable[[str, Mapping[str, Any]], Iterator[Mapping[str, Any]]]
"""Does one job: takes its kind and its body, yields steps, the last of them one of :data:`ENDS`."""

ENDS = frozenset({"finished", "infeasible", "failed"})

_MEMORY = re.compile(
    r"can't allocate memory|cannot allocate memory|failed to allocate memory|bad_alloc|bad allocation|not enough memory"
    r"|out of memory|unable to allocate|can't start new thread",
    re.IGNORECASE,
)


def resolve(setup: str) -> Callable[[Mapping[str, Any]], Handler]:
    """The function that ``module:function`` names; called with its argument it gives the handler."""
    module, _, name = setup.partition(":")
    found: Callable[[Mapping[str, Any]], Handler] = getattr(importlib.import_module(module), name)
    return found


def encode(message: Mapping[str, Any]) -> bytes:
    """Strict JSON. Raises ValueError where a number is not finite, TypeError where something is not JSON at all."""
    return json.dumps(message, allow_nan=False, separators=(",", ":")).encode()


def is_memory(error: BaseException) -> bool:
    """Whether that was a want of memory; torch and ONNX Runtime say so in a RuntimeError."""
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    return isinstance(error, MemoryError) or (isinstance(error, RuntimeError) and bool(_MEMORY.search(str(error))))


def out_of_memory(text: str, limit_gib: float | None) -> str:
    """The reason to give. ``text``: what the library said, which tells a GPU's memory from the worker's own."""
    if "CUDA" in text:
        return "out of GPU memory"
    return f"out of memory (limit {limit_gib:.2g} GiB)" if limit_gib else "out of memory"


def failure(error: BaseException, limit_gib: float | None = None) -> Step:
    """The step for an exception: one line, and the traceback in the body."""
    if is_memory(error):
        reason = out_of_memory(str(error), limit_gib)
    else:
        reason = " ".join(f"{type(error).__name__}: {error}".split()).removesuffix(": ")[:500]
    trace = "".join(traceback.format_exception(error))[-4000:]
    return {"kind": "failed", "body": {"traceback": trace}, "reason": reason, "retire": is_memory(error)}


def steps(handler: Handler, kind: str, body: Mapping[str, Any], limit_gib: float | None = None) -> Generator[Step, None, None]:
    """The steps of one job; whatever the handler does, the last is one of :data:`ENDS`. Closing it closes the handler's."""
    stream: Iterator[Mapping[str, Any]] | None = None
    try:
        stream = iter(handler(kind, body))
        for step in stream:
            checked = _checked(step)
            yield checked
            if checked["kind"] in ENDS:
                return
        yield {"kind": "failed", "body": {}, "reason": "the work ended without a result"}
    except (Exception, SystemExit) as error:  # Whatever it raises is the failure of its job alone.
        yield failure(error, limit_gib)
    finally:
        if stream is not None and hasattr(stream, "close"):
            stream.close()


def _checked(step: Mapping[str, Any]) -> Step:
    """The step as the other side will read it; a failed one where it is no step."""
    kind, body, reason = step.get("kind"), step.get("body", {}), str(step.get("reason", ""))
    if kind not in ENDS and kind != "measured":
        return {"kind": "failed", "body": {}, "reason": f"a step has the unknown kind {kind!r}"}
    if (name := _not_finite(body)) is not None:
        return {"kind": "failed", "body": {}, "reason": f"{name} is not finite"}
    try:
        read: Step = json.loads(encode({"kind": kind, "body": dict(body), "reason": reason}))
    except (TypeError, ValueError) as error:
        return {"kind": "failed", "body": {}, "reason": f"a step is not JSON: {error}"}
    return read


def _not_finite(value: Any, name: str = "a value") -> str | None:
    """The name of the first number that is not finite."""
    if isinstance(value, float):
        return None if math.isfinite(value) else name
    pairs = value.items() if isinstance(value, Mapping) else ((name, v) for v in value) if isinstance(value, list | tuple) else ()
    return next((found for key, item in pairs if (found := _not_finite(item, str(key)))), None)
