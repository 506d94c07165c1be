"""``levee doctor``: what this machine has and lacks."""

from __future__ import annotations

from pathlib import Path

import typer

from levee import doctor as checks
from levee.cli.console import output
from levee.cli.engine import Folder


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog="Example: levee doctor")(doctor)


def doctor(*, cwd: Folder = Path()) -> int:
    """Say what this machine has, what it lacks, and the command that mends each lack."""
    found = checks.checks(cwd.resolve())
    output.print(checks.table(found))
    return 2 if checks.missing(found) else 0
