"""What computes the same as a trial that was trained is counted, but not trained again."""

from __future__ import annotations

from pathlib import Path

import netwright
from netwright.layers.canonical import canonical

SPACE = """
from netwright.core.space import Choice, Seq, Space, op

def mine(signature):
    twice = Choice(op("identity"), Seq(op("identity"), op("identity")), op("batch_norm"))
    return Space(Seq(op("conv", width=6), twice, op("global_pool"), op("linear", units=signature.outputs)), signature=signature)
"""


def test_a_twin_takes_over_the_scores_and_the_run_ends_when_nothing_is_new(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(SPACE)
    options = {"estimator": {"epochs": 1, "final_epochs": 1}, "control": {"seeds": 1, "randoms": 1, "references": False}}
    run = netwright.search(
        "digits",
        space=f"{tmp_path}/mine.py:mine",
        strategy="random",
        budget="40 trials",
        out=tmp_path / "run",
        options=options,
        workers=1,
    )
    events = run.events()
    twins = {e.body["number"]: e.body["notes"]["twin"] for e in events if "twin" in (e.body.get("notes") or {})}
    scores = {e.body["number"]: e.body["values"] for e in events if e.kind == "measured" and "accuracy" in e.body["values"]}
    assert run.facts.twins == len(twins) == 40 - 2, "two networks, each trained once"
    for twin, first in twins.items():
        assert first not in twins
        assert scores[twin] == scores[first]
        assert canonical(run.architecture(twin)) == canonical(run.architecture(first))
    finalists = [e.body["number"] for e in events if e.kind == "finalist"]
    identities = [canonical(run.architecture(number)) for number in finalists]
    assert len(set(identities)) == len(identities)
