"""What a contract says of the care of its tables fits together: the columns of the clustering, how long files stay."""

from __future__ import annotations

from pipelines.contracts.checks.columns import check_columns
from pipelines.contracts.document import Document
from pipelines.contracts.model import LONGEST_PERSONAL_HOURS, Classification, Contract


def check_maintenance(contract: Contract, document: Document) -> None:
    """Check how tables are clustered, and that personal data that was deleted leaves the disk soon enough.

    Raises:
        ContractError: a column is named that there is not, or deleted data stay too long; with the line.
    """
    check_columns(contract, document, {"maintenance.clusterBy": contract.maintenance.cluster_by})
    sensitive = contract.classification.rank >= Classification.PERSONAL.rank
    if sensitive and contract.vacuum_hours > LONGEST_PERSONAL_HOURS:
        raise document.error(
            f"maintenance.vacuumHours keeps {contract.classification} data {contract.vacuum_hours} hours after it was "
            f"deleted; {LONGEST_PERSONAL_HOURS} are the most",
            "customProperties",
            fix=f"set vacuumHours to {LONGEST_PERSONAL_HOURS} or less, or leave it out",
        )
