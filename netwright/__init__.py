"""Netwright finds small neural networks for your data and your limits, and says honestly what the search gained."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from netwright.api import Run, resume, search
    from netwright.core.contracts import Task
    from netwright.core.space import Choice

__all__ = ["Choice", "Run", "Task", "resume", "search"]

_ROOMS = {"Choice": "core.space", "Task": "core.contracts"}


def __getattr__(name: str) -> Any:
    """Loaded on first use, so that ``import netwright`` stays light."""
    if name not in __all__:
        raise AttributeError(f"module 'netwright' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(f"netwright.{_ROOMS.get(name, 'api')}"), name)


def __dir__() -> list[str]:
    return __all__
