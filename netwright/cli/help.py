"""Help pages in colour, without what Typer's own would import: they appear in half the time."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand, TyperGroup

__all__ = ["Command", "Group"]


def _page(command: Any, ctx: Any, formatter: Any) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, width=min(Console().width, 110))
    with console.capture() as capture:
        usage = " ".join([ctx.command_path, *command.collect_usage_pieces(ctx)])
        console.print(Text.assemble(("Usage: ", "bold"), usage.replace("{", "").replace("}", "")))
        console.print()
        for paragraph in (command.help or "").split("\n\n"):
            console.print(Text(" ".join(paragraph.split())))
            console.print()
        if command.epilog:
            _examples(console, command.epilog)
        if isinstance(command, TyperGroup):
            rows = [(name, command.commands[name].get_short_help_str(200)) for name in command.list_commands(ctx)]
            _section(console, "Commands", rows)
        sections: dict[str, list[tuple[str, str]]] = {}
        for param in command.get_params(ctx):
            record = param.get_help_record(ctx)
            if record and param.param_type_name == "argument":
                sections.setdefault("Arguments", []).append((param.metavar or record[0], record[1].replace("[required]", "")))
            elif record:
                sections.setdefault(getattr(param, "rich_help_panel", None) or "Options", []).append(record)
        for title in sorted(sections, key=lambda title: (title != "Arguments", title == "Options")):
            _section(console, title, sections[title])
    formatter.write(capture.get().rstrip("\n") + "\n")


def _examples(console: Any, epilog: str) -> None:
    from rich.text import Text

    console.print(Text("Examples", style="bold"))
    for line in epilog.strip().splitlines():
        call, _, what = line.strip().partition("  # ")
        console.print(Text("  " + call, style="cyan"), soft_wrap=True)
        if what:
            console.print(Text("      " + what, style="dim"), soft_wrap=True)
    console.print()


def _section(console: Any, title: str, rows: list[tuple[str, str]]) -> None:
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    console.print(Text(title, style="bold"))
    table = Table.grid(padding=(0, 2), expand=False)
    table.add_column(no_wrap=True)
    table.add_column()
    for name, what in rows:
        table.add_row(Text(name, style="cyan"), Text(" ".join(what.split())))
    console.print(Padding(table, (0, 0, 0, 2)))
    console.print()


class Command(TyperCommand):
    """A command with such a page."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        _page(self, ctx, formatter)


class Group(TyperGroup):
    """A group of commands, in the order in which they were written."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        _page(self, ctx, formatter)

    def list_commands(self, ctx: Any) -> list[str]:
        return list(self.commands)
