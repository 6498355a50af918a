"""The policy of reinforce: its questions, its gradient, its rewards, and what it remembers."""

from collections import Counter

import numpy as np
import pytest

from netwright.core.picks import sample
from netwright.core.seeds import stream
from netwright.core.space import Cell, Choice, Edge, Repeat, Space, Subset, op
from netwright.core.terms import Limited
from netwright.core.trial import Fidelity, History, Measurement, Proposal, Trial
from netwright.errors import RecipeError
from netwright.registry import listed, part
from netwright.strategies.policy.controller import Batch, Controller
from netwright.strategies.policy.policy import Policy
from netwright.strategies.policy.questions import Question, answered
from netwright.strategies.policy.search import rewards
from netwright.testing import strategy as kit

SMALL = Space(Repeat(Choice(op("conv", kernel=3, width=Choice(8, 16)), op("identity")), Choice(1, 2)))
WIRED = Space(Cell((Subset(tuple(Edge(0, op(name)) for name in ("identity", "zero", "avg_pool")), 1, 2),)))


def _trained(space: Space, steps: int = 5) -> Policy:
    policy = Policy(space, Controller(3, units=5, rate=0.2))
    for n in range(steps):
        batch = Batch.of([policy.steps(policy.draw(stream(0, 10 * n + k, "draw"))) for k in range(6)])
        gains = np.linspace(-1, 1, 6)[:, None]
        policy.controller.ascend(policy.controller.gradient(batch, lambda logs, gains=gains: gains + 0 * logs, 0.0))
        policy.changed()
    return policy


@pytest.mark.parametrize("space", [SMALL, WIRED])
def test_the_gradient_is_that_of_finite_differences(space: Space) -> None:
    policy = _trained(space)
    controller, entropy = policy.controller, 0.3
    batch = Batch.of([policy.steps(policy.draw(stream(1, k, "draw"))) for k in range(7)])
    gains = np.linspace(-1, 2, 7)[:, None]

    def objective() -> float:
        logs = controller.forward(batch)[2]
        chances = np.exp(logs)
        apart = np.where(chances > 0, logs - np.where(chances > 0, batch.prior, 0.0), 0.0)
        divergence = ((chances * apart).sum(-1) * batch.asked).sum(1)
        return float((gains * controller.likelihood(batch)).sum(1).mean() - entropy * divergence.mean())

    found = controller.gradient(batch, lambda logs: gains + 0 * logs, entropy)
    for name, values in controller.parameters.items():
        flat, slope = values.reshape(-1), found[name].reshape(-1)
        for place in np.argsort(-np.abs(slope))[:6]:
            kept, step = flat[place], 1e-5
            flat[place] = kept + step
            above = objective()
            flat[place] = kept - step
            below = objective()
            flat[place] = kept
            assert slope[place] == pytest.approx((above - below) / (2 * step), rel=1e-4, abs=1e-7), name


def test_probabilities_of_all_architectures_add_up_to_one() -> None:
    for space in (SMALL, WIRED):
        policy = _trained(space)
        members = {a.trace: a for a in (sample(space, stream(5, n, "all")) for n in range(300))}
        batch = Batch.of([policy.steps(architecture) for architecture in members.values()])
        assert np.exp(policy.controller.likelihood(batch).sum(1)).sum() == pytest.approx(1.0)


def test_one_at_a_time_it_thinks_as_it_does_of_many() -> None:
    policy = _trained(WIRED)
    members = {a.trace: a for a in (sample(WIRED, stream(5, n, "all")) for n in range(100))}
    batch = Batch.of([policy.steps(a) for a in members.values()])
    wanted = dict(zip(members, np.exp(policy.controller.likelihood(batch).sum(1)), strict=True))
    drawn = Counter(policy.draw(stream(6, n, "drawn")).trace for n in range(4000))
    for trace, chance in wanted.items():
        assert drawn[trace] / 4000 == pytest.approx(chance, abs=0.04)


def test_without_an_opinion_a_subset_is_drawn_uniformly() -> None:
    whole = Subset((op("a"), op("b"), op("c")), 1, 2)
    some = Limited(whole, ((0,), (0, 2), (1,)), (1, 6, 3))

    def drawn(hole: Subset | Limited) -> Counter[object]:
        rng = stream(0, 0, "subset")

        def reply(question: Question) -> int:
            return int(rng.random() * sum(question.weights) >= question.weights[0])

        return Counter(answered("x", hole, reply) for _ in range(6000))

    found = drawn(whole)
    assert set(found) == {whole.at(index) for index in range(whole.count)}
    assert all(count / 6000 == pytest.approx(1 / 6, abs=0.03) for count in found.values())
    assert {answer: round(count / 6000, 1) for answer, count in drawn(some).items()} == {(0,): 0.1, (0, 2): 0.6, (1,): 0.3}


def test_parameters_do_not_depend_on_the_order_of_questions() -> None:
    a, b = Controller(1), Controller(1)
    a.place("x", 3), a.place("y", 2)
    b.place("y", 2), b.place("x", 3)
    for name in ("x", "y"):
        first, second = (c.parameters["answer"][c.places[name]] for c in (a, b))
        assert np.array_equal(first, second)


def test_rewards_are_ranks_and_failures_are_the_worst() -> None:
    goal, architecture = kit.goals()["limited"], sample(SMALL, stream(0, 0, "one"))

    def trial(number: int, **values: float) -> Trial:
        made = Trial(number, Proposal(architecture)).measured(Measurement(values, Fidelity(1)))
        return made.ended("infeasible" if values["latency_ms"] > 8 else "finished")

    some = [trial(0, accuracy=0.5, latency_ms=1), trial(1, accuracy=0.9, latency_ms=1), trial(2, accuracy=0.5, latency_ms=1)]
    broken, failed = trial(3, accuracy=0.99, latency_ms=9), Trial(4, Proposal(architecture)).ended("failed")
    found = rewards(goal, [*some, broken, failed])
    assert found[1] > found[0] == found[2] > found[3] > found[4]
    assert found.mean() == pytest.approx(0)
    assert found.std() == pytest.approx(1)
    assert not rewards(goal, [some[0], some[2]]).any()


@pytest.mark.parametrize("name", ["reinforce", "ppo"])
def test_a_new_object_goes_on_as_the_old_one_after_much_learning(name: str) -> None:
    space, goal = kit.SPACES["cell"], kit.goals()["one"]
    old = part("strategies", name)(space, goal, 1)
    history = kit.played(old, goal, 95)
    new = part("strategies", name)(space, goal, 1)
    again = History(history.ended)
    assert [p.architecture.trace for p in old.ask(history, 5)] == [p.architecture.trace for p in new.ask(again, 5)]
    other = History(history.ended[30:])
    fresh = part("strategies", name)(space, goal, 1)
    assert [p.architecture.trace for p in old.ask(other, 3)] == [p.architecture.trace for p in fresh.ask(other, 3)]


def test_it_repeats_nothing_while_something_new_is_left() -> None:
    goal = kit.goals()["one"]
    history = kit.played(part("strategies", "reinforce")(kit.SPACES["cell"], goal, 0), goal, 200)
    assert len({trial.architecture.trace for trial in history}) == 200


@pytest.mark.parametrize("options", [{"batch": 0}, {"rate": 0.0}, {"decay": 1.0}, {"entropy": -1.0}, {"units": 0}])
def test_it_refuses_settings_that_cannot_be(options: dict[str, float]) -> None:
    with pytest.raises(RecipeError, match="do not fit"):
        part("strategies", "reinforce")(SMALL, kit.goals()["one"], 0, **options)


def test_the_policy_is_no_strategy() -> None:
    assert "policy" not in listed("strategies")
