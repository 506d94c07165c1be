"""Checks on a table as a whole, compiled to scalar SQL: what the row rules do not cover.

A check is a number and a comparison: a library metric with a threshold (``rowCount``, ``duplicateValues``, or a row
metric that allows some bad rows), or ``type: sql`` with a query that returns one number. ``unit: percent`` makes a
metric a part of all rows, 0 to 100. Duplicates are counted as Great Expectations counts them: every member of a group.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from pipelines.contracts.extensions import OnFailure
from pipelines.contracts.model import Check, Contract
from pipelines.contracts.odcs import Quality
from pipelines.errors import ContractError
from pipelines.quality import sql
from pipelines.quality.rules import check_predicate, on_rows

TABLE = "${table}"
"""The table's place in a query, as in the standard's examples."""

_OPERATORS = {
    "must_be": "=",
    "must_not_be": "!=",
    "must_be_greater_than": ">",
    "must_be_greater_or_equal_to": ">=",
    "must_be_less_than": "<",
    "must_be_less_or_equal_to": "<=",
    "must_be_between": "between",
    "must_not_be_between": "not between",
}


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a metric must be.

    Attributes:
        operator: ``=``, ``!=``, ``>``, ``>=``, ``<``, ``<=``, ``between`` or ``not between`` (ends included).
        operand: A number, or a pair of them.
    """

    operator: str
    operand: Any

    def holds(self, value: Decimal | float | None) -> bool:
        """Whether `value` is as it must be; a metric without a value is not."""
        if value is None:
            return False
        match self.operator:
            case "=":
                return value == self.operand
            case "!=":
                return value != self.operand
            case ">":
                return value > self.operand
            case ">=":
                return value >= self.operand
            case "<":
                return value < self.operand
            case "<=":
                return value <= self.operand
            case _:
                low, high = self.operand
                return (low <= value <= high) == (self.operator == "between")

    def __str__(self) -> str:
        if isinstance(self.operand, tuple | list):
            return f"{self.operator} {self.operand[0]} and {self.operand[1]}"
        return f"{self.operator} {self.operand}"


@dataclass(frozen=True, slots=True)
class TableCheck:
    """One check on a table.

    Attributes:
        id: Its name in results and run record.
        column: Column it is about; ``None`` for the table.
        query: SQL that returns one number; ``${table}`` stands for the table.
        comparison: What the number must be.
        on_failure: ``warn`` or ``failBatch``.
        description: One line for readers.
        dimension: Quality dimension of the standard, where it is known.
    """

    id: str
    column: str | None
    query: str
    comparison: Comparison
    on_failure: OnFailure
    description: str
    dimension: str | None = None


@dataclass(frozen=True, slots=True)
class NotRun:
    """A check of the contract that is not run, and why: it is named in every result.

    Attributes:
        id: The check.
        reason: Why it is not run.
    """

    id: str
    reason: str


def table_checks(contract: Contract) -> tuple[TableCheck, ...]:
    """Compile the contract's checks on the table, ``unique`` columns and the primary key included.

    Raises:
        ContractError: a check asks for what cannot be compiled; with its line.
    """
    found = [_unique(f"{column.name}_unique", (column.name,)) for column in contract.columns if column.unique]
    if contract.primary_key:
        found.append(_unique("primary_key", contract.primary_key))
    found.extend(_check(contract, check) for check in all_checks(contract) if _on_table(check))
    return tuple(found)


def not_run(contract: Contract) -> tuple[NotRun, ...]:
    """Name the checks that no engine of Levee runs: texts for people, and other tools' own."""
    skipped = []
    for check in all_checks(contract):
        if check.quality.type == "text":
            skipped.append(NotRun(check.id, "text for people"))
        elif check.quality.type == "custom" and check.quality.engine != "levee":
            skipped.append(NotRun(check.id, f"for the engine {check.quality.engine}"))
    return tuple(skipped)


def all_checks(contract: Contract) -> tuple[Check, ...]:
    """Every quality check of the contract: the columns', then the table's."""
    return (*(check for column in contract.columns for check in column.quality), *contract.checks)


def _on_table(check: Check) -> bool:
    return check.quality.type in ("library", "sql") and not on_rows(check)


def _unique(check_id: str, columns: tuple[str, ...]) -> TableCheck:
    return TableCheck(
        id=check_id,
        column=columns[0] if len(columns) == 1 else None,
        query=_duplicates(columns),
        comparison=Comparison("=", 0),
        on_failure="failBatch",
        description=f"no two rows have the same {', '.join(columns)}",
        dimension="uniqueness",
    )


def _check(contract: Contract, check: Check) -> TableCheck:
    quality = check.quality
    if check.on_failure == "quarantine":
        raise ContractError(
            f"quality check {check.id} is about the table, so it has no rows to quarantine",
            where=check.where,
            fix="use `failBatch` or `warn`; to drop repeats, name their columns in deduplication.businessKey",
        )
    return TableCheck(
        id=check.id,
        column=check.column,
        query=_query(contract, check),
        comparison=_comparison(check),
        on_failure=check.on_failure or ("failBatch" if quality.severity in (None, "error") else "warn"),
        description=quality.description or quality.name or check.id,
        dimension=quality.dimension,
    )


def _query(contract: Contract, check: Check) -> str:
    quality = check.quality
    if quality.type == "sql":
        return (quality.query or "").replace("${column}", sql.name(check.column or "")).strip().rstrip(";")
    match quality.metric:
        case "rowCount":
            return f"SELECT count(*) FROM {TABLE}"
        case "duplicateValues":
            columns = (check.column,) if check.column else tuple(quality.arguments.get("properties", ()))
            known = {column.name for column in contract.columns}
            if not columns or not known.issuperset(columns):
                raise ContractError(
                    f"quality check {check.id} does not say which columns must not repeat",
                    where=check.where,
                    fix=f"write `arguments: {{properties: [...]}}` with columns of {', '.join(sorted(known))}",
                )
            return _part(_duplicates(columns), quality)
        case _:
            bad = f"NOT ({check_predicate(contract, check)})"
            return _part(f"SELECT count(*) FROM {TABLE} WHERE {bad}", quality)


def _part(count: str, quality: Quality) -> str:
    """The count itself, or for ``unit: percent`` its part of all rows; of no rows, nothing is bad."""
    if quality.unit in (None, "rows"):
        return count
    if quality.unit == "percent":
        return f"SELECT coalesce(100.0D * ({count}) / nullif((SELECT count(*) FROM {TABLE}), 0), 0.0D)"
    raise ContractError(f"{quality.unit!r} is no unit of {quality.metric}", fix="use `rows` or `percent`")


def _duplicates(columns: tuple[str, ...]) -> str:
    names = ", ".join(sql.name(column) for column in columns)
    present = sql.all_of([f"{sql.name(column)} IS NOT NULL" for column in columns])
    groups = f"SELECT count(*) AS n FROM {TABLE} WHERE {present} GROUP BY {names} HAVING count(*) > 1"
    return f"SELECT coalesce(sum(n), 0) FROM ({groups}) AS repeated"


def _comparison(check: Check) -> Comparison:
    given = [(name, value) for name in _OPERATORS if (value := getattr(check.quality, name)) is not None]
    if len(given) != 1:
        raise ContractError(
            f"quality check {check.id} needs exactly one comparison, and has {len(given)}",
            where=check.where,
            fix="write one of mustBe, mustBeGreaterThan, mustBeBetween, ...",
        )
    name, value = given[0]
    numbers = value if isinstance(value, tuple | list) else (value,)
    if not all(isinstance(number, int | float) and not isinstance(number, bool) for number in numbers):
        raise ContractError(f"quality check {check.id} compares with {value!r}, which is no number", where=check.where)
    return Comparison(_OPERATORS[name], value)
