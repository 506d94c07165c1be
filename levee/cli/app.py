"""The ``levee`` command and its way of ending: an error is a message and an exit code, never a traceback."""

from __future__ import annotations

import sys

import typer
from rich.markup import escape

from levee.cli import data, engine, machine
from levee.cli.console import errors
from levee.errors import LeveeError

app = typer.Typer(
    name="levee",
    help="A governed, multi-cloud lakehouse platform that a company owns as code.",
    epilog="Exit codes: 0 fine, 1 a gate said no, 2 wrong use, 3 the engine or a service failed.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)
engine.register(app)
data.register(app)
machine.register(app)


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
    try:
        code = app(argv, standalone_mode=False)
    except LeveeError as wrong:
        errors.print(f"[bold red]error[/] {escape(wrong.message)}")
        if wrong.where:
            errors.print(f"   [dim]at[/]  {escape(wrong.where)}", soft_wrap=True)
        if wrong.fix:
            errors.print(f"  [dim]fix[/]  [bold]{escape(wrong.fix)}[/]", soft_wrap=True)
        return wrong.exit_code
    except typer.TyperException as wrong:  # a flag, a command or a value that there is not
        errors.print(f"[bold red]error[/] {escape(wrong.format_message())}", soft_wrap=True)
        errors.print("  [dim]fix[/]  [bold]levee --help, or levee COMMAND --help[/]")
        return 2
    except (KeyboardInterrupt, typer.Abort):
        errors.print("[bold]stopped[/]; nothing was left half done")
        return 130
    return code if isinstance(code, int) else 0
