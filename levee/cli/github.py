"""Annotations on the lines of a pull request: GitHub's workflow commands, written where a workflow runs the command.

Source: "Workflow commands for GitHub Actions", ``::error file=,line=,title=::message``; a runner reads them from
standard output and standard error alike, so they go to standard error and leave ``--json -`` whole.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from levee.errors import LeveeError
from levee.plan import Level, Plan

_PLACE: Final = re.compile(r"(?P<file>[^:]+\.\w+):(?P<line>\d+)")
MOST: Final = 10
"""GitHub shows ten annotations of a kind a step and drops the rest."""


def active(environment: Mapping[str, str] | None = None) -> bool:
    """Whether a GitHub workflow runs this process."""
    return (os.environ if environment is None else environment).get("GITHUB_ACTIONS") == "true"


def of_error(error: LeveeError) -> list[str]:
    """An error, at its line where it has one."""
    text = error.message if error.fix is None else f"{error.message}\nfix: {error.fix}"
    place = _PLACE.fullmatch(error.where or "")
    file, line = (place["file"], int(place["line"])) if place else (None, None)
    return [_command("error", text, title="levee", file=file, line=line)]


def of_plan(plan: Plan, root: Path) -> list[str]:
    """Broken rules at the lines of their resources: mandatory ones as errors, the others as warnings."""
    commands: dict[str, list[str]] = {"error": [], "warning": []}
    for violation in plan.violations:
        kind = "warning" if violation.level is Level.ADVISORY else "error"
        source = violation.source
        commands[kind].append(
            _command(
                kind,
                f"{violation.message} ({violation.urn.rsplit('::', 1)[-1] or plan.stack})",
                title=violation.policy,
                file=str(root / source.file) if source else None,
                line=source.line if source else None,
            )
        )
    return [*commands["error"][:MOST], *commands["warning"][:MOST]]


def write(commands: list[str]) -> None:
    """Print them where a runner reads them."""
    for command in commands:
        sys.stderr.write(command + "\n")


def _command(kind: str, message: str, *, title: str, file: str | None, line: int | None) -> str:
    properties = {"title": title}
    if file is not None:
        workspace = Path(os.environ.get("GITHUB_WORKSPACE") or Path.cwd())
        path = Path(file)
        properties |= {
            "file": str(path.relative_to(workspace) if path.is_relative_to(workspace) else path),
            "line": str(line),
        }
    listed = ",".join(f"{name}={_escape(value, properties=True)}" for name, value in properties.items())
    return f"::{kind} {listed}::{_escape(message)}"


def _escape(text: str, *, properties: bool = False) -> str:
    for sign, code in (("%", "%25"), ("\r", "%0D"), ("\n", "%0A")):
        text = text.replace(sign, code)
    return text.replace(":", "%3A").replace(",", "%2C") if properties else text
