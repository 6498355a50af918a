"""The course of a run: forecast, search, winner, control arm, sealed test, export, report; nothing twice."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from netwright import compose, control, opening
from netwright.core.architecture import Architecture
from netwright.core.contracts import Event
from netwright.core.trial import History, Proposal, Trial
from netwright.errors import RunError
from netwright.forecast import Forecast, forecast
from netwright.loop import Loop, read_history
from netwright.report import page
from netwright.report.facts import facts
from netwright.session import Session

__all__ = ["exported", "forecasted", "reported", "work"]

_STOPPED = {
    "deadline": "the time for searching was up",
    "trials": "all trials of the budget were made",
    "done": "the strategy had nothing more to try",
}


def work(session: Session, first: list[Proposal], began: float, before: float = 0.0) -> None:
    """Forecast, search, fix the winner, train the control arm, open the test, export, report. Each step that the log holds
    already is not done again."""
    try:
        history = _search(session, first)
        _conclude(session, history.finished)
        _finish(session, len(history.ended), time.time() - began + before)
    except KeyboardInterrupt:
        session.write("stopped", reason="interrupted", text="stopped by hand")
        raise


def _search(session: Session, first: list[Proposal]) -> History:
    planned = forecasted(session)
    history = read_history(session.log, session.space)
    if session.of("winner"):
        return history
    slots = session.runner.slots()
    prospect = session.estimator.prospect(session.goal, full=planned.fidelity, trials=planned.trials, slots=slots)
    prospect = replace(prospect, seconds=planned.trial_s)
    session.strategy = compose.build_strategy(session.recipe, session.space, session.goal, prospect)
    loop = Loop(
        session.space,
        session.goal,
        session.strategy,
        session.runner,
        session.store,
        history,
        planned.fidelity,
        session.recipe.budget.trials,
        None if session.deadline is None else session.deadline - planned.final_s,
        None if session.deadline is None else session.deadline,
        max(30.0, 20.0 * planned.trial_s),  # a trial that takes longer is taken to hang
        first,
        session.screened,
        session.ledger,
        session.noted,
        twins=True,
    )
    reason = loop.run()
    session.write("stopped", reason=reason, text=_STOPPED[reason])
    return history


def forecasted(session: Session) -> Forecast:
    told = session.of("forecast")
    if told:
        return Forecast.from_json(dict(told[-1].body))
    planned = forecast(session)
    session.write("forecast", **planned.to_json())
    return planned


def _conclude(session: Session, finished: Sequence[Trial]) -> None:
    """Winner, control arm, test, export: the final share of the budget."""

    planned = forecasted(session)

    def until(share: float) -> float | None:
        return None if session.deadline is None else session.deadline - share * planned.closing_s

    winner, values = control.choose(session, finished, planned.finalists)
    control.train_arms(session, winner, values, planned, until(1.0))
    if not session.of("result"):
        control.unseal(session, until(0.7))
    session.ledger.turn("export")
    exported(session, winner.architecture, "model")


def _finish(session: Session, trials: int, wall_s: float) -> None:
    session.ledger.turn("report")
    spent = session.ledger.totals()
    overhead = sum(spent.get(kind, 0.0) for kind in ("idle", "start", "data"))
    session.write(
        "finished",
        wall_s=round(wall_s, 2),
        search_s=round(spent.get("busy", 0.0), 2),
        overhead_s=round(overhead, 2),
        trials=trials,
        spent=spent,
    )
    reported(session.folder, session.log, False)
    for event in session.of("measured"):  # of beginnings; the weights of final trainings are in other events
        if event.body.get("checkpoint"):
            session.store.remove(event.body["checkpoint"])
    opening.tidy(session.folder)


def exported(session: Session, architecture: Architecture, to: str, *, int8: bool = False) -> Path:
    """Write the folder ``to`` from the architecture's first final training, prove it, and note it in the log."""
    trained = [e.body for e in session.of("control") if e.body.get("checkpoint") and e.body["id"] == architecture.id]
    if not trained:
        raise RunError("its final training failed or was cut", where=str(session.folder), todo="Use `netwright resume`.")
    from netwright.export.write import export_model  # loads torch, which only looking at a run does not need

    body = export_model(
        session.folder / to,
        architecture,
        session.task,
        session.store.get(trained[0]["checkpoint"]),
        facts(session.log).to_json(),
        compose.build_device(session.recipe),
        int8=int8,
    )
    session.write("exported", **body)
    return session.folder / to


def reported(folder: Path, log: Sequence[Event], running: bool) -> Path:
    """Write ``report.html``. ``running``: whether somebody works on the run now."""
    return page.write(log, folder, running=running)
