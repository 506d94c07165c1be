"""``levee doctor``: what this machine has and lacks."""

from __future__ import annotations

from pathlib import Path

import typer

from levee import doctor as checks
from levee.cli.console import human, write_json
from levee.cli.options import Folder, JsonFile


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog="Example: levee doctor")(doctor)


def doctor(*, cwd: Folder = Path(), json: JsonFile = None) -> int:
    """Say what this machine has, what it lacks, and the command that mends each lack."""
    found = checks.checks(cwd.resolve())
    if json:
        listed = [{"name": c.name, "state": c.state.value, "found": c.found, "fix": c.fix} for c in found]
        write_json({"version": 1, "checks": listed, "ok": not checks.missing(found)}, json)
    human(json).print(checks.table(found))
    return 2 if checks.missing(found) else 0
