"""Every estimator of the folder passes the kit, on images and on a table; the stages stop at the first broken limit."""

from __future__ import annotations

from typing import Any

import pytest

from netwright.compose import build_estimator
from netwright.core.contracts import Infeasible, Need, Site
from netwright.core.metrics import parse_limit, parse_objective
from netwright.core.objectives import Goal
from netwright.core.picks import sample
from netwright.core.seeds import stream
from netwright.core.trial import Fidelity, Proposal
from netwright.devices.cpu import Cpu
from netwright.errors import RecipeError
from netwright.estimators.train import Diverged, schedule
from netwright.recipe import Recipe
from netwright.registry import listed, module, part
from netwright.stores.memory import MemoryStore
from netwright.tasks.load import load
from netwright.testing import estimator as kit

SHORT: dict[str, dict[str, Any]] = {"estimator": {"epochs": 3, "final_epochs": 3, "optimizer": "adamw"}}


def site(data: str, *limits: str) -> tuple[Proposal, Site]:
    task = load(data)
    score = parse_objective("accuracy" if task.kind == "classification" else "r2")
    goal = Goal((score, parse_objective("latency_ms")), tuple(parse_limit(limit) for limit in limits))
    space = module("spaces", "chain" if data == "digits" else "mlp").space(task.signature)
    return Proposal(sample(space, stream(0, 3, "test")), Fidelity(3)), Site(task, Cpu(seconds=0.01), MemoryStore(), goal, 0, 3)


@pytest.mark.parametrize("data", ["digits", "wine", "diabetes"])
@pytest.mark.parametrize("name", [name for name in listed("estimators") if Need.TABLE not in part("estimators", name).needs])
def test_conformance(name: str, data: str) -> None:
    text = "train" if name == "train" else f"{name}(train)"
    estimator = (
        part("estimators", name)(**SHORT["estimator"])
        if name == "train"
        else build_estimator(Recipe(estimator=text, options=SHORT))
    )
    kit.check_all(estimator, *site(data))


@pytest.mark.parametrize("limit", ["params<=10", "flops<=10", "peak_kib<=0.1", "latency_ms<=0.0001"])
def test_nothing_that_breaks_a_limit_is_trained(limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    estimator = build_estimator(Recipe(options=SHORT))
    monkeypatch.setattr(estimator.inner, "estimate", lambda *given: pytest.fail("it was trained"))  # type: ignore[attr-defined]
    kit.check_infeasible(estimator, *site("digits", limit))


def test_the_cheapest_limit_is_looked_at_first() -> None:
    proposal, where = site("digits", "params<=10", "latency_ms<=0.0001")
    with pytest.raises(Infeasible, match="params"):
        list(build_estimator(Recipe(options=SHORT)).estimate(proposal, where))


def test_a_loss_that_is_no_number_is_a_failure_with_its_reason() -> None:
    proposal, where = site("diabetes")
    with pytest.raises(Diverged, match="the loss is"):
        list(part("estimators", "train")(epochs=3, rate=1e30).estimate(proposal, where))


def test_measurements_come_at_a_ninth_a_third_and_the_whole() -> None:
    proposal, where = site("digits")
    proposal = Proposal(proposal.architecture, Fidelity(9))
    reached = [m.fidelity.epochs for m in part("estimators", "train")().estimate(proposal, where) if m.fidelity]
    assert reached == [1, 3, 9]


def test_a_final_training_has_a_checkpoint_and_no_validation_score() -> None:
    proposal, where = site("digits")
    (last,) = part("estimators", "train")().estimate(Proposal(proposal.architecture, Fidelity(2, join_validation=True)), where)
    assert not last.values
    assert where.vault.get(last.checkpoint)


@pytest.mark.parametrize("options", [{"epochs": 0}, {"rate": -1.0}, {"optimizer": "adam"}, {"weight_decay": -0.1}])
def test_settings_that_cannot_be(options: dict[str, Any]) -> None:
    with pytest.raises(RecipeError):
        part("estimators", "train")(**options)


def test_the_rate_goes_up_and_down() -> None:
    rates = [schedule(k / 100) for k in range(101)]
    peak = rates.index(max(rates))
    assert peak == 15
    assert rates[:16] == sorted(rates[:16])
    assert rates[15:] == sorted(rates[15:], reverse=True)
    assert rates[-1] == pytest.approx(0, abs=1e-9)
