"""What a log says of time and rounds: what was spent, how long a run may go on, and which conclusions still stand."""

from __future__ import annotations

from collections.abc import Sequence

from netwright.core.contracts import Event
from netwright.recipe import Budget

__all__ = ["extended", "spent_s", "this_round", "total"]

_ENDING = frozenset({"finalist", "winner", "control", "unsealed", "tested", "result", "exported", "stopped", "finished"})


def this_round(events: Sequence[Event]) -> list[Event]:
    """The log without what concluded the run before it was last extended: that is done anew."""
    last = max((event.number for event in events if event.kind == "session" and event.body.get("extended")), default=0)
    return [event for event in events if event.number > last or event.kind not in _ENDING]


def total(events: Sequence[Event], budget: Budget) -> Budget:
    """The budget with all that it was given since: that of the last session."""
    told = [event.body["budget"] for event in events if event.kind == "session"]
    return Budget(told[-1]["seconds"], told[-1]["trials"]) if told else budget


def extended(events: Sequence[Event], more: Budget) -> Budget:
    """A finished run goes on for as long, or as many trials, as it is now given; the old bounds are spent."""
    done = sum(event.kind == "proposed" for event in events)
    return Budget(
        None if more.seconds is None else spent_s(events) + more.seconds,
        None if more.trials is None else done + more.trials,
    )


def spent_s(events: Sequence[Event]) -> float:
    """Wall-clock seconds of all earlier sessions, each until its last event."""
    total, began, last = 0.0, None, 0.0
    for event in events:
        if event.kind == "session":
            total += last - began if began is not None else 0.0
            began = float(event.body["started"])
        last = event.at
    return total + (last - began if began is not None else 0.0)
