"""What would be better in a contract that the loader takes: one function a rule, from the contract to places in it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final, TypeAlias

from pipelines.contracts.diff.versions import SEMVER
from pipelines.contracts.model import Classification, Column, Contract
from pipelines.contracts.personal_names import personal_kind

Place: TypeAlias = tuple[str | int, ...]
Advice: TypeAlias = Iterator[tuple[str, Place]]
"""What was found, and the path of the element in the file."""

_STATUSES: Final = ("proposed", "draft", "active", "deprecated", "retired")
_FRESHNESS: Final = ("latency", "freshness", "frequency")
_MONEY: Final = re.compile(
    r"(?:^|_)(?:amount|price|revenue|cost|profit|salary|wage|fee|tax|vat|balance|turnover|sales|budget|payment)s?(?:_|$)"
)
_TABLE: Final = ("schema", 0)


def advice(contract: Contract) -> Iterator[tuple[str, str, Place]]:
    """Every rule that a contract does not keep: its id, what was found, and where."""
    for rule, check in _CHECKS.items():
        for message, place in check(contract):
            yield rule, message, place


def _version(contract: Contract) -> Advice:
    if not SEMVER.fullmatch(contract.version):
        yield f"the version {contract.version!r} is not three numbers", ("version",)


def _status(contract: Contract) -> Advice:
    if contract.standard.status not in _STATUSES:
        yield f"the status {contract.standard.status!r} is none of the standard's", ("status",)


def _owner(contract: Contract) -> Advice:
    if not contract.owner:
        yield f"nobody owns {contract.dataset}", ("team",)


def _contact(contract: Contract) -> Advice:
    if not contract.standard.support:
        yield f"nobody says where to ask about {contract.dataset}", ("support",)


def _description(contract: Contract) -> Advice:
    if not contract.description:
        yield f"{contract.dataset} has no description", _TABLE


def _column_description(contract: Contract) -> Advice:
    for index, column in enumerate(contract.columns):
        if not column.description:
            yield f"column {column.name} has no description", _column(index)


def _purpose(contract: Contract) -> Advice:
    purpose = contract.standard.description and contract.standard.description.purpose
    personal = [column.name for column in contract.columns if column.classification is Classification.PERSONAL]
    if personal and not purpose:
        names = ", ".join(personal)
        yield f"personal ({names}), and the contract does not say what for", ("description",)


def _looks_personal(contract: Contract) -> Advice:
    if contract.layer != "source":  # what is built of silver has its masked columns
        return
    for index, column in enumerate(contract.columns):
        kind = personal_kind(column.name)
        if kind and column.classification.rank < Classification.PERSONAL.rank and not column.derived:
            message = f"column {column.name} may hold a person's data ({kind}), and is {column.classification}"
            yield message, (*_column(index), "classification")


def _retention(contract: Contract) -> Advice:
    if contract.retention_days is None:
        yield f"{contract.dataset} is kept for ever", ("slaProperties",)


def _freshness(contract: Contract) -> Advice:
    if not any(sla.property in _FRESHNESS for sla in contract.standard.sla_properties):
        yield f"nobody says how fresh {contract.dataset} is", ("slaProperties",)


def _key(contract: Contract) -> Advice:
    """A contract that says which rows are the same has answered, too."""
    keyed = contract.primary_key or any(column.unique for column in contract.columns)
    answered = any(
        item.property == "deduplication" or (isinstance(item.value, dict) and "businessKey" in item.value)
        for item in contract.standard.custom_properties
    )
    if not keyed and not answered:
        yield f"{contract.dataset} has no key, and does not say which rows are the same", _TABLE


def _money(contract: Contract) -> Advice:
    for index, column in enumerate(contract.columns):
        if column.type in ("double", "float") and _MONEY.search(column.name):
            yield f"column {column.name} looks like money and is {column.type}", (*_column(index), "physicalType")


def _unused(contract: Contract) -> Advice:
    for index, column in enumerate(contract.columns):
        for field in _unnamed(column):
            message = f"column {column.name} takes the field {field!r} and does not use it"
            yield message, (*_column(index), "transformSourceObjects")


def _unnamed(column: Column) -> Iterator[str]:
    if column.expression is not None:
        for field in column.sources:
            if not re.search(rf"(?<!\w){re.escape(field)}(?!\w)", column.expression):
                yield field


def _checks(contract: Contract) -> Advice:
    if not contract.checks:
        yield f"no check is about {contract.dataset} as a whole", _TABLE


def _column(index: int) -> Place:
    return (*_TABLE, "properties", index)


_CHECKS: Final[Mapping[str, Callable[[Contract], Advice]]] = {
    "version-format": _version,
    "status-unknown": _status,
    "owner-missing": _owner,
    "contact-missing": _contact,
    "description-missing": _description,
    "column-description-missing": _column_description,
    "personal-purpose-missing": _purpose,
    "looks-personal": _looks_personal,
    "retention-missing": _retention,
    "freshness-missing": _freshness,
    "key-missing": _key,
    "money-double": _money,
    "source-field-unused": _unused,
    "checks-missing": _checks,
}
