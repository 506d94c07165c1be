"""``levee models``: the SQL models of a domain, tested and shown from their files, without a deployed stack."""

from __future__ import annotations

import json as json_module
from pathlib import Path
from typing import Annotated, Any

import typer

from levee import runner
from levee.cli import panels
from levee.cli.console import answer, errors
from levee.cli.options import DataEngine, Engine, Folder, JsonFile
from levee.engine import find_project
from levee.report import models as tables
from pipelines.contracts import domains_folder

Models = Annotated[
    list[str] | None, typer.Argument(metavar="MODEL", help="Names of models; all of the domain's where absent.")
]
DomainOption = Annotated[str, typer.Option("--domain", metavar="NAME", help="The domain.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    models = panels.group(
        app,
        "models",
        panels.DATA,
        help_="SQL models of silver and gold: list, show, test, and export to dbt.",
        example="levee models test",
    )
    panels.command(models, list_, example="levee models list --domain sales", name="list")
    panels.command(models, show, example="levee models show revenue_by_month")
    panels.command(models, run_tests, example="levee models test revenue_by_month revenue_trends", name="test")
    panels.command(models, export, example="levee models export --output build/dbt")


def list_(*, domain: DomainOption = "sales", cwd: Folder = Path(), json: JsonFile = None) -> int:
    """Name every model in the order of building, with what it reads."""
    document = _ask(cwd, domain, "list")
    answer(document, json).print(tables.listed(document))
    return 0


def show(models: Models = None, *, domain: DomainOption = "sales", cwd: Folder = Path(), json: JsonFile = None) -> int:
    """Show a model's SQL and the input columns that each of its columns comes from."""
    document = _ask(cwd, domain, "show", *(models or ()))
    for model in document["models"]:
        answer(document, json).print(tables.shown(model))
    return 0


def run_tests(
    models: Models = None,
    *,
    domain: DomainOption = "sales",
    data_engine: Engine = None,
    cwd: Folder = Path(),
    json: JsonFile = None,
) -> int:
    """Run the tests beside the models (`MODEL.test.yaml`); 1 where one fails."""
    document = _ask(cwd, domain, "test", *(models or ()), engine=data_engine)
    answer(document, json).print(tables.outcomes(document))
    return int(any(not outcome["passed"] for outcome in document["tests"]))


def export(
    *,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="Where the dbt project is written.")],
    adapter: Annotated[
        str, typer.Option("--adapter", help="Whose SQL and profile: databricks, spark or duckdb.")
    ] = "databricks",
    domain: DomainOption = "sales",
    cwd: Folder = Path(),
    json: JsonFile = None,
) -> int:
    """Write the models as a dbt project: sources, models, data tests and unit tests."""
    document = _ask(cwd, domain, "export", "--dbt", str(output.resolve()), "--adapter", adapter)
    answer(document, json).print(f"{len(document['files'])} files in {output}", soft_wrap=True)
    return 0


def _ask(cwd: Path, domain: str, *arguments: str, engine: DataEngine | None = None) -> dict[str, Any]:
    """What the wheel says of the models as their files are now."""
    name = runner.engine_of(engine)
    prepared = runner.ensure_data_env(find_project(cwd).root, name, errors)
    where = ["--domain", domain, "--domains", str(domains_folder())]
    said = runner.call(prepared, "pipelines.gold", [*arguments, *where, "--engine", name])
    return json_module.loads(said)
