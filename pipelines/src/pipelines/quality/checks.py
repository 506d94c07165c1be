"""Checks on a table as a whole, compiled to scalar SQL: what the row rules do not cover.

A check is a number and a comparison: a library metric with a threshold (``rowCount``, ``duplicateValues``, or a row
metric that allows some bad rows), ``type: sql`` with a query that returns one number, or ``type: custom`` with
``engine: levee`` and an ``implementation`` of ``balance`` or ``reconciliation``. ``unit: percent`` makes a metric a
part of all rows, 0 to 100. Duplicates are counted as Great Expectations counts them: every member of a group, after
identical rows were removed. In a query ``${table}`` is the table, ``${column}`` the check's column and, of a model,
``${silver.NAME}`` another dataset's silver. Of a dataset with a history either is the rows that hold now.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from pipelines import sql
from pipelines.contracts.extensions import Implementation, OnFailure
from pipelines.contracts.model import Check, Contract
from pipelines.contracts.odcs import Quality
from pipelines.errors import ContractError
from pipelines.quality.custom import named
from pipelines.quality.measures import Measure
from pipelines.quality.rules import check_predicate, on_rows

TABLE = "${table}"
"""The table's place in a query, as in the standard's examples."""
CHANGES_TABLE = "${changes}"
"""The place of the changes that a dataset's history is made of, in a query of Levee's own."""
_SILVER = re.compile(r"\$\{silver\.(\w+)\}")
"""How a check names the silver of another dataset."""

SUMMED = ("decimal", "tinyint", "smallint", "int", "integer", "bigint")
"""Types whose sums are exact."""

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
        on_failure: ``warn``, ``failBatch`` or ``stopPipeline``.
        description: One line for readers.
        dimension: Quality dimension of the standard, where it is known.
        summed: The measure of the pass whose sum is taken from the number before it is compared.
    """

    id: str
    column: str | None
    query: str
    comparison: Comparison
    on_failure: OnFailure
    description: str
    dimension: str | None = None
    summed: str | None = None

    @property
    def others(self) -> frozenset[str]:
        """Datasets whose silver the query reads: the rows that hold now."""
        return frozenset(_SILVER.findall(self.query))


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
    found.extend(_check(contract, check) for check in contract.every_check if _on_table(check))
    return tuple(found)


def not_run(contract: Contract) -> tuple[NotRun, ...]:
    """Name the checks that no engine of Levee runs: texts for people, and other tools' own."""
    skipped = []
    for check in contract.every_check:
        if check.quality.type == "text":
            skipped.append(NotRun(check.id, "text for people"))
        elif check.quality.type == "custom" and check.quality.engine != "levee":
            skipped.append(NotRun(check.id, f"for the engine {check.quality.engine}"))
    return tuple(skipped)


def summed(contract: Contract) -> tuple[Measure, ...]:
    """The sums that the contract reconciles between bronze and silver, measured by the pass.

    Raises:
        ContractError: one is of a column that there is not, or whose sums are not exact; with its line.
    """
    return tuple(
        Measure(check.id, "sum", _summed_column(contract, check, look.column))
        for check in contract.every_check
        if contract.layer == "source" and check.look and (look := check.look.reconciliation)
    )


def _on_table(check: Check) -> bool:
    if check.look is not None:
        return bool(check.look.balance or check.look.reconciliation)
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
            fix="use `failBatch` or `warn`; to drop repeats, name their columns in history.businessKey",
        )
    query = _custom_query(contract, check, check.look) if check.look else _query(contract, check)
    if contract.layer == "source" and (others := _SILVER.findall(query)):
        raise ContractError(
            f"quality check {check.id} reads silver.{others[0]}, and a source is checked before others are there",
            where=check.where,
            fix="use `references` for keys, or put the check into the contract of a model that reads both",
        )
    return TableCheck(
        id=check.id,
        column=check.column,
        query=query,
        comparison=_tolerance(check.look) if check.look else _comparison(check),
        on_failure=check.on_failure or ("failBatch" if quality.severity in (None, "error") else "warn"),
        description=quality.description or quality.name or check.id,
        dimension=quality.dimension,
        summed=check.id if check.look and check.look.reconciliation and contract.layer == "source" else None,
    )


def _custom_query(contract: Contract, check: Check, look: Implementation) -> str:
    """The query of a check of Levee's own: groups out of balance, or a sum less what it must be."""
    if balance := look.balance:
        debit, credit = (_summed_column(contract, check, name) for name in (balance.debit, balance.credit))
        groups = ", ".join(named(contract, check, name) for name in balance.per)
        apart = f"coalesce(sum({debit}), 0) <> coalesce(sum({credit}), 0)"
        return f"SELECT count(*) FROM (SELECT 1 AS one FROM {TABLE} GROUP BY {groups} HAVING {apart}) AS apart"
    reconciliation = look.reconciliation
    assert reconciliation is not None  # `_on_table`
    column = _summed_column(contract, check, reconciliation.column)
    if contract.layer == "source":
        return f"SELECT coalesce(sum({column} * _copies), 0) FROM {_accounted(contract, check)}"
    if reconciliation.from_ is None:
        raise ContractError(
            f"quality check {check.id} does not say which silver the sum comes from",
            where=check.where,
            fix="add `from: <dataset>` to its reconciliation",
        )
    other = f"SELECT coalesce(sum({reconciliation.expression or column}), 0) FROM ${{silver.{reconciliation.from_}}}"
    return f"SELECT coalesce(sum({column}), 0) - ({other}) FROM {TABLE}"


def _accounted(contract: Contract, check: Check) -> str:
    """Where every accepted record is: in the table, or in the changes that its history is made of."""
    history = contract.history
    if history is None:
        return TABLE
    if history.type == 1 or history.deletes == "hard":
        raise ContractError(
            f"quality check {check.id} adds up what was accepted, and the history of {contract.dataset} forgets it",
            where=check.where,
            fix="keep it (`type: 2` or `4`, `deletes: soft`), or reconcile in the contract of a model",
        )
    return f"{CHANGES_TABLE} WHERE coalesce(_op <> 'd', true)" if contract.change_feed else CHANGES_TABLE


def _tolerance(look: Implementation) -> Comparison:
    """No group out of balance; a sum as far off as its reconciliation allows."""
    allowed = look.reconciliation.tolerance if look.reconciliation else 0
    return Comparison("between", (-allowed, allowed)) if allowed else Comparison("=", 0)


def _summed_column(contract: Contract, check: Check, column: str | None) -> str:
    quoted = named(contract, check, column, *SUMMED)
    if any(quoted == sql.name(item.name) for item in contract.personal_columns):
        raise ContractError(
            f"quality check {check.id} adds up {quoted}, which is masked in silver",
            where=check.where,
            fix="name a column that is not personal",
        )
    return quoted


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
