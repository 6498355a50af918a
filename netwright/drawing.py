"""What ``netwright draw`` draws: a run's network, a space, a member of a space, or the difference of two networks."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from netwright import compose, example
from netwright.api import Run
from netwright.core.architecture import Architecture, Signature, trace_from_json
from netwright.core.picks import replayed, sample
from netwright.core.seeds import stream
from netwright.core.size import size
from netwright.core.space import Space
from netwright.errors import RecipeError, RunError
from netwright.layers.counts import count
from netwright.recipe import Recipe
from netwright.report.difference import changes, draw_difference
from netwright.report.draw import draw
from netwright.report.draw_space import draw_space
from netwright.report.words import told

__all__ = ["Picture", "picture"]


@dataclass(frozen=True)
class Picture:
    """An SVG, what a file with it may be called, and facts about what it shows."""

    svg: str
    name: str
    facts: dict[str, Any]


@dataclass(frozen=True)
class _Network:
    """One architecture, what it is called, and where it comes from."""

    name: str
    architecture: Architecture
    signature: Signature
    space: Space


def picture(
    what: str,
    *,
    trial: int | None = None,
    seed: int | None = None,
    trace: str = "",
    against: str = "",
    inputs: Sequence[str] = (),
    outputs: int | None = None,
    settings: Mapping[str, Any] | None = None,
) -> Picture:
    """Draw ``what``: a run's folder (its winner, or a ``trial``), or a space by name (itself, or the member of a ``seed`` or of
    a file with a ``trace``).

    ``against``: what that is compared with: a trial, a seed, a file, or another run. Raises a :class:`UserError` for what is not
    there.
    """
    if _is_run(what):
        if seed is not None or trace or inputs or outputs is not None or settings:
            raise RecipeError(
                "it is a run, whose data and members are known", where=what, todo="Only --trial and --against fit it."
            )
        first = _of_run(Path(what), "" if trial is None else str(trial))
        if not against:
            return _one(first)
        return _compared(first, _of_run(Path(what), against) if against.isdigit() else _other(first, against))
    if trial is not None:
        raise RecipeError("it is a space, which has no trials", where=what, todo="Choose a member with --seed or --trace.")
    space, signature = example.look(what, inputs, outputs, settings)
    if seed is None and not trace:
        if against:
            raise RecipeError("a whole space is compared with nothing", todo="Choose a member of it with --seed or --trace.")
        return _space(space)
    first = _of_space(space, signature, trace or str(seed))
    return _compared(first, _of_space(space, signature, against)) if against else _one(first)


# ---- finding it -------------------------------------------------------------------------------------------------------


def _is_run(what: str) -> bool:
    path = Path(what)
    return path.is_dir() or (len(path.parts) > 1 and ":" not in what)


def _of_run(folder: Path, member: str = "") -> _Network:
    """The winner of a run, or one of its trials."""
    run = Run(folder)
    if member and not member.isdigit():
        raise RecipeError(f"{member!r} is no trial", where=str(folder), todo="Give its number, for instance --trial 3.")
    best = None if member else run.best
    if not member and best is None:
        raise RunError("no trial has finished yet", where=str(folder), todo="Name one with --trial N.")
    number = int(member) if best is None else best.trial
    architecture, known = run.architecture(number), run.facts
    signature = Signature.from_json(known.created["signature"])
    space, _ = compose.build_space(Recipe.from_json(known.recipe), signature)
    kind = "trial" if best is None else "winner, trial"
    return _Network(f"{folder.name}, {kind} {number}", architecture, signature, space)


def _of_space(space: Space, signature: Signature, member: str) -> _Network:
    """The member of a seed, or of a file with a trace or with a whole architecture."""
    if member.isdigit():
        return _Network(f"{space.name}, seed {member}", sample(space, stream(int(member), 0, "draw")), signature, space)
    path = Path(member)
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        trace = dict(trace_from_json(data.get("trace", data)))
    except OSError as error:
        raise RecipeError(
            f"cannot be read ({error.strerror})", where=member, todo="Give a seed, or a file with a trace."
        ) from None
    except (ValueError, AttributeError):
        todo = 'Give JSON such as {"net.0.width": 1}, or an architecture.json.'
        raise RecipeError("is not a trace", where=member, todo=todo) from None
    return _Network(f"{space.name}, {path.name}", replayed(space, trace), signature, space)


def _other(first: _Network, against: str) -> _Network:
    """Another run's winner, or the network of a file in the run's own space."""
    return (
        _of_run(Path(against))
        if _is_run(against) and not Path(against).is_file()
        else _of_space(first.space, first.signature, against)
    )


# ---- drawing it -------------------------------------------------------------------------------------------------------


def _space(space: Space) -> Picture:
    held = size(space)
    said = f"{held} architectures" if held.count != 1 else "1 architecture"
    facts = {"kind": "space", "name": space.name, "digest": space.digest, "size": held.count, "exact": held.exact}
    return Picture(draw_space(space, told=said), space.name, facts)


def _one(network: _Network) -> Picture:
    architecture = network.architecture
    values = count(architecture, network.signature).values
    peak = told("peak_kib", values["peak_kib"])
    said = f"{values['params']:,.0f} parameters, {_short(values['flops'] / 1e6)} MFLOPs, {peak} at peak"
    svg = draw(architecture, network.signature, title=f"{network.name} · {architecture.id}", told=said)
    facts = {"kind": "network", "name": network.name, "id": architecture.id, "layers": len(architecture.nodes), "counts": values}
    return Picture(svg, network.name, facts)


def _compared(old: _Network, new: _Network) -> Picture:
    if old.signature != new.signature:
        raise RecipeError(f"{old.name} and {new.name} have other inputs or outputs", todo="Compare networks for the same data.")
    space = old.space if old.space.digest == new.space.digest else None
    names = old.name.rpartition(", ")[2], new.name.rpartition(", ")[2]
    svg = draw_difference(
        old.architecture, new.architecture, old.signature, names=names, space=space, title=f"{old.name} → {new.name}"
    )
    found = changes(old.architecture, new.architecture, old.signature, space)
    facts = {"kind": "difference", "old": {"name": old.name, "id": old.architecture.id}}
    facts |= {"new": {"name": new.name, "id": new.architecture.id}, **found.to_json()}
    return Picture(svg, f"{old.name} to {new.name}", facts)


def _short(number: float) -> str:
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"
