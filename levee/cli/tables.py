"""``levee tables|audit|restore``: the tables of a deployed environment, their past, and the way back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from levee.cli import panels
from levee.cli.console import answer, errors
from levee.cli.options import Env, EnvOption, Folder, JsonFile
from levee.cli.scope import deployed
from levee.report import tables as report
from levee.runner import care

TableName = Annotated[
    str, typer.Argument(metavar="TABLE", help="The table, as DOMAIN.LAYER.NAME; without DOMAIN where there is but one.")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    panels.command(app, tables, example="levee tables local --json tables.json", panel=panels.DATA)
    panels.command(app, audit, example="levee audit silver.online_retail --as-of 2026-11-20T10:00Z", panel=panels.CARE)
    panels.command(app, restore, example="levee restore silver.online_retail --version 12", panel=panels.CARE)


def tables(
    env: Env = "local",
    *,
    cwd: Folder = Path(),
    json: JsonFile = None,
) -> int:
    """List every table: rows, files, small ones, what is stored and costs, and what its last care changed."""
    scoped, plan = deployed(env, cwd)
    found = care.tables(plan, root=scoped.project.root, console=errors)
    answer({"tables": list(found)}, json).print(report.tables(found))
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
    scoped, plan = deployed(env, cwd)
    found = care.audit(plan, table, as_of, root=scoped.project.root, console=errors)
    answer(found, json).print(report.audit(found))
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
    scoped, plan = deployed(env, cwd)
    found = care.restore(
        plan,
        table,
        version=version,
        as_of=as_of,
        repair=repair,
        root=scoped.project.root,
        console=errors,
    )
    answer(found, json).print(report.restored(found, env))
    return 0
