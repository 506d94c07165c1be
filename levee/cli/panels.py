"""The parts of ``levee --help``: what a person wants, and the commands that do it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import typer

PROVISION: Final = "Provision"
REVIEW: Final = "Review and prove"
DATA: Final = "Data: run and look"
CARE: Final = "Data: mend, take back, erase"
MACHINE: Final = "This machine"


def group(app: typer.Typer, name: str, panel: str, *, help_: str, example: str) -> typer.Typer:
    """Add a group of commands.

    Args:
        app: Whose group it is.
        name: Its name.
        panel: The part of the help that it stands in.
        help_: What its commands are about.
        example: The most usual one of them.

    Returns:
        The group, to which the commands are added.
    """
    made = typer.Typer(no_args_is_help=True)
    app.add_typer(made, name=name, help=help_, epilog=f"Example: {example}", rich_help_panel=panel)
    return made


def command(
    app: typer.Typer, function: Callable[..., int], *, example: str, panel: str | None = None, name: str | None = None
) -> None:
    """Add a command.

    Args:
        app: Whose command it is, or the group's.
        function: What it does; its parameters are the command's, and what it returns is the exit code.
        example: A call of it.
        panel: The part of the help that it stands in; for none of a group.
        name: What it is called, where not as its function.
    """
    app.command(name=name, epilog=f"Example: {example}", rich_help_panel=panel)(function)
