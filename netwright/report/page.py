"""The report: one HTML file that needs nothing else, made from the facts of a run."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable
from html import escape
from pathlib import Path
from string import Template

from netwright.core.architecture import Architecture, Signature
from netwright.core.contracts import Event
from netwright.report import outcome, sections, tabled
from netwright.report.facts import Facts, facts

__all__ = ["page", "whole", "write"]

_ROOM = Path(__file__).parent


def page(facts: Facts, *, name: str = "run", recipe: str = "", architecture: Architecture | None = None) -> str:
    """The whole page. ``name``: the run folder, as commands take it; ``recipe``: its TOML text; ``architecture``: what is drawn
    where the log itself does not hold the winner's graph."""
    if architecture is None and facts.network is not None:
        architecture = Architecture.from_json(facts.network)
    signature = facts.created.get("signature")
    replayed = bool(facts.recipe.get("table"))
    parts = [
        outcome.head(facts, name),
        outcome.tiles(facts),
        tabled.beside(facts) if replayed else outcome.gain(facts),
        sections.network(facts, architecture, Signature.from_json(signature) if signature else None),
        sections.front(facts),
        outcome.control(facts),
        tabled.time(facts) if replayed else sections.time(facts),
        sections.trials(facts),
        tabled.data(facts) if replayed else sections.data(facts),
        sections.recipe(facts, name, recipe or json.dumps(facts.recipe, indent=2, ensure_ascii=False)),
        tabled.notes(facts) if replayed else sections.notes(facts),
    ]
    return whole(f"{facts.task.get('name', name)} – Netwright", parts, str(facts.created.get("version", "")))


def whole(title: str, parts: Iterable[str], version: str, *, source: str = "from the log of the run", style: str = "") -> str:
    """A page of the house from its parts; empty ones are left out. ``style``: what its plots need besides."""
    return Template((_ROOM / "page.html").read_text(encoding="utf-8")).substitute(
        title=escape(title),
        style="\n".join(filter(None, [(_ROOM / "style.css").read_text(encoding="utf-8"), style])),
        version=escape(version),
        source=escape(source),
        body="\n".join(part for part in parts if part),
    )


def write(events: Iterable[Event], folder: Path, *, running: bool | None = None) -> Path:
    """Write ``report.html`` into a run's folder, in one step: a reader sees the old page or the new one, never half of one."""
    path = folder / "report.html"
    text = page(
        facts(events, running=running),
        name=str(folder),
        recipe=_text(folder / "recipe.toml"),
        architecture=_exported(folder / "model" / "architecture.json"),
    )
    handle, draft = tempfile.mkstemp(dir=folder, prefix=".report-", suffix=".html")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
        Path(draft).chmod(0o644)
        Path(draft).replace(path)
    except OSError:
        Path(draft).unlink(missing_ok=True)
        raise
    return path


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def _exported(path: Path) -> Architecture | None:
    """The architecture beside the exported model, where there is one and it is whole."""
    try:
        return Architecture.from_json(json.loads(_text(path))) if path.is_file() else None
    except (ValueError, KeyError, TypeError):
        return None
