"""What strategies share that train the promising longer: a ladder of fidelities, steps on it, what the inner strategy sees."""

from __future__ import annotations

from bisect import insort
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

from netwright.core.contracts import Prospect
from netwright.core.objectives import Goal
from netwright.core.trial import Fidelity, History, Proposal, Trial
from netwright.errors import RecipeError

__all__ = ["Ladder", "Ranking", "best", "hopeless", "view"]


class Ladder:
    """The epochs at which trials are compared, ascending, the last those of a full evaluation.

    Each rung is at least ``eta`` times the one below it: among those at which the estimator measures, or any number of epochs.
    ``most``: rungs at most, counted from above.
    """

    def __init__(self, prospect: Prospect, eta: int, most: int, name: str) -> None:
        if eta < 2 or most < 1:
            raise RecipeError(
                f"eta {eta} and rungs {most} do not fit", where=f"strategy {name}", todo="Use eta >= 2, rungs >= 1."
            )
        self.full, self.eta = prospect.full, eta
        top = prospect.full.epochs
        known = prospect.rungs or range(1, top + 1)
        found = [max((epochs for epochs in known if epochs <= top), default=top)]
        for epochs in sorted(known, reverse=True):
            if len(found) < most and epochs * eta <= found[-1]:
                found.append(epochs)
        self.epochs = tuple(sorted(found))

    def __len__(self) -> int:
        return len(self.epochs)

    @property
    def remark(self) -> str:
        """A sentence where there is nothing to promote to."""
        if len(self) > 1:
            return ""
        return f"multi-fidelity with one rung, of {self.epochs[0]} epochs: every trial is a full evaluation"

    def fidelity(self, rung: int) -> Fidelity:
        return replace(self.full, epochs=self.epochs[rung], of=self.full.epochs)

    def step(self, trial: Trial, rung: int, **notes: object) -> Proposal:
        """What goes on with a trial, up to a rung."""
        kept = {key: value for key, value in trial.proposal.notes.items() if key not in ("screened", "twin")}
        return replace(
            trial.proposal, fidelity=self.fidelity(rung), continues=trial.number, notes={**kept, "rung": rung, **notes}
        )

    def start(self, proposal: Proposal, rung: int, **notes: object) -> Proposal:
        """A new architecture, on a rung."""
        return replace(proposal, fidelity=self.fidelity(rung), notes={**proposal.notes, "rung": rung, **notes})


@dataclass
class Ranking:
    """The trials of a rung from the best on, as :meth:`Goal.ranked` has them, without those that cannot be promoted. A cache: it
    takes in what has come since, and begins anew where it is asked about other trials."""

    goal: Goal
    _count: int = 0
    _last: Trial | None = None
    _order: list[tuple[float, int, Trial]] = field(default_factory=list)
    _ranked: list[Trial] = field(default_factory=list)

    def of(self, trials: Sequence[Trial]) -> list[Trial]:
        if len(trials) < self._count or (self._count and trials[self._count - 1] is not self._last):
            self._count, self._order = 0, []
        if len(trials) > self._count or not trials:
            self._take(trials)
        return self._ranked

    def _take(self, trials: Sequence[Trial]) -> None:
        if len(self.goal.objectives) > 1:
            self._ranked = [trial for trial in self.goal.ranked(trials) if self._may_go_on(trial)]
        else:
            for place in range(self._count, len(trials)):
                if self._may_go_on(trials[place]):
                    insort(self._order, (self.goal.costs(trials[place])[0], place, trials[place]))
            self._ranked = [trial for _, _, trial in self._order]
        self._count, self._last = len(trials), trials[-1] if trials else None

    def _may_go_on(self, trial: Trial) -> bool:
        return trial.state == "finished" and self.goal.met(trial)


def best(ranked: Sequence[Trial], most: int, without: Collection[int]) -> list[Trial]:
    """The first ``most`` of them, but for those of ``without``."""
    return [trial for trial in ranked[:most] if trial.number not in without]


def view(history: History, ladder: Ladder, enough: int, next_number: int) -> History:
    """What the inner strategy sees: one trial for each architecture, under the number at which it was proposed, measured at the
    highest rung that ``enough`` have reached (Falkner et al. 2018, arXiv:1807.01774), else at the one with the most."""
    counts = [len(history.rungs.get(epochs, ())) for epochs in ladder.epochs]
    filled = [rung for rung, count in enumerate(counts) if count >= enough]
    rung = filled[-1] if filled else max(range(len(counts)), key=lambda k: (counts[k], k))
    seen = {history.root(trial.number): _merged(history, trial) for trial in history.rungs.get(ladder.epochs[rung], ())}
    for trial in history.ended:  # what has no values is told too
        if trial.state in ("failed", "infeasible"):
            seen.setdefault(history.root(trial.number), _merged(history, trial))
    pending = {history.root(number): _merged(history, trial) for number, trial in history.pending.items()}
    return history.narrowed([*seen.values()], [t for root, t in pending.items() if root not in seen], next_number)


def _merged(history: History, trial: Trial) -> Trial:
    """A step as the trial that its architecture was proposed as."""
    root = history.root(trial.number)
    return trial if root == trial.number else replace(trial, number=root, proposal=history[root].proposal)


def hopeless(trial: Trial, history: History, goal: Goal) -> bool:
    """Whether a forecast of its latest measurement says that it cannot win: what is foretold at best is worse than what a whole
    evaluation has come to. Never, where there are several objectives."""
    told = trial.measurements[-1].notes.get("forecast") if trial.measurements else None
    if not told or len(goal.objectives) > 1 or told["metric"] != goal.primary.key:
        return False
    hope = goal.primary.cost(told["high"] if goal.primary.maximize else told["low"])
    return any(goal.met(other) and goal.costs(other)[0] < hope for other in history.rungs.get(told["at"], ()))
