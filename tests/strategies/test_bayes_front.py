"""Bayesian optimisation of several objectives: what it chooses from, and what it finds."""

import numpy as np
import pytest

from netwright.bench.measure import course
from netwright.bench.plan import Budget, Plan
from netwright.bench.play import play
from netwright.bench.problem import posed
from netwright.core.picks import sample
from netwright.core.seeds import stream
from netwright.core.trial import Fidelity, History, Measurement, Proposal, Trial
from netwright.layers.canonical import canonical
from netwright.registry import part
from netwright.strategies.candidates import Candidates
from netwright.testing.playing import SPACES, goals

pytest.importorskip("botorch", reason="an extra, netwright[bo]", exc_type=ImportError)


def test_networks_that_compute_the_same_are_told_apart_as_they_may_take_different_times() -> None:
    space = SPACES["cell"]
    each, once = (Candidates(space, 0, "onehot", each=each).pool(History(), 0, ()) for each in (True, False))
    assert each.free.all()
    assert once.free.sum() == len({canonical(a) for a in once.architectures}) < len(each.architectures)
    known = each.architectures[0]
    assert each.without([known]).free.sum() == len(each.architectures) - 1
    assert once.without([known]).free.sum() == once.free.sum() - 1


def test_a_batch_is_of_different_ones() -> None:
    space, goal = SPACES["wired"], goals()["two"]
    strategy = part("strategies", "bayes")(space, goal, 0)
    history = History()
    for number in range(8):
        trial = Trial(number, Proposal(sample(space, stream(0, number, "known"))))
        values = {"accuracy": len(trial.architecture.nodes) / 20, "latency_ms": float(number % 3)}
        history.propose(trial)
        history.update(trial.measured(Measurement(values, Fidelity(1))).ended("finished", ""))
    proposed = strategy.ask(history, 4)
    assert len({p.architecture.trace for p in proposed}) == 4


def test_it_finds_the_front_of_a_table_long_before_chance_does() -> None:
    plan = Plan("minibench", ("bayes", "random"), ("maximize val_acc", "minimize latency_ms"), budget=Budget(40))
    problem = posed(plan)
    missing = {name: np.mean([course(problem, play(problem, name, s)).regret_at(40) for s in (0, 1)]) for name in plan.strategies}
    assert missing["bayes"] < 0.5 * missing["random"]
