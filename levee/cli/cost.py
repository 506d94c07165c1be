"""``levee cost``: what a month of an environment costs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from levee import cost as costs
from levee.cli import panels, standing
from levee.cli.console import human, write_json
from levee.cli.options import Config, FillConfig, Folder, JsonFile, References, StackName, Target, Timeout
from levee.cli.scope import Scope, options, perform, scope
from levee.cost import document, usage_file
from levee.engine import Operation
from levee.report import cost as report

UsageFile = Annotated[
    Path | None, typer.Option("--usage", metavar="FILE", help="How much is used in a month (docs/reference/cost.md).")
]


def _said(scoped: Scope, file: Path | None) -> costs.Usage:
    """The environment's usage, and over it the file's."""
    catalogue = costs.shipped()
    of_file = usage_file.read(file, catalogue) if file else costs.Usage()
    if scoped.environment is None:
        return of_file
    return usage_file.of_environment(scoped.environment, catalogue).overlaid(of_file)


def register(app: typer.Typer) -> None:
    """Add the command."""
    panels.command(app, cost, example="levee cost prod --usage usage.yaml --json cost.json", panel=panels.REVIEW)


def cost(
    env: Target = None,
    *,
    usage: UsageFile = None,
    cwd: Folder = Path(),
    stack: StackName = None,
    config: Config = None,
    fill_config: FillConfig = False,
    json: JsonFile = None,
    references: References = None,
    timeout: Timeout = None,
) -> int:
    """Preview offline and say what a month costs, component by component, the dearest first."""
    scoped = scope(env, cwd, stack, online=False)
    catalogue = costs.shipped()
    said = _said(scoped, usage)
    chosen = options(scoped, config, references=references, fill_config=fill_config, timeout=timeout)
    plan = perform(Operation.PREVIEW, scoped, chosen)
    priced = costs.price(plan, catalogue, said)
    now = standing.deployed(scoped.project, scoped.stack)
    before = costs.price(now, catalogue, said) if now else None
    if json:
        write_json(document.to_document(priced, before), json)
    console = human(json)
    console.print(report.tables(priced, before, width=console.width))
    return 0
