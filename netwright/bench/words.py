"""What a bench came to, in words: the same on the page and in a terminal."""

from __future__ import annotations

import math
import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from netwright.bench.measure import SHARES
from netwright.bench.plan import Plan
from netwright.bench.problem import EDGE, Problem
from netwright.report.words import bound, counted, duration

__all__ = [
    "aims",
    "command",
    "compared",
    "early",
    "headline",
    "interval",
    "items",
    "number",
    "percent",
    "protocol",
    "ranked",
    "reached",
    "some",
    "spans",
    "spending",
    "spent",
    "what",
]


MANY = 6
"""Comparisons that are told in a terminal."""


def number(value: Any, digits: int = 4) -> str:
    """``0.0123``, ``82``, ``1,024``; a dash where there is none."""
    if value is None or not math.isfinite(value):
        return "–"
    if value == int(value) and abs(value) >= 1:
        return f"{int(value):,}"
    return f"{value:.{digits}g}".replace("-", "−") if value else "0"


def percent(share: float) -> str:
    return f"{100 * share:.3g}\u00a0%"


def spent(problem: Problem, value: Any) -> str:
    """An amount of what the budget counts: ``82``, ``1,024``, ``3 h 20 min``; where it was not enough, ``> 150``."""
    seconds = problem.plan.budget.unit == "seconds"
    if value is None:
        most = problem.plan.budget.amount
        return f"> {duration(most) if seconds else number(most)}"
    return duration(value) if seconds else number(round(value, 1))


def spending(problem: Problem) -> str:
    """``150 queries``."""
    budget = problem.plan.budget
    return f"{duration(budget.amount)} of simulated time" if budget.unit == "seconds" else str(budget)


def aims(problem: Problem) -> str:
    """``maximize cifar10.val_acc@200 and minimize latency_ms@edgegpu, keeping params ≤ 1 M``."""
    told = " and ".join(f"{'maximize' if o.maximize else 'minimize'} {o.key}" for o in problem.goal.objectives)
    limits = ", ".join(bound(str(limit)) for limit in problem.goal.limits)
    return told + (f", keeping {limits}" if limits else "")


def items(problem: Problem) -> str:
    """``6,466 distinct unique_graph in 15,625 rows``."""
    rows = counted(len(problem.table), "row")
    if not problem.plan.distinct:
        return f"{rows}, each an architecture of its own"
    return f"{len(problem.costs):,} architectures (distinct {problem.plan.distinct}) in {rows}"


def what(problem: Problem) -> str:
    """What a search is to find."""
    if problem.several:
        return f"{percent(SHARES[-1])} of the true hypervolume"
    within = problem.plan.within
    return f"the best to within {number(within)}" if within else "the best"


def ranked(problem: Problem, told: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Strategies, the best first: by the median, then by how often it was found, then by the regret at the end."""

    def rank(each: Mapping[str, Any]) -> tuple[float, float, float]:
        median, regret = each[f"median_{problem.plan.budget.unit}"], [*each["regret"].values()][-1]
        return (math.inf if median is None else median, -each["found_share"], math.inf if regret is None else regret)

    return sorted(told, key=rank)


def headline(problem: Problem, told: Sequence[Mapping[str, Any]]) -> str:
    """``bayes finds the best in 22 queries, the median of 200 seeds; evolution in 82; random in 2 % of its searches``."""
    noun = problem.plan.budget.unit

    def found(each: Mapping[str, Any]) -> str:
        median = each[f"median_{noun}"]
        if median is not None:
            return f"in {spent(problem, median)}" + ("" if noun == "seconds" else f" {noun}")
        share = each["found_share"]
        return f"in {percent(share)} of its searches" if share else "in none of its searches"

    first, *rest = ranked(problem, told)[:4]
    more = f"; and {len(told) - 4} more" if len(told) > 4 else ""
    if not any(each["found_share"] for each in told):
        return _nowhere(problem, [first, *rest]) + more
    text = f"{first['strategy']} finds {what(problem)} {found(first)}"
    if first[f"median_{noun}"] is not None:
        text += f", the median of {counted(first['seeds'], 'seed')}"
    return text + "".join(f"; {each['strategy']} {found(each)}" for each in rest) + more


def _nowhere(problem: Problem, told: Sequence[Mapping[str, Any]]) -> str:
    """Where nothing found it: how near they came."""
    ends = [(each["strategy"], [*each["regret"].values()][-1]) for each in told]
    if all(regret is None for _, regret in ends):
        return f"No strategy finds anything that keeps the limits within {spending(problem)}"
    near = [f"{strategy} {reached(problem, regret)}" for strategy, regret in ends if regret is not None]
    of = "of the true hypervolume" if problem.several else "away from the best"
    return f"{near[0]} {of} after {spending(problem)}, the median of {counted(told[0]['seeds'], 'seed')}" + "".join(
        f"; {text}" for text in near[1:]
    )


def reached(problem: Problem, regret: Any, digits: int = 3) -> str:
    """A regret as it is told: the distance from the best, or the share of the true hypervolume that there is."""
    if regret is None or not problem.several:
        return number(regret, digits)
    return f"{100 * (1 - regret):.{digits}g}\u00a0%"


def measure(problem: Problem) -> str:
    """What that is called."""
    return "hypervolume" if problem.several else "regret"


def spans(problem: Problem, each: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """What it was timed to find, with the queries until then: the best, or each share of the true hypervolume."""
    return [(percent(share), each["share"][f"{share:g}"]) for share in SHARES] if problem.several else [("", each)]


def ending(reason: str) -> str:
    """Why a search was over before its budget was spent, after the strategy's name."""
    return {"repeats": "proposed hardly anything new", "done": "had nothing more to propose"}.get(reason, f"ended: {reason}")


def early(told: Sequence[Mapping[str, Any]]) -> list[str]:
    """Which searches were over before their budget was spent, and why."""
    return [
        f"{each['strategy']} {ending(reason)} ({count} of {each['seeds']} searches)"
        for each in told
        for reason, count in each.get("ended_early", {}).items()
    ]


def about(problem: Problem, warnings: Sequence[str]) -> list[tuple[str, str]]:
    """What is going to be compared, in a few lines."""
    plan = problem.plan
    told = [("table", f"{problem.table.name}: {items(problem)}"), ("objective", aims(problem))]
    if problem.sees_test:
        told.append(("note", f"an oracle problem: the strategies see {', '.join(problem.sees_test)}, measured on test data"))
    told += [("warning", text) for text in warnings]
    told.append(("searches", f"{', '.join(plan.strategies)}; {counted(plan.seeds, 'seed')} of {spending(problem)} each"))
    return told


def some(problem: Problem, budgets: Iterable[str], most: int) -> list[str]:
    """So many of the budgets, spread, the last among them."""
    ats = [at for at in budgets if at != "60" or problem.several or problem.plan.budget.amount == 60]
    if len(ats) <= most:
        return ats
    return [ats[round((k + (most < 3)) * (len(ats) - 1) / (most - (most > 2)))] for k in range(most)]


def lines(problem: Problem, told: Sequence[Mapping[str, Any]], width: int = 80) -> tuple[list[tuple[str, str]], list[list[str]]]:
    """The strategies as a table of a terminal: columns, rows. Long names lose their middle."""
    noun = problem.plan.budget.unit
    shown = some(problem, told[0]["regret"], 2)
    columns = [("strategy", "left"), ("found", "right")]
    for name, _ in spans(problem, told[0]):
        columns += [(f"to {name}" if name else noun, "right"), *([] if name else [("95 %", "right")]), ("p90", "right")]
    columns += [(f"{'hv' if problem.several else ''}@{at}", "right") for at in shown] + [("own ms", "right")]
    rows = []
    for each in told:
        row = [_short(each["strategy"], max(16, width - 62)), percent(each["found_share"])]
        for name, span in spans(problem, each):
            between = [] if name else [interval(problem, span)]
            row += [spent(problem, span[f"median_{noun}"]), *between, spent(problem, span[f"p90_{noun}"])]
        rows.append([*row, *(reached(problem, each["regret"][at]) for at in shown), number(each["ask_ms"], 3)])
    return columns, rows


def _short(name: str, most: int) -> str:
    return name if len(name) <= most else f"{name[: most // 2]}…{name[most // 2 + 1 - most :]}"


def interval(problem: Problem, span: Mapping[str, Any]) -> str:
    """The bootstrap interval of a median."""
    low, high = span["median_interval"]
    if low is None:
        return "–"
    return f"{spent(problem, low)}–{spent(problem, high)}" if high is not None else f"from {spent(problem, low)}"


def compared(told: Sequence[Mapping[str, Any]]) -> list[str]:
    """Who found it sooner than whom, of those tests that say something."""
    found = []
    for each in told:
        test, first, second = each["found"], each["strategy"], each["baseline"]
        if test["p_holm"] < 0.05:
            if test["better"] < test["worse"]:
                first, second = second, first
            seeds, of = max(test["better"], test["worse"]), sum(test[side] for side in ("better", "equal", "worse"))
            found.append(f"{first} sooner than {second} on {seeds:,} of {counted(of, 'seed')} (p {chance(test['p_holm'])})")
    if len(found) > MANY:
        found = [*found[:MANY], f"and {len(found) - MANY} more: see the page"]
    return found or (["no strategy finds it reliably sooner than another"] if told else [])


def chance(value: float) -> str:
    """A p-value."""
    return "< 0.0001" if value < 1e-4 else f"{value:.2g}" if value < 0.9995 else "1"


def protocol(problem: Problem) -> list[str]:
    """How it was measured, in sentences."""
    plan, table = problem.plan, problem.table.name
    said = list[str]()
    if plan.distinct:
        said.append(
            f"Rows of {table} with equal {plan.distinct} are one architecture. Its value, the one that the strategies see, is "
            "the mean over its rows."
        )
    said.append(
        "A query is an architecture that is proposed for the first time, whatever comes of it; to propose it again costs "
        "nothing. A strategy that proposes little new is ended after 20 times as many trials as the budget has queries."
    )
    if problem.several:
        said.append(
            f"Objectives are scaled to 0–1 over the true front of the table, {counted(len(problem.front), 'architecture')}; "
            f"the reference point is {EDGE}; the share is that of the true front's hypervolume."
        )
    else:
        ties = int(sum(problem.costs[place, 0] == problem.best for place in problem.classes))
        said.append(f"Whatever ties with the best counts as found ({counted(ties, 'row')} of the table).")
    if problem.sees_test:
        said.append(
            f"An oracle problem: the strategies see {', '.join(problem.sees_test)}, which was measured on test data. It compares "
            "searches; it is no estimate of what a search would reach."
        )
    if problem.test is not None:
        text = (
            f"The strategies see validation only. Test regret: the best so far by validation, looked up in {problem.test.text}."
        )
        said.append(text)
    if plan.budget.unit == "epochs":
        said.append(
            "Epochs of training are counted. Going on with a paused trial costs the rest of its training where the table has "
            "learning curves, and the whole of it where each budget was a training of its own. Only full trainings count as "
            "found."
        )
    said += [
        "A search is the one that `netwright search` runs, one trial at a time, without a prior over operations.",
        "Searches with the same seed are compared in pairs. A search that did not find it counts as later than all that did.",
        "The strategy's own time is processor time of its answers; codes of architectures are kept from search to search.",
    ]
    return said


def command(plan: Plan, folder: str) -> str:
    """What does this bench again, or goes on with it."""
    words = ["netwright", "bench", "--table", plan.table]
    for text in plan.objectives:
        verb, _, name = text.rpartition(" ")
        words += [f"--{verb or 'objective'}", name]
    for limit in plan.limits:
        words += ["--limit", limit]
    words += ["--strategies", ",".join(plan.strategies), "--seeds", f"{plan.seeds}"]
    budget = plan.budget
    amount = f"{int(budget.amount)}" if budget.amount == int(budget.amount) else f"{budget.amount!r}"
    words += ["--budget", amount + {"queries": "", "seconds": "s"}.get(budget.unit, f" {budget.unit}")]
    words += ["--distinct", plan.distinct] if plan.distinct else []
    words += ["--within", f"{plan.within!r}"] if plan.within else []
    words += ["--seed", f"{plan.first}"] if plan.first else []
    return shlex.join([*words, "--out", folder])
