"""What a contract promises of the table that it publishes: its rules on rows that hold there, and those that do not."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from pipelines.contracts import Contract
from pipelines.contracts.model import Column
from pipelines.quality.rules import Rule, rules

_OF_THE_SOURCE: Final = re.compile(r"\b_source_")


@dataclass(frozen=True, slots=True)
class Promises:
    """The rules of a contract, split.

    Attributes:
        kept: Rules that every published row keeps.
        others: Id of every other rule, with the reason why the table does not promise it.
    """

    kept: tuple[Rule, ...]
    others: tuple[tuple[str, str], ...]


def promises(contract: Contract) -> Promises:
    """Which row rules every row of the published table keeps.

    Raises:
        ContractError: a check cannot be compiled; with its line.
    """
    kept: list[Rule] = []
    others: list[tuple[str, str]] = []
    masked = {column.name for column in contract.personal_columns}
    blanked = {column.name for column in contract.personal_columns if _blanked(column)}
    for rule in rules(contract):
        if rule.kind == "type":
            continue  # of the source's text: the column's type says it of the table
        if rule.on_failure == "warn":
            others.append((rule.id, "it only warns"))
        elif rule.column in masked and not (_not_null(rule) and rule.column not in blanked):
            others.append((rule.id, "it is about values before they are masked"))
        elif _OF_THE_SOURCE.search(rule.predicate):
            others.append((rule.id, "it is about the source's text"))
        else:
            kept.append(rule)
    return Promises(tuple(kept), tuple(others))


def nullable(contract: Contract, column: Column) -> bool:
    """Whether the published column may hold nulls."""
    told = any(rule.column == column.name and _not_null(rule) for rule in promises(contract).kept)
    return not (told or column.key_position is not None)


def of_values(rule: Rule) -> bool:
    """Whether a rule says more of its column than that it is there."""
    return not _not_null(rule)


def _not_null(rule: Rule) -> bool:
    return rule.native is not None and rule.native.type == "expect_column_values_to_not_be_null"


def _blanked(column: Column) -> bool:
    """Whether the mask of a value may be null."""
    return column.masking is not None and column.masking.method == "redact" and column.masking.text is None


def bounds(contract: Contract, column: Column) -> dict[str, Any]:
    """What the contract asks of a column's values, by the standard's names of options.

    Both `logicalTypeOptions` and the arguments of checks that keep rows out; nothing of a masked column.
    """
    if column in contract.personal_columns:
        return {}
    kept = {rule.id for rule in promises(contract).kept}
    found = {option: value for option, value in column.options.items() if option != "format"}
    for check in column.quality:
        if check.id in kept and check.quality.metric == "invalidValues":
            found |= {option: value for option, value in check.quality.arguments.items() if option not in found}
    return found
