"""``levee quality``: what the last batches of a dataset were like, and the way to the rows that broke its rules."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from levee import runner
from levee.cli import panels
from levee.cli.console import answer, errors
from levee.cli.options import Dataset, Engine, EnvOption, Folder, JsonFile
from levee.cli.scope import deployed
from levee.report import quality as report


class Form(StrEnum):
    """How it is printed."""

    TEXT = "text"
    MARKDOWN = "markdown"


def register(app: typer.Typer) -> None:
    """Add the command."""
    panels.command(app, quality, example="levee quality sales.cdnow --last 10 --format markdown", panel=panels.DATA)


def quality(
    dataset: Dataset,
    *,
    last: Annotated[int, typer.Option("--last", min=1, max=1000, help="Batches and evaluations shown.")] = 20,
    form: Annotated[Form, typer.Option("--format", help="What is printed.")] = Form.TEXT,
    env: EnvOption = "local",
    data_engine: Engine = None,
    cwd: Folder = Path(),
    json: JsonFile = None,
) -> int:
    """Show a dataset's last batches, the rules that their records broke, its checks, and how to see the rows."""
    scoped, plan = deployed(env, cwd)
    told = runner.quality(plan, dataset, root=scoped.project.root, last=last, engine=data_engine, console=errors)
    to = answer(told, json)
    if form is Form.MARKDOWN:
        to.print(report.markdown(told), markup=False, soft_wrap=True, end="")
    else:
        to.print(report.shown(told))
    return 0
