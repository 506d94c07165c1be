"""``levee models``: the SQL models of a domain, tested and shown from their files, without a deployed stack."""

from __future__ import annotations

import json as json_module
from pathlib import Path
from typing import Annotated, Any

import typer

from levee import runner
from levee.cli.console import errors, human, write_json
from levee.cli.data import DataEngine, Engine
from levee.cli.options import Folder, JsonFile
from levee.engine import find_project
from levee.report import models as tables
from pipelines.contracts import domains_folder

Models = Annotated[
    list[str] | None, typer.Argument(metavar="MODEL", help="Names of models; all of the domain's where absent.")
]
DomainOption = Annotated[str, typer.Option("--domain", metavar="NAME", help="The domain.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    models = typer.Typer(help="SQL models of silver and gold: list, show, test, and export to dbt.")
    models.command(name="list", epilog="Example: levee models list --domain sales")(list_)
    models.command(epilog="Example: levee models show revenue_by_month")(show)
    models.command(name="test", epilog="Example: levee models test revenue_by_month revenue_trends")(run_tests)
    models.command(epilog="Example: levee models export --dbt build/dbt")(export)
    app.add_typer(models, name="models", no_args_is_help=True)


def list_(*, domain: DomainOption = "sales", cwd: Folder = Path(), json: JsonFile = None) -> int:
    """Name every model in the order of building, with what it reads."""
    document = _ask(cwd, domain, "list")
    human(json).print(tables.listed(document))
    if json:
        write_json({"version": 1, **document}, json)
    return 0


def show(models: Models = None, *, domain: DomainOption = "sales", cwd: Folder = Path(), json: JsonFile = None) -> int:
    """Show a model's SQL and the input columns that each of its columns comes from."""
    document = _ask(cwd, domain, "show", *(models or ()))
    for model in document["models"]:
        human(json).print(tables.shown(model))
    if json:
        write_json({"version": 1, **document}, json)
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
    human(json).print(tables.outcomes(document))
    if json:
        write_json({"version": 1, **document}, json)
    return int(any(not outcome["passed"] for outcome in document["tests"]))


def export(
    *,
    dbt: Annotated[Path, typer.Option("--dbt", metavar="DIR", help="Where the dbt project is written.")],
    adapter: Annotated[
        str, typer.Option("--adapter", help="Whose SQL and profile: databricks, spark or duckdb.")
    ] = "databricks",
    domain: DomainOption = "sales",
    cwd: Folder = Path(),
    json: JsonFile = None,
) -> int:
    """Write the models as a dbt project: sources, models, data tests and unit tests."""
    document = _ask(cwd, domain, "export", "--dbt", str(dbt.resolve()), "--adapter", adapter)
    human(json).print(f"{len(document['files'])} files in {dbt}", soft_wrap=True)
    if json:
        write_json({"version": 1, **document}, json)
    return 0


def _ask(cwd: Path, domain: str, *arguments: str, engine: DataEngine | None = None) -> dict[str, Any]:
    """What the wheel says of the models as their files are now."""
    name = engine.value if engine else DataEngine.SAIL.value
    prepared = runner.ensure_data_env(find_project(cwd).root, name, errors)
    where = ["--domain", domain, "--domains", str(domains_folder())]
    said = runner.call(prepared, "pipelines.gold", [*arguments, *where, "--engine", name])
    return json_module.loads(said)
