"""The page of a bench: one HTML file that needs nothing else."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from netwright.bench import figures
from netwright.bench.measure import SHARES, Course
from netwright.bench.problem import Problem
from netwright.bench.words import (
    aims,
    chance,
    command,
    compared,
    early,
    headline,
    interval,
    items,
    measure,
    number,
    percent,
    protocol,
    ranked,
    reached,
    some,
    spans,
    spending,
    spent,
    what,
)
from netwright.report.markup import Cell, facts_list, figure, section, table
from netwright.report.page import whole
from netwright.report.plots import SERIES, SERIES_CSS
from netwright.report.words import counted

__all__ = ["page"]

Told = Mapping[str, Any]

FEW = 10
"""Pairs that are shown at once."""


def page(problem: Problem, courses: Mapping[str, Sequence[Course]], told: Told, name: str) -> str:
    """The whole page. ``name``: the folder, as commands take it."""
    parts = [
        _head(problem, told, name),
        _strategies(problem, told["strategies"]),
        section("Best so far", _key(courses), figure(figures.curves(problem, courses), _caption(problem), wide=True)),
        _when(problem, courses),
        _regrets(problem, told["strategies"]),
        _tests(problem, told["comparisons"], told["strategies"]),
        _problem(problem, told["problem"], name),
    ]
    version = told["problem"]["versions"].get("netwright", "")
    return whole(
        f"{problem.table.name}: {aims(problem)} – Netwright", parts, version, source="from its own searches", style=_STYLE
    )


_STYLE = f"""{SERIES_CSS}
ul.key {{ margin: 4px 0 10px; }}
.tiles b {{ overflow-wrap: anywhere; }}
td:not(.num) {{ overflow-wrap: anywhere; min-width: 11em; }}
td.num {{ font-size: 13.5px; }}
table {{ margin: 4px 0 10px; }}"""


def _head(problem: Problem, told: Told, name: str) -> str:
    """What came of it in a sentence, on what it was measured, and what has to be known of it."""
    plan, best = problem.plan, told["problem"].get("best")
    keys = ", ".join(objective.key for objective in problem.goal.objectives)
    tiles = [
        (problem.table.name, problem.table.described.title),
        (f"{told['problem']['with_a_value']:,}", items(problem)),
        (number(best, 6), f"the best {keys}") if best is not None else (f"{len(problem.front)}", f"in the true front of {keys}"),
        (counted(plan.seeds, "seed"), f"of each strategy, from seed {plan.first} on"),
        (spending(problem), "budget of each search"),
    ]
    listed = "".join(f"<li><b>{escape(value)}</b><span>{escape(text)}</span></li>" for value, text in tiles)
    notes = [text for text in protocol(problem) if text.startswith("An oracle problem")] + list(told.get("warnings", ()))
    noted = f'<div class="note">{"".join(f"<p>{escape(text)}</p>" for text in notes)}</div>' if notes else ""
    title = escape(headline(problem, told["strategies"]))
    tests = compared(told["comparisons"])
    surely = f"<p>Paired tests: {escape('; '.join(tests))}.</p>" if tests else ""
    return f'<header><p class="run">{escape(name)}</p><h1>{title}.</h1>{surely}</header>{noted}<ul class="tiles">{listed}</ul>'


def _strategies(problem: Problem, told: Sequence[Told]) -> str:
    noun, last = problem.plan.budget.unit, [*told[0]["regret"]][-1]
    head = ["strategy", "#found"]
    for name, _ in spans(problem, told[0]):
        head += [f"#{noun} to {name}", "#p90"] if name else [f"#{noun}, median", "#95 % interval", "#p90"]
    head += [f"#{measure(problem)} at the end", "#own ms a trial"]
    rows: list[list[Cell]] = []
    for each in told:
        row: list[Cell] = [each["strategy"], (percent(each["found_share"]), each["found_share"])]
        for name, span in spans(problem, each):
            median, late = span[f"median_{noun}"], span[f"p90_{noun}"]
            row += [(spent(problem, median), _key_of(median)), *([] if name else [interval(problem, span)])]
            row.append((spent(problem, late), _key_of(late)))
        end = each["regret"][last]
        rows.append([*row, (reached(problem, end, 4), _key_of(end)), (number(each["ask_ms"], 3), each["ask_ms"])])
    best = told.index(ranked(problem, told)[0])
    caption = (
        f"Found: {what(problem)}. {noun.capitalize()}: until then, over all seeds, those that did not find it included; p90: the "
        f"90th percentile. {_measured(problem)}, the median. Own: processor time of the strategy's answers."
    )
    over = "; ".join(early(told))
    said = [caption, f"Ended before the budget: {over}." if over else ""]
    for each in told:
        said += [f"{text}." if text.startswith(each["strategy"]) else f"{each['strategy']}: {text}." for text in each["remarks"]]
    shown = "".join(f'<p class="small">{escape(text)}</p>' for text in said if text)
    return section("Strategies", table(head, rows, sortable=True, chosen=best), shown)


def _key_of(value: Any) -> Any:
    return "" if value is None else value


def _measured(problem: Problem) -> str:
    if problem.several:
        return "Hypervolume: the share of the true front's"
    unit = problem.asked[0].columns[0].unit
    return "Regret: how far the best so far is from the best there is" + (f", in {unit}" if unit else "")


def _key(courses: Iterable[str]) -> str:
    """Which colour is which strategy."""
    shown = []
    for place, name in enumerate(courses):
        fill = f"var(--s{place % len(SERIES)})"
        dashed = f"background:none;border:2px dashed {fill}" if place >= len(SERIES) else f"background:{fill}"
        shown.append(f'<li><i style="{dashed}"></i>{escape(name)}</li>')
    return f'<ul class="key">{"".join(shown)}</ul>'


def _caption(problem: Problem) -> str:
    if problem.several:
        return "Share of the true front's hypervolume: median over the seeds, with the middle half of them. Dotted: all of it."
    return "Best value so far: median over the seeds, with the middle half of them. Dotted: the best there is."


def _when(problem: Problem, courses: Mapping[str, Sequence[Course]]) -> str:
    parts = [_key(courses)]
    targets = {f"{percent(share)} of the true hypervolume": 1 - share for share in SHARES}
    for name, target in targets.items() if problem.several else [(what(problem), problem.plan.within)]:
        parts += [f"<h3>{escape(name)}</h3>"] if problem.several else []
        if not any(math.isfinite(each.until(target)) for some in courses.values() for each in some):
            parts.append(f"<p>No search has found {escape(name)} within {escape(spending(problem))}.</p>")
            continue
        text = "Dot: median. Thick: its 95 % bootstrap interval. Stroke: 90th percentile, where it lies within the budget."
        parts.append(
            figure(
                figures.shares(problem, courses, target),
                f"Searches that have found {name}, over what they have spent.",
                wide=True,
            )
        )
        parts.append(figure(figures.when(problem, courses, target), text, wide=True))
    return section("How soon it is found", *parts)


def _regrets(problem: Problem, told: Sequence[Told]) -> str:
    """What was reached at budgets, and in the test column."""
    shown = some(problem, told[0]["regret"], 5)
    head = ["strategy", *(f"#{_at(problem, at)}" for at in shown)]
    parts = [table(head, [_cells(problem, each, "regret", shown) for each in told])]
    text = f"{_measured(problem)}; median (and quartiles) over the seeds"
    if problem.test is not None:
        parts += ["<h3>In the test column</h3>", table(head, [_cells(problem, each, "test_regret", shown) for each in told])]
        text += f". In the test column: the best so far by validation, looked up in {problem.test.text}, beside the best there"
    return section(f"{measure(problem).capitalize()} on the way", *parts, f'<p class="small">{escape(text)}.</p>')


def _cells(problem: Problem, each: Told, name: str, shown: Sequence[str]) -> list[Cell]:
    cells: list[Cell] = [each["strategy"]]
    for at in shown:
        if each[name][at] is None:
            cells.append("–")
            continue
        low, high = (reached(problem, regret, 2 + problem.several) for regret in each[f"{name}_quartiles"][at])
        between = f"{high}–{low}".replace("\u00a0%–", "–") if problem.several else f"{low}–{high}"
        cells.append(f"{reached(problem, each[name][at])} ({between})")
    return cells


def _at(problem: Problem, at: str) -> str:
    return spent(problem, float(at)) + ("" if problem.plan.budget.unit == "seconds" else f" {problem.plan.budget.unit}")


def _tests(problem: Problem, told: Sequence[Told], strategies: Sequence[Told]) -> str:
    """Strategy against strategy: the best one's first, where there are many."""
    if not told:
        return ""
    best = ranked(problem, strategies)[0]["strategy"]
    first = [each for each in told if best in (each["strategy"], each["baseline"]) or len(told) <= FEW]
    rest = [each for each in told if each not in first]
    less = "its hypervolume was larger" if problem.several else "its regret was smaller"
    text = (
        f"Each strategy beside those named before it, seed by seed: on how many seeds it found {what(problem)} sooner, and on "
        f"how many {less} at the end. p: two-sided signed-rank test of Wilcoxon, corrected by Holm for all the "
        "comparisons of its column. What was not found counts as found just beyond the budget."
    )
    more = f"<details><summary>{counted(len(rest), 'further pair')}</summary>{_pairs(rest)}</details>" if rest else ""
    return section("Paired tests", _pairs(first), f'<p class="small">{escape(text)}</p>', more)


def _pairs(told: Sequence[Told]) -> str:
    head = ["strategy", "baseline", "#sooner", "#equal", "#later", "#p", "#nearer", "#equal", "#farther", "#p"]
    rows: list[list[Cell]] = []
    for each in told:
        row: list[Cell] = [each["strategy"], each["baseline"]]
        for test in (each["found"], each["regret"]):
            row += [f"{test['better']}", f"{test['equal']}", f"{test['worse']}", chance(test["p_holm"])]
        rows.append(row)
    return table(head, rows)


def _problem(problem: Problem, told: Told, name: str) -> str:
    described = problem.table.described
    listed = facts_list(
        [
            ("table", f"{problem.table.name}: {described.title}"),
            ("objective", aims(problem)),
            ("architectures", items(problem)),
            (
                "with a value",
                f"{told['with_a_value']:,} of {told['architectures']:,}" + (", limits kept" if told["limits"] else ""),
            ),
            ("the best", number(told.get("best"), 8) if "best" in told else None),
            ("test column", told.get("test")),
            ("seeds", f"{problem.plan.first} to {problem.plan.first + problem.plan.seeds - 1}"),
            ("budget", spending(problem)),
            ("source", described.source),
            ("licence", described.licence),
            ("fingerprint", told["fingerprint"]),
            ("versions", ", ".join(f"{package} {version}" for package, version in told["versions"].items())),
        ]
    )
    rules = "<ul>" + "".join(f"<li>{escape(text)}</li>" for text in protocol(problem)) + "</ul>"
    again = f"<h3>Once more</h3><pre>{escape(command(problem.plan, name))}</pre>"
    files = '<p class="small">Beside this page: bench.json, these figures; queries.parquet, every query of every search.</p>'
    return section("Problem and protocol", listed, rules, again, files)
