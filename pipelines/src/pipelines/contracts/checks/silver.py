"""What a contract's `history`, `surrogateKey` and `lateness` must find in the rest of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

from pipelines.contracts.checks.columns import check_columns
from pipelines.contracts.document import Document
from pipelines.contracts.extensions import History
from pipelines.contracts.model import ChangeOrder, Contract

INSTANTS = ("date", "timestamp")
"""Types that a time may have."""
KEYED = ("string", "boolean", "date", "tinyint", "smallint", "int", "bigint", "decimal")
"""Types whose text every engine writes alike, so that a surrogate key may be made of them."""


def check_silver(contract: Contract, document: Document) -> None:
    """Check what a contract says of history, surrogate keys and late records.

    Raises:
        ContractError: it does not fit the rest of the contract; with the line.
    """
    check_columns(contract, document, _named(contract))
    for complaint, fix in chain(_history(contract), _surrogate_keys(contract), _lateness(contract)):
        raise document.error(complaint, "customProperties", fix=fix)


Complaints = Iterator[tuple[str, str]]
"""What is wrong, and the edit that mends it."""


def _named(contract: Contract) -> Mapping[str, Sequence[str]]:
    """The columns that they name."""
    history, lateness = contract.history, contract.lateness
    named: dict[str, Sequence[str]] = {
        "surrogateKey.of": [name for of in contract.surrogate_keys.values() for name in of],
        "lateness.column": [lateness.column] if lateness else [],
    }
    if history is not None:
        named["history.businessKey"] = history.business_key
        named["history.orderBy"] = history.order_by
        named["history.tracked"] = history.tracked
        named["history.effectiveFrom"] = [history.effective_from] if history.effective_from else []
    return named


def _history(contract: Contract) -> Complaints:
    history = contract.history
    if history is None:
        return
    if contract.layer != "source":
        yield "only the contract of a source has a history", "take `history` away"
    for name in (*history.business_key, *filter(None, [history.effective_from])):
        if not contract.column(name).required:
            yield f"column {name} tells changes apart and may be null", f"set `required: true` on {name}"
    if history.effective_from and contract.column(history.effective_from).type not in INSTANTS:
        yield f"history.effectiveFrom is {history.effective_from}, no date or timestamp", "name a column with a time"
    masked = {column.name for column in contract.personal_columns}
    for name in history.order_by:
        if name in masked:
            yield f"column {name} is masked, and pseudonyms have no order", "take it out of history.orderBy"
    for name in history.tracked:
        if name in history.business_key:
            yield f"column {name} is of the business key and never changes", "take it out of history.tracked"
    yield from _order(contract, history)


def _order(contract: Contract, history: History) -> Complaints:
    """What orders changes, against what the contract says of its deliveries."""
    if history.order_by and contract.change_order is not ChangeOrder.COLUMNS:
        by = "the envelope's sequence" if contract.change_feed else "their names"
        yield f"history.orderBy is without effect: changes are in the order of {by}", "take history.orderBy away"
    if history.deliveries == "snapshots":
        if contract.change_feed:
            yield "a delivery is a full snapshot or has the changes of a database", "set history.deliveries: changes"
        if contract.redelivery.policy != "append":
            fix = "set redelivery.policy: append"
            yield f"history needs former snapshots, and redelivery.policy is {contract.redelivery.policy}", fix


def _surrogate_keys(contract: Contract) -> Complaints:
    for name, of in contract.surrogate_keys.items():
        column = contract.column(name)
        if contract.layer != "source":
            yield f"column {name}: only silver makes surrogate keys", "select the key from silver"
        if column.type != "bigint":
            yield f"the surrogate key {name} is a bigint", "set logicalType: integer, physicalType: bigint"
        if column.sources or column.expression or column.required or column.options or column.quality or column.masking:
            fix = f"take everything else that is said of {name} away"
            yield f"the surrogate key {name} is made of other columns, and nothing else is asked of it", fix
        for other in of:
            if (kind := contract.column(other).type.split("(")[0]) not in KEYED:
                fix = f"use columns of {', '.join(KEYED)}"
                yield f"engines write the text of {other}, a {kind}, in different ways", fix
            if contract.column(other).surrogate_key:
                yield f"the surrogate key {name} is made of one, {other}", f"name the columns that {other} is made of"


def _lateness(contract: Contract) -> Complaints:
    if contract.lateness and contract.column(contract.lateness.column).type not in INSTANTS:
        yield f"lateness.column is {contract.lateness.column}, no date or timestamp", "name a column with a time"
