"""Netwright finds small neural networks for your data and your limits, and says honestly what the search gained."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from netwright.api import Run, resume, search
    from netwright.core.contracts import Task

__all__ = ["Run", "Task", "resume", "search"]


def __getattr__(name: str) -> Any:
    """Loaded on first use, so that ``import netwright`` stays light."""
    if name not in __all__:
        raise AttributeError(f"module 'netwright' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module("netwright.core.contracts" if name == "Task" else "netwright.api"), name)


def __dir__() -> list[str]:
    return __all__
