"""``levee fidelity``: how far to believe an offline preview."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import typer
from rich.console import Console

from levee.cli import panels
from levee.cli.console import human, write_json
from levee.cli.options import Config, FillConfig, Folder, JsonFile, References, StackName, Target, Timeout
from levee.cli.scope import options, perform, scope
from levee.engine import Operation
from levee.plan import Plan, document
from levee.report import fidelity as report

_VERSION: Final = 1
_PARTS: Final = ("project", "stack", "fidelity", "invented_lookups", "filled_config")


def register(app: typer.Typer) -> None:
    """Add the command."""
    panels.command(app, fidelity, example="levee fidelity dev --json fidelity.json", panel=panels.REVIEW)


def fidelity(
    env: Target = None,
    *,
    cwd: Folder = Path(),
    stack: StackName = None,
    config: Config = None,
    fill_config: FillConfig = False,
    json: JsonFile = None,
    references: References = None,
    timeout: Timeout = None,
) -> int:
    """Say what an offline preview of this program checks, what it invents, and what only the real provider can say."""
    scoped = scope(env, cwd, stack, online=False)
    chosen = options(scoped, config, references=references, fill_config=fill_config, timeout=timeout)
    plan = perform(Operation.PREVIEW, scoped, chosen)
    if json:
        write_json(_document(plan), json)
    show(plan, human(json))
    return 0


def show(plan: Plan, output: Console) -> None:
    """Print the report as a person reads it."""
    output.print(report.tables(plan))
    if line := report.believe_line(plan):
        output.print(line)
    else:
        output.print("nothing of a provider is in this program: there is nothing to doubt")


def _document(plan: Plan) -> dict[str, Any]:
    """``{"version", "project", "stack", "fidelity", "invented_lookups", "filled_config"}``, as in the plan's schema."""
    whole = document.to_document(plan)
    return {"version": _VERSION, **{part: whole[part] for part in _PARTS}}
