"""A Great Expectations 1.x suite about the published table, as JSON and without importing Great Expectations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from pipelines.contracts import Contract
from pipelines.export.published import promises
from pipelines.quality.checks import TableCheck, table_checks

_SEVERITIES: Final = {"warn": "warning", "quarantine": "critical", "failBatch": "critical", "stopPipeline": "critical"}
"""Great Expectations' severities by what a failure does here."""


def suite(contract: Contract) -> dict[str, Any]:
    """The suite: the table's columns, every rule that a row of it keeps, and the checks on it as a whole.

    A rule without an expectation of its own is ``unexpected_rows_expectation``, a query that SQL and Spark batches run.

    Raises:
        ContractError: a check cannot be compiled; with its line.
    """
    others = [f"{rule}: {reason}" for rule, reason in promises(contract).others]
    return {
        "name": f"{contract.domain}.{contract.dataset}",
        "expectations": list(_expectations(contract)),
        "meta": {"contract": contract.standard.id, "version": contract.version, "not_promised": others},
        "notes": f"Made from the data contract {contract.domain}.{contract.dataset} {contract.version}.",
    }


def _expectations(contract: Contract) -> Iterator[dict[str, Any]]:
    for column in contract.columns:
        yield _one("expect_column_to_exist", {"column": column.name}, f"{column.name}_exists", "failBatch")
    for rule in promises(contract).kept:
        native = rule.native
        kind, kwargs = (native.type, native.kwargs) if native else _unexpected(rule.predicate)
        yield _one(kind, kwargs, rule.id, rule.on_failure, rule.description)
    for check in table_checks(contract):
        kind, kwargs = _of_table(contract, check)
        yield _one(kind, kwargs, check.id, check.on_failure, check.description)


def _one(kind: str, kwargs: Mapping[str, Any], rule: str, on_failure: str, description: str = "") -> dict[str, Any]:
    return {
        "type": kind,
        "kwargs": dict(kwargs),
        "meta": {"rule": rule},
        "severity": _SEVERITIES[on_failure],
        **({"description": description} if description else {}),
    }


def _unexpected(predicate: str) -> tuple[str, dict[str, Any]]:
    """Rows that break a predicate; braces are Great Expectations' own in a query."""
    escaped = predicate.replace("{", "{{").replace("}", "}}")
    return "unexpected_rows_expectation", {"unexpected_rows_query": f"SELECT * FROM {{batch}} WHERE NOT ({escaped})"}


def _of_table(contract: Contract, check: TableCheck) -> tuple[str, dict[str, Any]]:
    if check.id == "primary_key" and len(contract.primary_key) > 1:
        return "expect_compound_columns_to_be_unique", {"column_list": list(contract.primary_key)}
    unique = contract.primary_key[0] if check.id == "primary_key" else check.column
    if unique and check.id in ("primary_key", f"{unique}_unique"):
        return "expect_column_values_to_be_unique", {"column": unique}
    query = check.query.replace("{", "{{").replace("}", "}}").replace("${{table}}", "{batch}")
    return "unexpected_rows_expectation", {
        "unexpected_rows_query": f"SELECT * FROM (SELECT ({query}) AS metric) AS checked "
        f"WHERE metric IS NULL OR NOT (metric {_sql(check)})"
    }


def _sql(check: TableCheck) -> str:
    """The comparison in SQL; a pair reads ``between 1 and 2`` there as it does here."""
    return str(check.comparison)
