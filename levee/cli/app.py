"""The ``levee`` command and its way of ending: an error is a message and an exit code, never a traceback."""

from __future__ import annotations

import os
import sys
from importlib.metadata import version
from itertools import pairwise
from typing import Annotated, Final

import typer
from rich.markup import escape

from levee.cli import (
    alerts,
    check,
    completion,
    contracts,
    cost,
    data,
    engine,
    evidence,
    fidelity,
    github,
    machine,
    models,
    prices,
    privacy,
    quality,
    quarantine,
    review,
    spending,
    tables,
)
from levee.cli.console import ON_STDOUT, errors, output, print_json
from levee.errors import EngineError, LeveeError, UsageError

_PIPE_CLOSED: Final = 128 + 13
"""As a shell says it of a program that SIGPIPE ended."""

_USABLE: Final = "name a file in a folder that is there, that may be read and written, on a disk with room"

app = typer.Typer(
    name="levee",
    help="A governed, multi-cloud lakehouse platform that a company owns as code.",
    epilog="Exit codes: 0 fine, 1 a gate said no, 2 wrong use or a wrong program, 3 the engine or a service failed, "
    "130 stopped by Ctrl-C.",
    no_args_is_help=True,
    add_completion=False,  # its options say another thing in every shell; `levee completion` says one
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)
engine.register(app)
fidelity.register(app)
cost.register(app)
prices.register(app)
review.register(app)
check.register(app)
evidence.register(app)
data.register(app)
privacy.register(app)
quality.register(app)
quarantine.register(app)
alerts.register(app)
contracts.register(app)
spending.register(app)
models.register(app)
tables.register(app)
machine.register(app)
completion.register(app)


def _say_version(asked: bool) -> None:
    if asked:
        output.print(f"levee {version('levee')}")
        raise typer.Exit


@app.callback()
def _levee(
    *,
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_say_version, is_eager=True, help="Say which Levee this is, and end."),
    ] = False,
) -> None:
    """The options that stand before a command."""


def main(argv: list[str] | None = None) -> None:
    """Run the command line and leave the process with its exit code."""
    sys.exit(run(argv))


def run(argv: list[str] | None = None) -> int:
    """Run the command line.

    Args:
        argv: Arguments; the process's own where they are not given.

    Returns:
        The exit code of ``docs/reference/cli.md``.
    """
    completion.prepare()
    arguments = _with_json(sys.argv[1:] if argv is None else argv)
    try:
        code = app(arguments, prog_name="levee", standalone_mode=False)
    except LeveeError as wrong:
        return _told(arguments, wrong)
    except typer.TyperException as wrong:  # a flag, a command or a value that there is not
        if not (message := wrong.format_message()):
            return UsageError.exit_code  # nothing was asked: the help is printed
        asked = getattr(wrong, "ctx", None)
        command = asked.command_path if asked else "levee"
        return _told(arguments, UsageError(message.replace("Value error, ", ""), fix=f"{command} --help"))
    except SystemExit as ended:  # a shell was told how a word goes on, or typer and rich found nobody who reads on
        return int(ended.code or 0) if completion.ASKED in os.environ else _PIPE_CLOSED
    except OSError as failed:
        said = failed.strerror or str(failed)
        if failed.filename is None:
            return _told(arguments, EngineError(said))
        return _told(arguments, UsageError(said, where=str(failed.filename), fix=_USABLE))
    except (KeyboardInterrupt, typer.Abort):
        errors.print("[bold]stopped[/]; nothing was left half done")
        return 130
    return code if isinstance(code, int) else 0


def _told(arguments: list[str], wrong: LeveeError) -> int:
    """Say what is wrong, as JSON too where that was asked for, and as an annotation where a workflow runs."""
    _machine_readable(arguments, wrong)
    if github.active():
        github.write(github.of_error(wrong))
    errors.print(f"[bold red]error[/] {escape(wrong.message)}", soft_wrap=True)
    if wrong.where:
        errors.print(f"   [dim]at[/]  {escape(wrong.where)}", soft_wrap=True)
    if wrong.fix:
        errors.print(f"  [dim]fix[/]  [bold]{escape(wrong.fix)}[/]", soft_wrap=True)
    return wrong.exit_code


def _with_json(arguments: list[str]) -> list[str]:
    """A bare ``--json``, last or before another flag, means ``--json -``: standard output."""
    spelled: list[str] = []
    for argument, after in pairwise([*arguments, "--"]):
        spelled.append(argument)
        if argument == "--json" and after.startswith("-") and after != "-":
            spelled.append("-")
    return spelled


def _machine_readable(arguments: list[str], wrong: LeveeError) -> None:
    """Print an error as JSON where the command was to print its result so."""
    if ON_STDOUT in pairwise(arguments):
        told = {"message": wrong.message, "where": wrong.where, "fix": wrong.fix, "exit_code": wrong.exit_code}
        print_json({"version": 1, "error": told})
