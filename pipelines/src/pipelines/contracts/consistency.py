"""What the elements of one contract say about each other: layers and their extensions, names of columns, ids."""

from __future__ import annotations

from pipelines.contracts.consistency_of_extraction import check_extraction
from pipelines.contracts.consistency_of_silver import check_silver
from pipelines.contracts.document import Document, nearest
from pipelines.contracts.ingestion_checks import check_ingestion
from pipelines.contracts.model import LONGEST_PERSONAL_HOURS, Classification, Contract
from pipelines.contracts.model_checks import check_model
from pipelines.contracts.personal_data import check_personal_data
from pipelines.errors import ContractError


def check_consistency(contract: Contract, document: Document) -> None:
    """Check what elements of one contract say about each other.

    Raises:
        ContractError: two of them do not fit together; with the line.
    """
    names = [column.name for column in contract.columns]
    check_model(contract, document)
    if contract.layer == "source" and contract.ingestion is None:
        raise document.error(
            "a source's contract says how its files are read",
            "customProperties",
            fix="add `- {property: ingestion, value: {format: csv}}` to customProperties",
        )
    referred = {
        "maintenance.clusterBy": contract.maintenance.cluster_by,
    }
    for what, columns in referred.items():
        for name in columns:
            if name not in names:
                raise document.error(
                    f"{what} names the column {name!r}, which there is not",
                    "customProperties",
                    fix=nearest(name, names),
                )
    check_silver(contract, document)
    sensitive = contract.classification.rank >= Classification.PERSONAL.rank
    if sensitive and contract.vacuum_hours > LONGEST_PERSONAL_HOURS:
        raise document.error(
            f"maintenance.vacuumHours keeps {contract.classification} data {contract.vacuum_hours} hours after it was "
            f"deleted; {LONGEST_PERSONAL_HOURS} are the most",
            "customProperties",
            fix=f"set vacuumHours to {LONGEST_PERSONAL_HOURS} or less, or leave it out",
        )
    ids: dict[str, str] = {}
    for check in (*contract.checks, *(check for column in contract.columns for check in column.quality)):
        if check.id in ids:
            raise ContractError(f"quality check {check.id} is there twice", where=check.where, fix=ids[check.id])
        ids[check.id] = f"the first is at {check.where}"
    check_personal_data(contract, document)
    if contract.ingestion is not None:
        check_ingestion(contract, contract.ingestion, document)
    if contract.extraction is not None:
        check_extraction(contract, contract.extraction, document)
