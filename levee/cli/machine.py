"""``levee doctor``: what this machine has and lacks."""

from __future__ import annotations

from pathlib import Path

import typer

from levee import doctor as checks
from levee.cli import panels
from levee.cli.console import answer
from levee.cli.options import Folder, JsonFile


def register(app: typer.Typer) -> None:
    """Add the commands."""
    panels.command(app, doctor, example="levee doctor", panel=panels.MACHINE)


def doctor(*, cwd: Folder = Path(), json: JsonFile = None) -> int:
    """Say what this machine has, what it lacks, and the command that mends each lack."""
    found = checks.checks(cwd.resolve())
    listed = [{"name": c.name, "state": c.state.value, "found": c.found, "fix": c.fix} for c in found]
    answer({"checks": listed, "ok": not checks.missing(found)}, json).print(checks.table(found))
    return 2 if checks.missing(found) else 0
