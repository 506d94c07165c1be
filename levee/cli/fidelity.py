"""``levee fidelity``: how far to believe an offline preview."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import typer
from rich.console import Console

from levee import engine as pulumi
from levee.cli.console import JsonFile, engine_progress, human, write_json
from levee.cli.engine import Config, FillConfig, Folder, References, StackName, Target, Timeout, options, scope
from levee.plan import Plan, document
from levee.report import fidelity as report

_VERSION: Final = 1
_PARTS: Final = ("project", "stack", "fidelity", "invented_lookups", "filled_config")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog="Example: levee fidelity dev --json fidelity.json")(fidelity)


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
    with engine_progress(f"preview {scoped.stack} (simulated cloud)") as listener:
        plan = pulumi.preview(scoped.project.root, scoped.stack, replace(chosen, on_event=listener))
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
