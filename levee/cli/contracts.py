"""``levee contracts``: what changes in data contracts, what is wrong with them, and what is made from them."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from levee import engine, runner
from levee.cli import panels
from levee.cli.console import answer, errors, human, print_json, say, write_json, write_texts
from levee.cli.options import Folder, JsonFile
from levee.cli.scope import scope
from levee.engine import find_project
from levee.errors import UsageError
from levee.files import write_whole
from levee.report import catalogue
from levee.report import contracts as tables
from levee.review import contract_comment, contract_lint
from levee.review.contract_sides import sides
from levee.review.trees import Repository
from pipelines.contracts import ContractError, contract_files, differences, domains_folder, lint_contracts

Paths = Annotated[
    list[Path] | None,
    typer.Argument(metavar="PATH", help="Contracts and folders of them; the shipped domains where absent."),
]


class DiffFormat(StrEnum):
    """What differences are written as for people."""

    TEXT = "text"
    MARKDOWN = "markdown"


class ExportFormat(StrEnum):
    """Whose form a contract is written in."""

    GREAT_EXPECTATIONS = "great-expectations"
    SQL_DDL = "sql-ddl"
    JSON_SCHEMA = "json-schema"
    AVRO = "avro"
    ODCS = "odcs"


class Dialect(StrEnum):
    """Whose SQL the DDL is."""

    SPARK = "spark"
    DATABRICKS = "databricks"
    POSTGRES = "postgres"
    DUCKDB = "duckdb"


class LintFormat(StrEnum):
    """What findings are written as."""

    TEXT = "text"
    SARIF = "sarif"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    contracts = panels.group(
        app,
        "contracts",
        panels.DATA,
        help_="Data contracts: compare, check, document, export, and start new ones.",
        example="levee contracts lint",
    )
    panels.command(contracts, diff, example="levee contracts diff --base main --format markdown")
    panels.command(contracts, lint, example="levee contracts lint pipelines/src/pipelines/domains")
    panels.command(contracts, docs, example="levee contracts docs --env local --output site")
    panels.command(
        contracts, infer, example="levee contracts infer orders.csv --as shop.orders --output orders.odcs.yaml"
    )
    panels.command(contracts, export, example="levee contracts export --format sql-ddl --dialect postgres --output ddl")


def diff(
    old: Annotated[str | None, typer.Argument(metavar="OLD", help="A file, a folder or a commit.")] = None,
    new: Annotated[
        str | None, typer.Argument(metavar="NEW", help="The same; the working tree's contracts where absent.")
    ] = None,
    *,
    base: Annotated[
        str | None, typer.Option("--base", metavar="REV", help="The commit that takes OLD's place.")
    ] = None,
    form: Annotated[DiffFormat, typer.Option("--format", help="What is printed.")] = DiffFormat.TEXT,
    json: JsonFile = None,
) -> int:
    """Say which changes of contracts break readers, why, and whom; 1 where the version does not tell them."""
    if (old is None) == (base is None):
        raise UsageError("say what is compared with: OLD or --base", fix="levee contracts diff --base main")
    with sides(old or base or "", new, cwd=Path()) as (before, after):
        found = differences(before.contracts, after.contracts, (*before.beside, *after.beside))
    if json:
        write_json(contract_comment.document(found, before.name, after.name), json)
    if form is DiffFormat.MARKDOWN:
        if json != Path("-"):
            sys.stdout.write(contract_comment.markdown(found, before.name, after.name))
    else:
        if found:
            human(json).print(tables.difference_table(found))
        say(tables.difference_line(found), human(json))
    return int(any(one.unannounced for one in found))


def lint(
    paths: Paths = None,
    *,
    strict: Annotated[bool, typer.Option("--strict", help="Warnings fail, too.")] = False,
    form: Annotated[LintFormat, typer.Option("--format", help="What is printed.")] = LintFormat.TEXT,
    json: JsonFile = None,
) -> int:
    """Say everything that is wrong with contracts, and what would be better; 1 where one is refused."""
    asked = tuple(paths or [_shown(domains_folder())])
    try:
        files = len(contract_files(asked))
        found = lint_contracts(asked)
    except ContractError as wrong:
        raise UsageError(wrong.message, where=wrong.where, fix=wrong.fix) from wrong
    blocked = contract_lint.failed(found, strict=strict)
    if json:
        write_json(contract_lint.document(found, files, blocked=blocked), json)
    if form is LintFormat.SARIF:
        if json != Path("-"):
            print_json(contract_lint.sarif_log(found, version("levee"), blocked=blocked))
    else:
        if found:
            human(json).print(tables.lint_table(found))
        say(tables.lint_line(found, files), human(json))
    return int(blocked)


def export(
    paths: Paths = None,
    *,
    form: Annotated[ExportFormat, typer.Option("--format", help="What contracts are written as.")],
    dialect: Annotated[Dialect, typer.Option("--dialect", help="Of sql-ddl: whose SQL.")] = Dialect.SPARK,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="DIR", help="A file a contract, in here; printed where absent."),
    ] = None,
    cwd: Folder = Path(),
    json: JsonFile = None,
) -> int:
    """Write the published tables for other tools: Great Expectations, databases, JSON Schema, Avro, ODCS tools."""
    asked = [str(path.resolve()) for path in paths or [domains_folder()]]
    prepared = runner.ensure_data_env(find_project(cwd).root, console=errors)
    with tempfile.TemporaryDirectory(prefix="levee-export-") as scratch:
        folder = output or Path(scratch)
        where = ["--format", form, "--dialect", dialect, "--out", str(folder.resolve())]
        runner.call(prepared, "pipelines.export", [*where, "--", *asked])
        files = [file for file in sorted(folder.rglob("*")) if file.is_file()]
        if json:
            texts = {str(file.relative_to(folder)): file.read_text("utf-8") for file in files}
            write_json({"version": 1, "format": form, "files": texts}, json)
        if output is None and json != Path("-"):
            write_texts(((file.name, file.read_text("utf-8")) for file in files), None)
    return 0


def infer(
    source: Annotated[
        str,
        typer.Argument(metavar="SOURCE", help="A file, a folder, or postgresql://HOST:PORT/DATABASE/SCHEMA.TABLE."),
    ],
    *,
    name: Annotated[str, typer.Option("--as", metavar="DOMAIN.DATASET", help="What the table is called.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="The contract's file; printed where absent.")
    ] = None,
    user: Annotated[
        str | None, typer.Option("--user", metavar="REF", help="A database's user, by reference: env:NAME, file:/path.")
    ] = None,
    password: Annotated[
        str | None, typer.Option("--password", metavar="REF", help="Its password, by reference likewise.")
    ] = None,
    rows: Annotated[int, typer.Option("--rows", min=1, help="The most records that are read.")] = 100_000,
    cwd: Folder = Path(),
    json: JsonFile = None,
) -> int:
    """Write a table's first contract from its data: types, nulls, keys, and what is probably personal, masked."""
    domain, dot, dataset = name.partition(".")
    if not dot:
        raise UsageError(f"{name!r} does not name domain and dataset", fix=f"--as DOMAIN.{name}")
    if output and output.exists():
        raise UsageError("there is a contract already", where=str(output), fix="remove it first, or name another file")
    prepared = runner.ensure_data_env(find_project(cwd).root, console=errors)
    login = [f"--{option}={value}" for option, value in (("user", user), ("password", password)) if value]
    asked = ["--domain", domain, "--dataset", dataset, f"--rows={rows}", *login, "--", source]
    text = runner.call(prepared, "pipelines.infer", asked)
    out = answer({"file": str(output) if output else None, "contract": text}, json)
    if output is None:
        if json != Path("-"):
            sys.stdout.write(text)
        return 0
    write_whole(output, text)
    out.print(f"contract  {output}", soft_wrap=True)
    out.print(f"next      levee contracts lint {output}", soft_wrap=True)
    return 0


def docs(
    domains: Annotated[
        Path | None, typer.Argument(metavar="DOMAINS", help="A folder of domains; the shipped ones where absent.")
    ] = None,
    *,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="The site's folder.")] = Path(
        ".levee/docs"
    ),
    env: Annotated[
        str | None, typer.Option("--env", "-e", metavar="ENV", help="Also show what the runs of this environment left.")
    ] = None,
    sample: Annotated[int, typer.Option("--sample", min=0, max=100, help="Rows of silver, masked; 0 for none.")] = 8,
    sensitive: Annotated[
        bool, typer.Option("--sensitive", help="Samples show confidential columns and masked ones, too.")
    ] = False,
    cwd: Folder = Path(),
    json: JsonFile = None,
) -> int:
    """Write a static site: a page a table with schema, lineage, rules, owners, quality over time, and masked rows."""
    root = find_project(cwd).root
    plan = engine.deployed(root, scope(env, cwd, None, online=False).stack) if env else None
    answers = runner.catalogue(root, plan=plan, domains=domains, sample=sample, sensitive=sensitive, console=errors)
    shown = [catalogue.parse(answer) for answer in answers]
    folder = domains.resolve() if domains else domains_folder()
    index = catalogue.write(shown, output, _history(folder, shown), datetime.now(UTC))
    answer({"catalogue": str(index)}, json).print(f"catalogue  {index}", soft_wrap=True)
    return 0


def _history(folder: Path, shown: Sequence[catalogue.DomainCatalogue]) -> dict[str, list[catalogue.Commit]]:
    """What git says of each contract's file; nothing where they lie in no repository."""
    try:
        repository = Repository.around(folder)
    except UsageError:
        return {}
    files = [table.file for domain in shown for table in domain.tables]
    return {file: [catalogue.Commit(*commit) for commit in repository.history(folder / file)] for file in files}


def _shown(path: Path) -> Path:
    """A path as it is written from here, where it lies below."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
