"""``levee tables|audit|restore``: the tables of a deployed environment, their past, and the way back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from levee import engine
from levee.cli.console import errors, human, write_json
from levee.cli.options import Folder, JsonFile
from levee.cli.scope import scope
from levee.report import tables as report
from levee.runner import care

EnvOption = Annotated[str, typer.Option("--env", metavar="ENV", help="The environment.")]
TableName = Annotated[
    str, typer.Argument(metavar="TABLE", help="The table, as DOMAIN.LAYER.NAME; without DOMAIN where there is but one.")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog="Example: levee tables local --json tables.json")(tables)
    app.command(epilog="Example: levee audit silver.online_retail --as-of 2026-11-20T10:00Z")(audit)
    app.command(epilog="Example: levee restore silver.online_retail --version 12")(restore)


def tables(
    env: Annotated[str, typer.Argument(metavar="ENV", help="The environment.")] = "local",
    *,
    cwd: Folder = Path(),
    json: JsonFile = None,
) -> int:
    """List every table: rows, files, small ones, what is stored and costs, and what its last care changed."""
    scoped = scope(env, cwd, None, online=False)
    root = scoped.project.root
    found = care.tables(engine.deployed(root, scoped.stack), root=root, console=errors)
    if json:
        write_json({"schema": 1, "tables": list(found)}, json)
    human(json).print(report.tables(found))
    return 0


def audit(
    table: TableName,
    *,
    as_of: Annotated[
        str | None, typer.Option("--as-of", metavar="TIME", help="ISO 8601, UTC where it has no zone; now by default.")
    ] = None,
    env: EnvOption = "local",
    cwd: Folder = Path(),
    json: JsonFile = None,
) -> int:
    """Say who made each version of a table, when, in which run and by which contract; and what it was at a time."""
    scoped = scope(env, cwd, None, online=False)
    root = scoped.project.root
    found = care.audit(engine.deployed(root, scoped.stack), table, as_of, root=root, console=errors)
    if json:
        write_json({"schema": 1, **found}, json)
    human(json).print(report.audit(found))
    return 0


def restore(
    table: TableName,
    *,
    version: Annotated[int | None, typer.Option("--version", metavar="N", help="Back to this version.")] = None,
    as_of: Annotated[
        str | None, typer.Option("--as-of", metavar="TIME", help="Back to what was there then, ISO 8601.")
    ] = None,
    repair: Annotated[
        bool, typer.Option("--repair", help="Take the entries that cannot be read out of a damaged log.")
    ] = False,
    env: EnvOption = "local",
    cwd: Folder = Path(),
    json: JsonFile = None,
) -> int:
    """Take a table back; the next run does again what that undid, so nothing is lost."""
    scoped = scope(env, cwd, None, online=False)
    root = scoped.project.root
    found = care.restore(
        engine.deployed(root, scoped.stack),
        table,
        version=version,
        as_of=as_of,
        repair=repair,
        root=root,
        console=errors,
    )
    if json:
        write_json({"schema": 1, **found}, json)
    human(json).print(report.restored(found, env))
    return 0
