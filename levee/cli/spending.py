"""``levee budget|observe``: what runs cost and may cost, and their metrics."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from levee import runner
from levee.cli import panels
from levee.cli.console import answer, errors
from levee.cli.options import Env, Folder, JsonFile
from levee.cli.scope import deployed
from levee.report import budget as report


def register(app: typer.Typer) -> None:
    """Add the commands."""
    panels.command(app, budget, example="levee budget local --json budget.json", panel=panels.DATA)
    panels.command(app, observe, example="levee observe local --port 9464", panel=panels.DATA)


def budget(
    env: Env = "local",
    *,
    cwd: Folder = Path(),
    json: JsonFile = None,
) -> int:
    """Say what job runs may cost this month, have cost, and will have by its end, with every decision on them."""
    scoped, plan = deployed(env, cwd)
    found = runner.spending(plan, root=scoped.project.root, console=errors)
    answer({"budgets": list(found)}, json).print(report.table(found))
    return 0


def observe(
    env: Env = "local",
    *,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="On 127.0.0.1; 0 takes a free one.")] = 9464,
    cwd: Folder = Path(),
    json: JsonFile = None,
) -> int:
    """Serve Prometheus metrics of the runs on the loopback address until Ctrl-C (docs/reference/metrics.md)."""
    scoped, plan = deployed(env, cwd)
    with runner.observing(plan, port, root=scoped.project.root, console=errors) as (url, process):
        answer({"url": url}, json).print(f"serving  {url}", soft_wrap=True)
        try:
            return process.wait()
        except KeyboardInterrupt:
            return 0
