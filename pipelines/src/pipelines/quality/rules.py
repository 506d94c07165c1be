"""Row rules of a contract, compiled to SQL predicates: what silver splits by and the suite expects, from one source.

A predicate is true where the row is good and never null: a rule over a null value holds, as in Great Expectations and
in SQL's CHECK, unless the rule is about nulls. It is evaluated over a *candidate* row, a row of silver before the split
and before masking:

* every column of the contract, typed, under its name (null where the source's text could not be cast);
* for every source field its text as it came, under :func:`source_column`.

Rules come from, in this order: each column's type, ``required`` and ``logicalTypeOptions`` (ids ``<column>_type``,
``<column>_required``, ``<column>_<option>``), then its quality checks on rows, then the table's. A check is on rows
where it is a ``nullValues``, ``missingValues`` or ``invalidValues`` metric of a column with ``mustBe: 0``, or
``type: custom`` with ``engine: levee`` and an ``implementation`` that is decided row by row: ``row`` (a SQL predicate),
``notNegative``, ``currency``, ``currencyDecimals`` or ``references``. The others are on the table
(:mod:`pipelines.quality.checks`) or on the batch (:mod:`pipelines.quality.history`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from pipelines import sql
from pipelines.contracts.model import Check, Column, Contract
from pipelines.errors import ContractError
from pipelines.quality.custom import custom_rule, default_on_failure
from pipelines.quality.rule import Expectation, Rule, rule_column, source_column

ROW_METRICS = ("nullValues", "missingValues", "invalidValues")
_OPTIONS = (*sql.BOUNDS, "minLength", "maxLength", "pattern", "multipleOf")
ARGUMENTS = (*_OPTIONS, "validValues")


def rules(contract: Contract) -> tuple[Rule, ...]:
    """Compile the contract's rules on rows, in the order described above.

    Raises:
        ContractError: a check asks for what cannot be compiled; with its line.
    """
    found: list[Rule] = []
    for column in contract.columns:
        found.extend(_column_rules(contract, column))
    found.extend(custom_rule(contract, check) for check in contract.checks if on_rows(check))
    seen: set[str] = set()
    for rule in found:
        if rule.id in seen:
            raise ContractError(
                f"two rules are called {rule.id}", where=str(contract.path), fix="rename the quality check of that id"
            )
        seen.add(rule.id)
    return tuple(found)


def on_rows(check: Check) -> bool:
    """Whether a check is decided row by row."""
    quality = check.quality
    if check.look is not None:
        return check.look.on_rows
    return (
        quality.type == "library"
        and quality.metric in ROW_METRICS
        and check.column is not None
        and quality.must_be == 0
        and quality.must_be is not False
    )


def _column_rules(contract: Contract, column: Column) -> list[Rule]:
    checks = [check for check in column.quality if on_rows(check)]
    found = []
    quoted = sql.name(column.name)
    if column.sources and (column.type != "string" or column.expression):
        absent = sql.all_of([f"{sql.name(source_column(field))} IS NULL" for field in column.sources])
        found.append(
            Rule(
                id=f"{column.name}_type",
                column=column.name,
                predicate=f"{quoted} IS NOT NULL OR ({absent})",
                on_failure="quarantine",
                kind="type",
                description=f"{', '.join(column.sources)} can be read as {column.type}",
                dimension="conformity",
            )
        )
    if column.required and not any(check.quality.metric == "nullValues" for check in checks):
        found.append(
            Rule(
                id=f"{column.name}_required",
                column=column.name,
                predicate=f"{quoted} IS NOT NULL",
                on_failure="quarantine",
                kind="required",
                description=f"{column.name} is there",
                dimension="completeness",
                native=_not_null(column),
            )
        )
    found.extend(_option(column, option) for option in _OPTIONS if option in column.options)
    found.extend(custom_rule(contract, check) if check.look else _check(column, check) for check in checks)
    return found


def _option(column: Column, option: str) -> Rule:
    value = column.options[option]
    return Rule(
        id=f"{column.name}_{_snake(option)}",
        column=column.name,
        predicate=f"{sql.name(column.name)} IS NULL OR ({_condition(column, option, value, None)})",
        on_failure="quarantine",
        kind="option",
        description=f"{column.name}: {option} {value}",
        dimension="conformity",
        native=_native(column, {option: value}),
    )


def _check(column: Column, check: Check) -> Rule:
    native = None
    if check.quality.metric == "nullValues":
        native = _not_null(column)
    elif check.quality.metric == "invalidValues":
        native = _native(column, check.quality.arguments)
    return Rule(
        id=check.id,
        column=column.name,
        predicate=_metric(column, check),
        on_failure=check.on_failure or default_on_failure(check),
        kind="check",
        description=check.quality.description or check.quality.name or check.id,
        dimension=check.quality.dimension,
        native=native,
    )


def check_predicate(contract: Contract, check: Check) -> str:
    """SQL that is true where a row satisfies a ``nullValues``, ``missingValues`` or ``invalidValues`` check.

    Raises:
        ContractError: the check has no column, or its arguments say nothing.
    """
    if check.column is None:
        raise ContractError(
            f"quality check {check.id} counts {check.quality.metric} of no column",
            where=check.where,
            fix="move it to the `quality:` of the column it is about",
        )
    return _metric(contract.column(check.column), check)


def _metric(column: Column, check: Check) -> str:
    quoted = sql.name(column.name)
    match check.quality.metric:
        case "nullValues":
            return f"{quoted} IS NOT NULL"
        case "missingValues":
            return _not_missing(column, check.quality.arguments, check)
        case _:
            return f"{quoted} IS NULL OR ({_valid(column, check.quality.arguments, check)})"


def _not_missing(column: Column, arguments: dict[str, Any], check: Check) -> str:
    values = arguments.get("missingValues")
    if not isinstance(values, list) or set(arguments) != {"missingValues"}:
        raise ContractError(
            f"quality check {check.id} does not say which values count as missing",
            where=check.where,
            fix='write `arguments: {missingValues: [null, "", N/A]}`',
        )
    quoted = sql.name(column.name)
    conditions = [f"{quoted} IS NOT NULL"] if None in values else []
    present = [sql.literal(value, column.type, check.where) for value in values if value is not None]
    if present:
        conditions.append(f"{quoted} IS NULL OR {quoted} NOT IN ({', '.join(present)})")
    return sql.all_of(conditions)


def _valid(column: Column, arguments: dict[str, Any], check: Check) -> str:
    if not arguments:
        raise ContractError(
            f"quality check {check.id} does not say which values are valid",
            where=check.where,
            fix=f"add `arguments:` with one or more of {', '.join(ARGUMENTS)}",
        )
    return sql.all_of([_condition(column, option, value, check) for option, value in arguments.items()])


def _condition(column: Column, option: str, value: Any, check: Check | None) -> str:
    where = check.where if check else None
    quoted = sql.name(column.name)
    match option:
        case "minimum" | "exclusiveMinimum" | "maximum" | "exclusiveMaximum":
            return f"{quoted} {sql.BOUNDS[option]} {sql.literal(value, column.type, where)}"
        case "minLength":
            return f"length({quoted}) >= {int(value)}"
        case "maxLength":
            return f"length({quoted}) <= {int(value)}"
        case "pattern":
            return f"{quoted} RLIKE {sql.text(str(value))}"
        case "multipleOf":
            return f"{quoted} % {sql.literal(value, column.type, where)} = 0"
        case "validValues":
            values = cast("list[Any]", value) if isinstance(value, list) else [value]
            return f"{quoted} IN ({', '.join(sql.literal(item, column.type, where) for item in values)})"
        case _:
            raise ContractError(
                f"{option!r} says nothing about valid values", where=where, fix=f"use one of {', '.join(ARGUMENTS)}"
            )


def _not_null(column: Column) -> Expectation:
    return Expectation("expect_column_values_to_not_be_null", {"column": column.name})


def _native(column: Column, arguments: Mapping[str, Any]) -> Expectation | None:
    """The expectation that says the same as one argument, where Great Expectations decides it in the same arithmetic.

    Bounds that are no integers are left out: Great Expectations compares a decimal with a double there.
    """
    if len(arguments) != 1:
        return None
    option, value = next(iter(arguments.items()))
    named = {"column": column.name}
    match option, value:
        case "minimum" | "exclusiveMinimum", int():
            kwargs = {**named, "min_value": value, "strict_min": option == "exclusiveMinimum"}
            return Expectation("expect_column_values_to_be_between", kwargs)
        case "maximum" | "exclusiveMaximum", int():
            kwargs = {**named, "max_value": value, "strict_max": option == "exclusiveMaximum"}
            return Expectation("expect_column_values_to_be_between", kwargs)
        case "minLength", int():
            return Expectation("expect_column_value_lengths_to_be_between", {**named, "min_value": value})
        case "maxLength", int():
            return Expectation("expect_column_value_lengths_to_be_between", {**named, "max_value": value})
        case "pattern", str():
            return Expectation("expect_column_values_to_match_regex", {**named, "regex": value})
        case "validValues", list() if column.type in ("string", "int", "bigint"):
            return Expectation("expect_column_values_to_be_in_set", {**named, "value_set": value})
        case _:
            return None


def _snake(option: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in option)


__all__ = [
    "ARGUMENTS",
    "ROW_METRICS",
    "Expectation",
    "Rule",
    "check_predicate",
    "on_rows",
    "rule_column",
    "rules",
    "source_column",
]
