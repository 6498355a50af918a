"""The page stands alone, escapes what it is given, and says first what matters most."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from netwright.core.contracts import Event
from netwright.report.facts import facts
from netwright.report.page import page, write
from netwright.testing.sample_log import sample_log

EVIL = "<script>alert('x')</script>&\"'"
VOID = {"meta", "br", "hr", "img", "input", "link"}


class Balanced(HTMLParser):
    """Fails where tags do not close in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.scripts = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.scripts += tag == "script"
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def read(html: str) -> Balanced:
    reader = Balanced()
    reader.feed(html)
    reader.close()
    assert not reader.open
    return reader


@pytest.fixture(scope="module")
def log() -> list[Event]:
    return sample_log()


def test_the_page_asks_the_network_for_nothing(log: list[Event]) -> None:
    html = page(facts(log))
    read(html)
    addresses = set(re.findall(r"[a-z]+://[^\"'\s)<]+", html))
    assert addresses <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    assert not re.search(r"<link|@import|url\((?!#)|\ssrc=", html)


def test_every_stage_of_a_run_has_a_page(log: list[Event]) -> None:
    last = [
        max(place for place, event in enumerate(log) if event.kind == kind) for kind in dict.fromkeys(event.kind for event in log)
    ]
    for length in [0, *(place + 1 for place in last)]:
        read(page(facts(log[:length])))


def test_names_from_data_are_escaped(log: list[Event]) -> None:
    created = dict(log[0].body)
    task = {"name": EVIL, "classes": [EVIL], "warnings": [EVIL], "skipped": [{"file": EVIL, "reason": EVIL}], "fingerprint": EVIL}
    created["task"] = {**created["task"], **task}
    created["machine"] = {"cpu": EVIL}
    events = [replace(log[0], body=created)]
    for event in log[1:]:
        changed = {name: EVIL for name in ("reason", "why", "verdict", "name") if event.body.get(name)}
        events.append(replace(event, body={**event.body, **changed}))
    html = page(facts(events), name=EVIL, recipe=EVIL)
    assert read(html).scripts == 1
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert" in html


@pytest.mark.parametrize(
    ("reference", "sentence"),
    [
        (0.993, "No search is needed for this score.</strong> A plain fixed convolutional network reaches"),
        (0.985, "Without the limits, no network would be needed for this score.</strong> A plain support-vector machine reaches"),
    ],
)
def test_a_reference_that_does_as_well_is_said_before_anything_else(reference: float, sentence: str) -> None:
    html = page(facts(sample_log(reference=reference)))
    assert html.index(sentence) < html.index("<h1>")


def test_no_more_is_said_of_references_that_do_worse() -> None:
    assert "<aside" not in page(facts(sample_log(reference=0.9)))


@pytest.mark.parametrize(
    ("gain", "sentence"), [(True, "The search gained +0.74"), (False, "gained nothing that can be told from chance")]
)
def test_the_gain_over_random_is_said_also_when_it_is_nothing(gain: bool, sentence: str) -> None:
    html = page(facts(sample_log(gain=gain)))
    assert sentence in html.replace("\u00a0", " ")
    assert "95 % interval" in html
    assert ("no gain shown" in html) is not gain


def test_the_headline_has_the_score_its_interval_and_what_the_network_costs(log: list[Event]) -> None:
    headline = re.search(r"<h1>(.*?)</h1>", page(facts(log)))
    assert headline is not None
    told = headline[1].replace("\u00a0", " ")
    assert "98.83 % accuracy on digits (95 % interval 97.78 % to 99.54 %)" in told
    assert "parameters" in told
    assert " ms" in told
    assert told.endswith("within all its limits.")


def test_the_page_is_written_whole_or_not_at_all(log: list[Event], tmp_path: Path) -> None:
    (tmp_path / "recipe.toml").write_text('data = "digits"\n', encoding="utf-8")
    path = write(log, tmp_path)
    assert path == tmp_path / "report.html"
    assert "data = &quot;digits&quot;" in path.read_text(encoding="utf-8")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["recipe.toml", "report.html"]


def test_half_a_character_in_a_file_name_is_no_obstacle(log: list[Event], tmp_path: Path) -> None:
    created = dict(log[0].body)
    created["task"] = {**created["task"], "skipped": [{"file": "caf\udce9.png", "reason": "truncated"}]}
    assert "caf\\udce9.png" in write([replace(log[0], body=created)], tmp_path).read_text(encoding="utf-8")


def test_a_score_that_is_minimised_is_compared_the_right_way(log: list[Event]) -> None:
    """The same run as a regression judged by its error: smaller is better everywhere."""
    events = []
    for event in log:
        body = dict(event.body)
        if event.kind == "created":
            body["recipe"] = {**body["recipe"], "objectives": ["rmse"], "limits": []}
            body["task"] = {**body["task"], "kind": "regression", "classes": []}
        elif "accuracy" in body.get("values", {}):
            body["values"] = {**body["values"], "rmse": 1 - body["values"]["accuracy"]}
        elif event.kind == "result":
            gain = {"gain": -0.0074, "gain_interval": [-0.0127, -0.0021]}
            body = {**body, "metric": "rmse", "score": 0.0117, "interval": [0.0046, 0.0222], **gain}
        events.append(replace(event, body=body))
    found = facts(events)
    html = page(found)
    read(html)
    assert found.best is not None
    assert found.front[0]["metrics"]["rmse"] == min(
        row["metrics"].get("rmse", 1.0) for row in found.trials if row["state"] == "finished"
    )
    assert "The search gained −0.0074 of RMSE over random" in html.replace("\u00a0", " ")
    assert "<aside" not in html
