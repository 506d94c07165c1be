"""The models of a domain as a project of dbt: for teams that run dbt, or that take their models elsewhere.

Sources are the tables that Levee's own silver tasks make; with the target's schema called as the domain, dbt's default
naming gives the schemas that Levee has (``sales_silver``, ``sales_gold``). Checks of the contracts become data tests,
tests beside the models unit tests. What dbt has no word for is in ``meta``: an incremental model is exported as a
table, because which batches it has seen stands in Levee's record.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Literal

import sqlglot
from sqlglot import exp

from pipelines.contracts.catalogue import schema_name
from pipelines.contracts.domain import Domain
from pipelines.contracts.model import Contract
from pipelines.contracts.shown import Shown
from pipelines.errors import UsageError
from pipelines.gold.members import completed
from pipelines.gold.query import DIALECT, query
from pipelines.gold.testing import Case, cases
from pipelines.quality.checks import TABLE, TableCheck, table_checks
from pipelines.quality.rules import rules

Adapter = Literal["databricks", "spark", "duckdb"]

ADAPTERS: Final[Mapping[str, Mapping[str, Any]]] = {
    "databricks": {
        "type": "databricks",
        "catalog": "{{ env_var('DATABRICKS_CATALOG') }}",
        "host": "{{ env_var('DATABRICKS_HOST') }}",
        "http_path": "{{ env_var('DATABRICKS_HTTP_PATH') }}",
        "token": "{{ env_var('DATABRICKS_TOKEN') }}",
    },
    "spark": {"type": "spark", "method": "session", "host": "localhost"},
    "duckdb": {"type": "duckdb", "path": "{{ env_var('DBT_DUCKDB_PATH', 'levee.duckdb') }}"},
}
"""What the profile of each adapter says; secrets are the environment's."""

_MARK: Final = "levee_dbt_"


def project(domain: Domain, adapter: str = "databricks") -> dict[str, str | dict[str, Any]]:
    """Return the files of the project: SQL as text, YAML as what it holds.

    Args:
        domain: The domain.
        adapter: One of `ADAPTERS`; with ``duckdb`` the SQL is translated, else it is the author's.

    Raises:
        UsageError: there is no such adapter.
        ContractError: a model is wrong.
    """
    if adapter not in ADAPTERS:
        raise UsageError(f"there is no adapter {adapter!r}", fix=f"use one of {', '.join(ADAPTERS)}")
    name = f"levee_{domain.name.replace('-', '_')}"
    files: dict[str, str | dict[str, Any]] = {
        "dbt_project.yml": _project(name),
        "profiles.yml": {name: {"target": "levee", "outputs": {"levee": {**ADAPTERS[adapter], "schema": domain.name}}}},
        "models/sources.yml": _sources(domain),
    }
    for model in domain.models:
        files[f"models/{model.layer}/{model.dataset}.sql"] = _model(domain, model, adapter)
        files[f"models/{model.layer}/{model.dataset}.yml"] = _properties(domain, model)
        files |= {f"tests/{test}.sql": text for test, text in _tests(model, adapter)}
    return files


def _project(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "version": "1.0.0",
        "config-version": 2,
        "profile": name,
        "model-paths": ["models"],
        "test-paths": ["tests"],
        "models": {name: {layer: {"+schema": layer, "+materialized": "table"} for layer in ("silver", "gold")}},
    }


def _sources(domain: Domain) -> dict[str, Any]:
    tables = [
        {
            "name": source.dataset,
            "description": source.description,
            "columns": [{"name": c.name, "description": c.description, "data_type": c.type} for c in source.columns],
        }
        for source in domain.sources
    ]
    versions = {read.table: read for model in domain.models for read in domain.reads(model) if read.every_version}
    tables += [
        {"name": name, "description": f"Every version: {read.contract.description}"}
        for name, read in sorted(versions.items())
        if name != read.contract.dataset
    ]
    schema = schema_name(domain.name, domain.sources[0].published)
    return {"version": 2, "sources": [{"name": "silver", "schema": schema, "tables": tables}]}


def _reference(contract: Contract) -> str:
    """How dbt calls a table."""
    return f"ref('{contract.dataset}')" if contract.model else f"source('silver', '{contract.dataset}')"


def _input(table: Shown) -> str:
    """How dbt calls what a model reads: a history of type 4 has its versions beside the table."""
    beside = table.table != table.contract.dataset
    return f"source('silver', '{table.table}')" if beside else _reference(table.contract)


def _model(domain: Domain, model: Contract, adapter: str) -> str:
    parsed = query(model)
    inputs = {table.reference: _seen(table) for table in domain.reads(model)}
    if adapter != "duckdb":
        changes = {
            read.start: (read.end, inputs[read.table] if read.named else f"{inputs[read.table]} AS {read.alias}")
            for read in parsed.reads
        }
        return completed(domain, model, parsed.spliced(changes), inputs) + "\n"
    tree = sqlglot.parse_one(completed(domain, model, parsed.text, {name: name for name in inputs}), dialect=DIALECT)
    marks = {}
    for number, table in enumerate([t for t in tree.find_all(exp.Table) if t.db]):
        marks[f"{_MARK}{number}_"] = inputs[f"{table.db}.{table.name}"]
        alias = table.alias or table.name
        table.replace(exp.alias_(exp.to_table(f"{_MARK}{number}_"), alias, table=True))
    return _marked(tree.sql("duckdb", pretty=True), marks) + "\n"


def _seen(table: Shown) -> str:
    """What stands in place of an input's name: of a table with a history, the rows that the model sees."""
    named = _jinja(_input(table))
    return f"(SELECT * FROM {named} WHERE {table.condition})" if table.condition else named


def _jinja(expression: str) -> str:
    return f"{{{{ {expression} }}}}"


def _marked(text: str, marks: Mapping[str, str]) -> str:
    for mark, value in marks.items():
        text = text.replace(mark, value)
    return text


def _properties(domain: Domain, model: Contract) -> dict[str, Any]:
    assert model.model is not None, "a derived table has a model"
    document: dict[str, Any] = {
        "version": 2,
        "models": [
            {
                "name": model.dataset,
                "description": model.description,
                "meta": {
                    "owner": model.owner,
                    "version": model.version,
                    "classification": model.classification.value,
                    "materialisation": model.model.materialisation,
                    "optional": list(model.model.optional),
                },
                "columns": [_column(column) for column in model.columns],
            }
        ],
    }
    if found := cases(domain, model):
        document["unit_tests"] = [_unit_test(domain, model, case) for case in found]
    return document


def _column(column: Any) -> dict[str, Any]:
    tests = [name for name, wanted in (("not_null", column.required), ("unique", column.unique)) if wanted]
    told = {
        "name": column.name,
        "description": column.description,
        "data_type": column.type,
        "meta": {"classification": column.classification.value},
    }
    return told | ({"data_tests": tests} if tests else {})


def _unit_test(domain: Domain, model: Contract, case: Case) -> dict[str, Any]:
    given = [{"input": _input(read), "rows": list(case.given.get(read.reference, []))} for read in domain.reads(model)]
    names = list(dict.fromkeys(name for row in case.expect for name in row))
    rows = [{name: row.get(name) for name in names} for row in case.expect]
    told: dict[str, Any] = {"name": f"{model.dataset}__{case.name}", "model": model.dataset}
    if case.description:
        told["description"] = case.description
    return told | {"given": given, "expect": {"rows": rows}}


def _tests(model: Contract, adapter: str) -> Iterator[tuple[str, str]]:
    """Tests of one query each, whose rows are what is wrong; what the properties say already is left out."""
    for rule in rules(model):
        if rule.id not in {f"{column.name}_required" for column in model.columns}:
            wrong = f"SELECT * FROM {_MARK}table WHERE NOT ({rule.predicate})"
            yield _test(model, adapter, rule.id, wrong, rule.on_failure)
    for check in table_checks(model):
        if check.id not in {f"{column.name}_unique" for column in model.columns}:
            found = check.query.replace(TABLE, f"{_MARK}table")
            wrong = f"SELECT n FROM (SELECT ({found}) AS n) AS found WHERE NOT coalesce({_holds(check)}, false)"
            yield _test(model, adapter, check.id, wrong, check.on_failure)


def _test(model: Contract, adapter: str, check_id: str, text: str, on_failure: str) -> tuple[str, str]:
    severity = "warn" if on_failure == "warn" else "error"
    translated = sqlglot.transpile(text, read=DIALECT, write="duckdb" if adapter == "duckdb" else DIALECT)[0]
    config = _jinja(f"config(severity='{severity}')")
    return (
        f"{model.dataset}__{check_id}".replace("-", "_"),
        f"{config}\n{translated.replace(f'{_MARK}table', _jinja(_reference(model)))}\n",
    )


def _holds(check: TableCheck) -> str:
    """SQL that is true where the number ``n`` is as it must be."""
    operator, operand = check.comparison.operator, check.comparison.operand
    if isinstance(operand, Sequence):
        return f"n {operator.upper()} {operand[0]} AND {operand[1]}"
    return f"n {operator} {operand}"
