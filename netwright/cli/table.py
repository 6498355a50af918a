"""``table list`` and ``table describe``: the tables there are, and what one of them holds."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from netwright.cli.flags import Json
from netwright.cli.help import Command, Group
from netwright.report.words import counted, duration

__all__ = ["app"]

app = typer.Typer(
    cls=Group,
    help="Tables of measured architectures: list them, or describe one.",
    epilog="""
netwright table list
netwright table describe nasbench201
netwright table describe mine.parquet --json
""",
    rich_markup_mode=None,
    no_args_is_help=True,
)


@app.command("list", cls=Command, epilog="\nnetwright table list\nnetwright table list --json\n")
def list_(json: Json = False) -> None:
    """List the known tables, and whether their files are here."""
    from netwright.cli.style import console, grid, print_json
    from netwright.tables.read import known, listed, read

    titles = {name: described.title for name, described in known().items()}
    found = [
        {"name": name, "title": titles[name] if name in titles else read(name).described.title, "here": here}
        for name, here in listed().items()
    ]
    if json:
        print_json({"tables": found})
        return
    out = console()
    for here in (True, False):
        rows = [(str(each["name"]), str(each["title"])) for each in found if each["here"] is here]
        if rows:
            out.print("here" if here else "not here: set NETWRIGHT_DATA to the folder that has them", style="bold")
            out.print(grid(rows, "  ", "cyan"))


@app.command(
    cls=Command,
    epilog="""
netwright table describe nasbench201
netwright table describe nasbench201 --canonical
netwright table describe mine.parquet --json
""",
)
def describe(
    name: Annotated[str, typer.Argument(metavar="TABLE", help="Its name, or its file.", show_default=False)],
    canonical: Annotated[
        bool, typer.Option("--canonical", help="Also count how many of its networks compute something of their own (seconds).")
    ] = False,
    json: Json = False,
) -> None:
    """Print its rows, its space, its objectives with range and noise, its costs."""
    from netwright.cli.style import console, grid, print_json, table
    from netwright.tables.describe import described
    from netwright.tables.read import read

    told = described(read(name), compute=canonical)
    if json:
        print_json(told)
        return
    out = console()
    out.print(grid(_head(told)))
    out.print()
    columns = (
        ("objective", "fold"), ("at", "left"), ("to", "left"), ("split", "left"), ("lowest", "right"), ("highest", "right"),
        ("missing", "right"), ("noise", "right"),
    )  # fmt: skip
    out.print(table("Objectives", columns, [_row(each) for each in told["objectives"]]))
    unknown = "not known: a full training counts as a second (setting estimator.cost_s)"
    out.print(grid([("cost", _cost(each)) for each in told["costs"]] or [("cost", unknown)]))
    if told["information"]:
        out.print(grid([("information", ", ".join(_information(each) for each in told["information"]))]))


def _head(told: dict[str, Any]) -> list[tuple[str, Any]]:
    settings = "".join(f", {name} {value}" for name, value in told["settings"].items())
    rows = counted(told["rows"], "row") + (f", {told['doubled']} of them doubled" if told["doubled"] else "")
    whole = "all of its space" if told["whole"] else "a part of its space"
    facts = [
        ("table", told["name"]),
        ("what", told["title"]),
        ("rows", f"{rows}; {counted(told['architectures'], 'distinct architecture')}, {whole}"),
        ("computed", f"{told['canonical']:,} compute something of their own" if "canonical" in told else ""),
        ("space", f"{told['space']}{settings}"),
        ("key", ", ".join(told["key"])),
        ("files", ", ".join(told["files"])),
        ("source", told["source"]),
        ("licence", told["licence"]),
        ("made by", told["made_by"]),
        ("default", told["default"]),
    ]
    return [(name, what) for name, what in facts if what]


def _row(each: dict[str, Any]) -> list[str]:
    at = [f"@{budget}" for budget in each["budgets"]] or ([f"@1–@{each['epochs']}"] if each["curve"] else [])
    at += [f"#{each['seeds'][0]}–#{each['seeds'][-1]}"] if each["seeds"] else []
    low, high = (f"{each[end]:.5g}" if each[end] is not None else "–" for end in ("low", "high"))
    missing = f"{each['missing']:,}" if each["missing"] else ""
    noise = f"{each['noise']['std']:.2g}" if each["noise"] else ""
    return [each["name"], " ".join(at), each["direction"][:3], each["split"], low, f"{high} {each['unit']}", missing, noise]


def _cost(each: dict[str, Any]) -> str:
    span = f"{duration(each['low_s'])} to {duration(each['high_s'])}, {duration(each['mean_s'])} on average"
    return f"{each['name']}: {span} for a full training" + (", by epoch" if each["curve"] else "")


def _information(each: dict[str, Any]) -> str:
    return str(each["name"]) + (f" ({each['distinct']:,} distinct)" if each["distinct"] else "")
