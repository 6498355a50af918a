"""Random, grid, local, evolution, NSGA-II: what each does beyond what the kit asks of all."""

import pytest

from netwright.core.metrics import parse_limit, parse_objective
from netwright.core.objectives import Goal
from netwright.core.picks import mutate, neighbours, sample
from netwright.core.seeds import stream
from netwright.core.size import size
from netwright.core.space import Choice, Repeat, Seq, Space, op
from netwright.core.trial import History, Measurement, Proposal, Trial
from netwright.errors import RecipeError
from netwright.layers.canonical import canonical
from netwright.registry import part
from netwright.strategies._fresh import Fold
from netwright.testing import strategy as kit
from netwright.testing.playing import additive

CELL = kit.SPACES["cell"]
ONE, TWO = kit.goals()["one"], kit.goals()["two"]
SMALL = Space(Seq(op("conv", width=Choice(8, 16, 32)), op("conv", kernel=Choice(1, 3, 5, 7), width=Choice(8, 16))), name="small")


def strategy(name: str, space: Space = CELL, goal: Goal = ONE, seed: int = 0, **settings):
    return part("strategies", name)(space, goal, seed, **settings)


def told(architecture, accuracy: float, number: int, latency: float = 0.0, **notes: int) -> Trial:
    values = {"accuracy": accuracy, "latency_ms": latency}
    return Trial(number, Proposal(architecture, notes=notes)).measured(Measurement(values)).ended("finished")


def drawn(space: Space, count: int, seed: int = 0):
    rng = stream(seed, 0, "test")
    found = {a.trace: a for a in (sample(space, rng) for _ in range(5 * count))}
    return list(found.values())[:count]


# ---- random


def test_random_repeats_nothing_while_something_new_is_left() -> None:
    history = kit.played(strategy("random"), ONE, 200)
    assert len({trial.architecture.id for trial in history}) == 200


# ---- grid


@pytest.mark.parametrize("shuffled", [True, False])
def test_grid_tries_all_once_and_stops(shuffled: bool) -> None:
    history = kit.played(strategy("grid", SMALL, shuffled=shuffled), ONE, 100, measure=additive)
    assert len(history) == size(SMALL).count == 24
    assert len({trial.architecture.trace for trial in history}) == 24


def test_grid_shuffles_by_seed_or_follows_the_holes() -> None:
    def order(seed: int, shuffled: bool) -> list:
        played = kit.played(strategy("grid", SMALL, seed=seed, shuffled=shuffled), ONE, 24, measure=additive)
        return [trial.architecture.trace for trial in played]

    assert order(0, True) != order(1, True)
    assert order(0, False) == order(1, False) == sorted(order(0, True))


def test_grid_refuses_what_is_too_large_in_a_sentence() -> None:
    with pytest.raises(RecipeError, match=r"15,625 architectures, more than the 100 .* raise most"):
        strategy("grid", most=100)
    with pytest.raises(RecipeError, match="about 10"):
        strategy("grid", Space(Repeat(op("conv", width=Choice(*range(1, 50))), 40)))


def test_grid_tries_a_tables_rows_and_leaves_out_what_breaks_a_counted_limit() -> None:
    rows = kit.SPACES["listed"]
    assert len(kit.played(strategy("grid", rows), ONE, 500, measure=additive)) == size(rows).count
    wide = SMALL.screened(lambda a: {"wide": 1.0} if a.decisions["net.0.width"] == 2 else {})
    history = kit.played(strategy("grid", wide), ONE, 100, measure=additive)
    assert len(history) == 16


# ---- local


def test_local_goes_on_from_the_best() -> None:
    best, *others = drawn(CELL, 6)
    history = History([told(best, 0.9, 0), *(told(each, 0.1, n) for n, each in enumerate(others, 1))])
    asked = strategy("local").ask(history, 4)
    assert {proposal.notes["parent"] for proposal in asked} == {0}
    for proposal in asked:
        differing = set(proposal.architecture.trace) ^ set(best.trace)
        assert len({path for path, _ in differing}) == 1


def test_local_looks_at_all_neighbours_before_it_takes_the_best_step() -> None:
    start, *_ = drawn(SMALL, 1)

    def parents(step: str) -> list[int]:
        made = strategy("local", SMALL, initial=1, step=step)
        history = History([told(start, 0.1, 0)])
        for number in range(1, 4):
            proposal = made.ask(history, 1)[0]
            history.propose(Trial(number, proposal))
            history.update(told(proposal.architecture, 0.2 + number / 100, number, parent=proposal.notes["parent"]))
        return [trial.proposal.notes["parent"] for trial in history.ended[1:]]

    assert parents("first") == [0, 1, 2]
    assert parents("best") == [0, 0, 0]


@pytest.mark.parametrize(("restart", "new"), [("next", False), ("random", True)])
def test_local_at_an_optimum(restart: str, new: bool) -> None:
    first, second = drawn(CELL, 2)
    around = {a.trace: a for a in neighbours(CELL, first, stream(0, 0, "test"))}.values()
    history = History(
        [told(first, 0.9, 0), told(second, 0.5, 1), *(told(each, 0.1, n, parent=0) for n, each in enumerate(around, 2))]
    )
    proposal = strategy("local", initial=2, restart=restart).ask(history, 1)[0]
    assert proposal.notes.get("parent") == (None if new else 1)


def test_local_crosses_a_plateau() -> None:
    goal, made = ONE, strategy("local", SMALL, initial=1, restart="random")
    history = kit.played(made, goal, 24, measure=lambda a: {"accuracy": 0.5})
    assert sum("parent" not in trial.proposal.notes for trial in history) == 1
    assert len({trial.architecture.trace for trial in history}) == 24


def test_local_looks_around_the_whole_front() -> None:
    a, b, c, *_ = drawn(CELL, 6)
    history = History([told(a, 0.9, 0, 9.0), told(b, 0.5, 1, 1.0), told(c, 0.4, 2, 5.0)])
    asked = [strategy("local", goal=TWO, seed=seed, initial=3).ask(history, 1)[0].notes["parent"] for seed in range(12)]
    assert set(asked) == {0, 1}


# ---- evolution


def test_evolution_draws_then_breeds_by_crossing_and_mutating() -> None:
    history = kit.played(strategy("evolution", initial=6), ONE, 60)
    notes = [trial.proposal.notes for trial in sorted(history, key=lambda t: t.number)]
    assert not any("parent" in note for note in notes[:6])
    assert all("parent" in note for note in notes[6:])
    assert any("other" in note for note in notes[6:])
    assert any("other" not in note for note in notes[6:])
    assert not any("other" in t.proposal.notes for t in kit.played(strategy("evolution", crossover=0.0), ONE, 30))


def test_evolution_forgets_the_oldest() -> None:
    old, *young = drawn(CELL, 9)
    history = History([told(old, 1.0, 0), *(told(each, 0.1, n) for n, each in enumerate(young, 1))])
    asked = strategy("evolution", initial=1, population=8, tournament=8).ask(history, 20)
    assert 0 not in {proposal.notes[key] for proposal in asked for key in ("parent", "other") if key in proposal.notes}
    asked = strategy("evolution", initial=1, population=9, tournament=9, crossover=0.0).ask(history, 5)
    assert {proposal.notes["parent"] for proposal in asked} == {0}


def test_evolution_breeds_what_breaks_the_limits_least_while_nothing_keeps_them() -> None:
    goal = Goal((parse_objective("accuracy"),), (parse_limit("latency_ms<=8"),))
    many = drawn(CELL, 4)
    broken = [Trial(n, Proposal(a)).measured(Measurement({"latency_ms": 10.0 + n})) for n, a in enumerate(many)]
    history = History([trial.ended("infeasible") for trial in broken])
    asked = strategy("evolution", goal=goal, initial=1, population=4, tournament=4, crossover=0.0).ask(history, 5)
    assert {proposal.notes["parent"] for proposal in asked} == {0}


def test_evolution_proposes_nothing_that_computes_what_is_known() -> None:
    for name in ("evolution", "nsga2", "local"):
        history = kit.played(strategy(name), ONE, 80, measure=additive)
        assert len({canonical(trial.architecture) for trial in history}) == 80, name


@pytest.mark.parametrize(
    "options",
    [{"population": 1}, {"population": 5, "tournament": 6}, {"crossover": 2.0}, {"tournament": -1}, {"initial": 0}],
)
def test_evolution_refuses_settings_that_cannot_be(options: dict[str, float]) -> None:
    with pytest.raises(RecipeError, match="tournament <= population"):
        strategy("evolution", **options)


@pytest.mark.parametrize(
    ("name", "options"),
    [("nsga2", {"population": 1}), ("nsga2", {"mutation": -0.1}), ("local", {"step": "second"}), ("local", {"initial": 0})],
)
def test_the_others_do_too(name: str, options: dict[str, object]) -> None:
    with pytest.raises(RecipeError, match=f"strategy {name}: .* do not fit. Use "):
        strategy(name, **options)


@pytest.mark.parametrize("name", ["evolution", "nsga2", "local", "random", "grid"])
def test_a_space_of_one_architecture(name: str) -> None:
    history = kit.played(strategy(name, Space(op("conv3"))), ONE, 30)
    assert len(history) in (1, 30)


# ---- NSGA-II


def test_nsga2_keeps_the_front_and_lets_the_dominated_die() -> None:
    many = drawn(CELL, 8)
    front = [told(a, 0.5 + n / 10, n, 1.0 + n) for n, a in enumerate(many[:4])]
    worse = [told(a, 0.1, n, 20.0) for n, a in enumerate(many[4:], 4)]
    history = History([*worse, *front])
    asked = strategy("nsga2", goal=TWO, population=4, crossover=0.0).ask(history, 12)
    assert {proposal.notes["parent"] for proposal in asked} <= {0, 1, 2, 3}
    assert {proposal.notes["generation"] for proposal in asked} == {2}


def test_nsga2_prefers_what_breaks_a_limit_less() -> None:
    goal = Goal((parse_objective("accuracy"),), (parse_limit("latency_ms<=8"),))
    many = drawn(CELL, 4)
    trials = [Trial(n, Proposal(a)).measured(Measurement({"latency_ms": 10.0 + 10 * n})) for n, a in enumerate(many)]
    made = strategy("nsga2", goal=goal, population=2, crossover=0.0)
    asked = made.ask(History([trial.ended("infeasible") for trial in trials]), 10)
    assert {proposal.notes["parent"] for proposal in asked} == {0, 1}


def test_nsga2_comes_near_the_front() -> None:
    from netwright.core.hypervolume import hypervolume

    def covered(name: str, seed: int) -> float:
        history = kit.played(strategy(name, goal=TWO, seed=seed), TWO, 120, measure=additive)
        return hypervolume([TWO.costs(trial) for trial in history.finished], (0.0, 16.0))

    assert sum(covered("nsga2", seed) > covered("random", seed) for seed in range(6)) >= 5


# ---- what they share


def test_a_fold_goes_on_for_the_same_history_and_begins_anew_for_another() -> None:
    steps: list[int] = []

    def step(state: int, block) -> int:
        steps.append(len(block))
        return state + sum(trial.number for trial in block)

    trials = [told(a, 0.5, n) for n, a in enumerate(drawn(CELL, 9))]
    fold = Fold(lambda: 0, step, 2)
    assert fold.of(trials[:5]) == 0 + 1 + 2 + 3
    assert fold.of(trials[:7]) == sum(range(6))
    assert len(steps) == 3
    assert fold.of(trials[3:6]) == 3 + 4
    assert fold.of(trials[:5]) == 6


def test_mutants_of_a_listed_row_are_near_it() -> None:
    rows = kit.SPACES["listed"]
    rng = stream(0, 0, "test")

    def apart(a, b) -> int:
        return sum(a.decisions[path] != b.decisions[path] for path in a.decisions)

    pairs = [(row, mutate(rows, row, rng)) for row in (sample(rows, rng) for _ in range(60))]
    others = [(sample(rows, rng), sample(rows, rng)) for _ in range(60)]
    near, far = (sum(apart(a, b) for a, b in some) / 60 for some in (pairs, others))
    assert all(a.trace != b.trace for a, b in pairs)
    assert near < 0.75 * far
