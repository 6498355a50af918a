"""The entry point: runs a command, and turns whatever goes wrong into one line and an exit code."""

from __future__ import annotations

import atexit
import contextlib
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import typer

from netwright.cli.app import app
from netwright.errors import NetwrightError

__all__ = ["BUG", "main"]

BUG = 1
"""Exit code of an error that is Netwright's own fault; 2 is a person's, 130 and 143 are interruptions."""

# Typer's usage errors share this base, whether it brings Click along or finds it installed.
_UsageError: type[Exception] = typer.BadParameter.__mro__[1]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code, or ends the process with it where ``argv`` is the process's own."""
    if argv is not None:
        return _run(list(argv), time.time())
    code = _run(sys.argv[1:], _began())
    # Unloading torch takes a second, in which a further Ctrl-C would change the exit code.
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def _run(arguments: list[str], began: float) -> int:
    arguments = arguments or ["--help"]
    debug = "--debug" in arguments
    if debug:
        arguments.remove("--debug")
    command = typer.main.get_command(app)
    try:
        code = command.main(arguments, prog_name="netwright", standalone_mode=False, obj=began)
        sys.stdout.flush()
        return int(code or 0)
    except (KeyboardInterrupt, typer.Abort):
        return 130
    except BrokenPipeError:  # `netwright show | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BUG
    except NetwrightError as error:
        if debug:
            raise
        _say(str(error))
        return error.exit_code
    except _UsageError as error:
        _say(_usage(error))
        return 2
    except Exception as error:
        if debug:
            raise
        told = f"{type(error).__name__}: {error}".splitlines() or [type(error).__name__]
        _say(f"{told[0]}. This is a bug in Netwright; the same command with --debug shows where.")
        return BUG


def _usage(error: Exception) -> str:
    """Typer's sentence on one line, with the way to the help."""
    told = " ".join(error.format_message().split()) if hasattr(error, "format_message") else str(error)
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "netwright"
    return f"{told.rstrip('.')}{'' if told.endswith('?') else '.'} See `{path} --help`."


def _say(message: str) -> None:
    """One line on standard error, coloured where a person watches; the message is never read as markup."""
    typer.secho("error: ", fg="red", bold=True, nl=False, err=True)
    typer.echo(" ".join(message.splitlines()), err=True)


def _began() -> float:
    """When this process began, in seconds since the epoch: the budget covers the interpreter's start and the imports too."""
    now = time.time()
    try:
        stat = Path("/proc/self/stat").read_text().rsplit(")", 1)[1].split()
        up = float(Path("/proc/uptime").read_text().split()[0])
        age = up - int(stat[19]) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError, AttributeError):
        return now
    return now - age if 0 <= age < 60 else now  # a container's clock may count from elsewhere


if __name__ == "__main__":
    sys.exit(main())
