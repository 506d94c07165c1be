"""``levee budget|observe``: what runs cost and may cost, and their metrics."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from levee import engine, runner
from levee.cli.console import errors, human, write_json
from levee.cli.options import Folder, JsonFile
from levee.cli.scope import scope
from levee.report import budget as report


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog="Example: levee budget local --json budget.json")(budget)
    app.command(epilog="Example: levee observe --env local --port 9464")(observe)


def budget(
    env: Annotated[str, typer.Argument(metavar="ENV", help="The environment.")] = "local",
    *,
    cwd: Folder = Path(),
    json: JsonFile = None,
) -> int:
    """Say what job runs may cost this month, have cost, and will have by its end, with every decision on them."""
    scoped = scope(env, cwd, None, online=False)
    plan = engine.deployed(scoped.project.root, scoped.stack)
    found = runner.spending(plan, root=scoped.project.root, console=errors)
    if json:
        write_json({"schema": 1, "budgets": list(found)}, json)
    human(json).print(report.table(found))
    return 0


def observe(
    *,
    env: Annotated[str, typer.Option("--env", metavar="ENV", help="The environment whose runs are told.")] = "local",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="On 127.0.0.1; 0 takes a free one.")] = 9464,
    cwd: Folder = Path(),
    json: JsonFile = None,
) -> int:
    """Serve Prometheus metrics of the runs on the loopback address until Ctrl-C (docs/reference/metrics.md)."""
    scoped = scope(env, cwd, None, online=False)
    plan = engine.deployed(scoped.project.root, scoped.stack)
    with runner.observing(plan, port, root=scoped.project.root, console=errors) as (url, process):
        if json:
            write_json({"version": 1, "url": url}, json)
        human(json).print(f"serving  {url}", soft_wrap=True)
        try:
            return process.wait()
        except KeyboardInterrupt:
            return 0
