"""Runs a contract's rules and checks over a table in one query of SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from pipelines import sql
from pipelines.contracts.extensions import OnFailure
from pipelines.quality.checks import CHANGES_TABLE, TABLE, TableCheck
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


def evaluate(
    spark: SparkSession,
    view: str,
    rules: Sequence[Rule],
    checks: Sequence[TableCheck],
    *,
    less: Mapping[str, Decimal] = MappingProxyType({}),
    silver: Mapping[str, str] = MappingProxyType({}),
    changes: str | None = None,
) -> tuple[Result, ...]:
    """Run `rules` and `checks` over a view, in one query.

    Args:
        spark: The session that has the view.
        view: Name of the view; for rules about types it must be one of candidate rows.
        rules: Row rules, evaluated in one aggregation.
        checks: Checks on the table, each a subquery of one number.
        less: What is taken from a check's number before it is compared, by :attr:`TableCheck.summed`.
        silver: Views of other datasets' silver, by dataset, for checks that speak of them.
        changes: View of the changes that the table's history is made of, where it has one.

    Returns:
        A result each, the rules' first.
    """
    if not (rules or checks):
        return ()
    query = _query(sql.name(view), rules, checks)
    for dataset, other in silver.items():
        query = query.replace(f"${{silver.{dataset}}}", sql.name(other))
    if changes is not None:
        query = query.replace(CHANGES_TABLE, sql.name(changes))
    row = spark.sql(query).collect()[0]
    by_rule = [_of_rule(rule, row["n"], row[f"r{n}"]) for n, rule in enumerate(rules)]
    numbers = [_less(check, row[f"c{n}"], less) for n, check in enumerate(checks)]
    return (*by_rule, *(_of_check(check, number) for check, number in zip(checks, numbers, strict=True)))


def _less(check: TableCheck, value: Any, less: Mapping[str, Decimal]) -> Any:
    return value if check.summed is None or value is None else Decimal(value) - less[check.summed]


def _query(table: str, rules: Sequence[Rule], checks: Sequence[TableCheck]) -> str:
    """SQL of one row: of ``n`` rows ``r0``, ``r1``, ... break a rule each; ``c0``, ``c1``, ... are checks' numbers."""
    numbers = [f"({check.query.replace(TABLE, table)}) AS c{n}" for n, check in enumerate(checks)]
    if not rules:
        return f"SELECT {', '.join(numbers)}"
    # Each predicate is a 0/1 column first: Sail does not plan two casts of one column inside one aggregation.
    flags = ", ".join(f"CASE WHEN {rule.predicate} THEN 0 ELSE 1 END AS r{n}" for n, rule in enumerate(rules))
    sums = ", ".join(f"coalesce(sum(r{n}), 0) AS r{n}" for n in range(len(rules)))
    counted = f"SELECT count(*) AS n, {sums} FROM (SELECT {flags} FROM {table}) AS flags"
    return f"SELECT {', '.join(['*', *numbers])} FROM ({counted}) AS counted"


def _of_rule(rule: Rule, rows: int, failed: int) -> Result:
    return Result(
        id=rule.id,
        column=rule.column,
        success=failed == 0,
        rows=rows,
        failed=failed,
        observed=None,
        expected=rule.predicate,
        on_failure=rule.on_failure,
        description=rule.description,
    )


def _of_check(check: TableCheck, value: Any) -> Result:
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
