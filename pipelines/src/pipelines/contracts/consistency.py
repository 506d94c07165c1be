"""What the elements of one contract say about each other: layers and their extensions, names of columns, ids."""

from __future__ import annotations

from pipelines.contracts.document import Document, nearest
from pipelines.contracts.model import Contract
from pipelines.errors import ContractError


def check_consistency(contract: Contract, document: Document) -> None:
    """Check what elements of one contract say about each other.

    Raises:
        ContractError: two of them do not fit together; with the line.
    """
    names = [column.name for column in contract.columns]
    if contract.layer == "source" and contract.ingestion is None:
        raise document.error(
            "a source's contract says how its files are read",
            "customProperties",
            fix="add `- {property: ingestion, value: {format: csv}}` to customProperties",
        )
    if contract.layer == "gold" and contract.gold is None:
        raise document.error(
            "a gold contract says its inputs and its SQL",
            "customProperties",
            fix="add `- {property: gold, value: {inputs: [...], sql: NAME.sql}}` to customProperties",
        )
    referred = {
        "deduplication.businessKey": contract.deduplication.business_key,
        "deduplication.orderBy": contract.deduplication.order_by,
        "maintenance.zOrderBy": contract.maintenance.z_order_by,
    }
    for what, columns in referred.items():
        for name in columns:
            if name not in names:
                raise document.error(
                    f"{what} names the column {name!r}, which there is not",
                    "customProperties",
                    fix=nearest(name, names),
                )
    ids: dict[str, str] = {}
    for check in (*contract.checks, *(check for column in contract.columns for check in column.quality)):
        if check.id in ids:
            raise ContractError(f"quality check {check.id} is there twice", where=check.where, fix=ids[check.id])
        ids[check.id] = f"the first is at {check.where}"
