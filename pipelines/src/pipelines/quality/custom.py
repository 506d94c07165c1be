"""Row checks of Levee's own, compiled to rules: predicates, financial templates, references to other datasets."""

from __future__ import annotations

from typing import cast

from pipelines import sql
from pipelines.contracts.extensions import Implementation, OnFailure
from pipelines.contracts.extensions.quality import References
from pipelines.contracts.model import Check, Contract
from pipelines.errors import ContractError
from pipelines.quality import currencies
from pipelines.quality.rule import Lookup, Rule, found_column


def custom_rule(contract: Contract, check: Check) -> Rule:
    """Compile a row check of Levee's own.

    Raises:
        ContractError: it names columns that there are not, or that it cannot look at; with its line.
    """
    look = cast("Implementation", check.look)
    lookup = _lookup(contract, check, look.references) if look.references else None
    return Rule(
        id=check.id,
        column=check.column,
        predicate=f"coalesce(({_looked(contract, check, look, lookup)}), true)",
        on_failure=check.on_failure or default_on_failure(check),
        kind="check",
        description=check.quality.description or check.quality.name or check.id,
        dimension=check.quality.dimension,
        lookup=lookup,
    )


def _looked(contract: Contract, check: Check, look: Implementation, lookup: Lookup | None) -> str:
    """The SQL of a row check of Levee's own; null where the row says nothing."""
    if look.row is not None:
        return look.row
    if look.not_negative is not None:
        return f"{named(contract, check, look.not_negative)} >= 0"
    if look.currency is not None:
        codes = ", ".join(sql.text(code) for code in sorted(currencies.DECIMALS))
        return f"{named(contract, check, look.currency)} IN ({codes})"
    if look.currency_decimals is not None:
        amount = named(contract, check, look.currency_decimals.amount, "decimal")
        scale = currencies.scale_of(named(contract, check, look.currency_decimals.currency, "string"))
        return f"({amount} * {scale}) % 1 = 0"
    assert lookup is not None  # the model has one of these
    absent = " OR ".join(f"{sql.name(column)} IS NULL" for column in lookup.of)
    return f"{absent} OR {sql.name(found_column(check.id))} IS NOT NULL"


def _lookup(contract: Contract, check: Check, references: References) -> Lookup:
    of = references.of or ((check.column,) if check.column else ())
    for column in of:
        named(contract, check, column)
    if len(of) != len(references.columns):
        raise ContractError(
            f"quality check {check.id} compares {len(of)} columns with {len(references.columns)}",
            where=check.where,
            fix="write as many in `references.of` as in `references.columns`, or move a check of one to its column",
        )
    if masked := [column.name for column in contract.personal_columns if column.name in of]:
        raise ContractError(
            f"quality check {check.id} looks up {masked[0]}, which is masked in silver",
            where=check.where,
            fix="refer to a key that is not personal",
        )
    return Lookup(references.dataset, references.columns, of, every_version=references.versions == "all")


def named(contract: Contract, check: Check, column: str | None, *types: str) -> str:
    """Quote a column that a check names.

    Raises:
        ContractError: the contract has none of that name, or it is of another type than one of `types`.
    """
    name = column or check.column
    known = {item.name: item.type for item in contract.columns}
    if name not in known:
        raise ContractError(
            f"quality check {check.id} names the column {name!r}, which there is not",
            where=check.where,
            fix=f"use one of {', '.join(known)}",
        )
    if types and known[name].split("(")[0] not in types:
        raise ContractError(
            f"quality check {check.id} cannot look at {name}, a {known[name]}",
            where=check.where,
            fix=f"name a column of type {' or '.join(types)}",
        )
    return sql.name(name)


def default_on_failure(check: Check) -> OnFailure:
    """What a broken row check does where the contract does not say: an ``error`` is quarantined, others are counted."""
    return "quarantine" if check.quality.severity in (None, "error") else "warn"
