"""What the report of a search over a table says differently: nothing was trained, and all there is to find is known."""

from __future__ import annotations

from html import escape

from netwright.report.facts import Facts
from netwright.report.markup import Cell, facts_list, section, table
from netwright.report.words import counted, duration, told

__all__ = ["beside", "data", "notes", "time"]


def beside(facts: Facts) -> str:
    """The winner beside the table's best and beside random search, by validation and by test."""
    found = facts.table
    if not found:
        return ""
    parts = [found[split] for split in ("validation", "test") if split in found]
    head = ["", "#winner", "#best of the table", f"#{counted(found['random_trials'], 'random trial')}, expected"]
    rows: list[list[Cell]] = [
        [part["column"], *(told(part["column"], part[key]) for key in ("score", "best", "random"))] for part in parts
    ]
    text = f"<p><strong>{escape(str(facts.control['verdict']))}.</strong></p>"
    how = "The expectation of random trials is exact: the best by validation of as many rows drawn without replacement."
    return section("What the search gained", text, table(head, rows), f'<p class="small">{how}</p>')


def data(facts: Facts) -> str:
    """The table."""
    task = facts.task
    listed = facts_list(
        [
            ("table", task.get("name")),
            ("what", task.get("title")),
            ("architectures", f"{task.get('architectures', 0):,}"),
            ("files", ", ".join(task.get("files", ()))),
            ("source", task.get("source")),
            ("licence", task.get("licence")),
            ("fingerprint", task.get("fingerprint")),
        ]
    )
    return section("Table", listed)


def time(facts: Facts) -> str:
    """Both clocks."""
    spent, forecast = facts.spent, facts.forecast or {}
    text = f"{duration(spent['simulated_s'])} of simulated time on {counted(int(facts.created.get('workers', 1)), 'worker')}, "
    text += f"replayed in {duration(spent['wall_s'])}."
    if not forecast.get("cost_known", True):
        text += " The table does not say what a training cost: a full one counts as a second (setting estimator.cost_s)."
    return section("Where the time went", f"<p>{escape(text)}</p>")


def notes(facts: Facts) -> str:
    """What to keep in mind."""
    seen = facts.task.get("sees_test") or []
    said = ["All values are the table's own. The search has chosen by what it saw, so that flatters."]
    if seen:
        said.append(f"The search saw {', '.join(seen)}, which is measured on test data: its score is no test.")
    elif facts.test:
        said.append("The test column was not open to the search. It was looked up once, after the winner was fixed.")
    return section("Notes", "<ul>" + "".join(f"<li>{escape(text)}</li>" for text in said) + "</ul>")
