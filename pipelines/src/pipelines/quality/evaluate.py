"""Runs a contract's rules and checks over a table in SQL: rules in one pass, checks on the table one query each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from pipelines.contracts.extensions import OnFailure
from pipelines.quality import sql
from pipelines.quality.checks import TABLE, TableCheck
from pipelines.quality.rules import Rule

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@dataclass(frozen=True, slots=True)
class Result:
    """What one rule or check found.

    Attributes:
        id: The rule or check.
        column: Column it is about; ``None`` for several or the table.
        success: Whether it holds.
        rows: Rows that were looked at; ``None`` for a check on the table.
        failed: Rows that broke a rule; ``None`` for a check on the table.
        observed: The number that a check on the table compared; ``None`` for a rule.
        expected: In words, what was expected.
        on_failure: What its failure does.
        description: One line for readers.
    """

    id: str
    column: str | None
    success: bool
    rows: int | None
    failed: int | None
    observed: float | None
    expected: str
    on_failure: OnFailure
    description: str


def evaluate(spark: SparkSession, view: str, rules: Sequence[Rule], checks: Sequence[TableCheck]) -> tuple[Result, ...]:
    """Run `rules` and `checks` over a view.

    Args:
        spark: The session that has the view.
        view: Name of the view; for rules about types it must be one of candidate rows.
        rules: Row rules, evaluated in one aggregation.
        checks: Checks on the table, evaluated one after another.

    Returns:
        A result each, the rules' first.
    """
    return (*_rules(spark, view, rules), *(_check(spark, view, check) for check in checks))


def _rules(spark: SparkSession, view: str, rules: Sequence[Rule]) -> list[Result]:
    if not rules:
        return []
    # Each predicate is a 0/1 column first: Sail does not plan two casts of one column inside one aggregation.
    flags = ", ".join(f"CASE WHEN {rule.predicate} THEN 0 ELSE 1 END AS r{n}" for n, rule in enumerate(rules))
    sums = ", ".join(f"coalesce(sum(r{n}), 0) AS r{n}" for n in range(len(rules)))
    row = spark.sql(f"SELECT count(*) AS n, {sums} FROM (SELECT {flags} FROM {sql.name(view)}) AS flags").collect()[0]
    return [
        Result(
            id=rule.id,
            column=rule.column,
            success=row[f"r{n}"] == 0,
            rows=row["n"],
            failed=row[f"r{n}"],
            observed=None,
            expected=rule.predicate,
            on_failure=rule.on_failure,
            description=rule.description,
        )
        for n, rule in enumerate(rules)
    ]


def _check(spark: SparkSession, view: str, check: TableCheck) -> Result:
    value = spark.sql(check.query.replace(TABLE, sql.name(view))).collect()[0][0]
    return Result(
        id=check.id,
        column=check.column,
        success=check.comparison.holds(value),
        rows=None,
        failed=None,
        observed=float(value) if isinstance(value, int | float | Decimal) else None,
        expected=str(check.comparison),
        on_failure=check.on_failure,
        description=check.description,
    )
