"""What the elements of one contract must say about each other: a module a subject, and the list of their checks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from pipelines.contracts.checks.extraction import check_extraction
from pipelines.contracts.checks.ingestion import check_ingestion
from pipelines.contracts.checks.layer import check_layer
from pipelines.contracts.checks.maintenance import check_maintenance
from pipelines.contracts.checks.members import check_dimensions, check_members
from pipelines.contracts.checks.personal_data import check_personal_data
from pipelines.contracts.checks.quality import check_quality
from pipelines.contracts.checks.references import check_references
from pipelines.contracts.checks.silver import check_silver
from pipelines.contracts.document import Document
from pipelines.contracts.model import Contract

CHECKS: Final[tuple[Callable[[Contract, Document], None], ...]] = (
    check_layer,  # the others rely on what it has seen
    check_maintenance,
    check_members,
    check_silver,
    check_quality,
    check_personal_data,
    check_ingestion,
    check_extraction,
)
"""One a subject, in the order in which a contract is judged; what holds between contracts is ``check_references`` and
``check_dimensions``."""


def check_contract(contract: Contract, document: Document) -> None:
    """Check what elements of one contract say about each other.

    Raises:
        ContractError: two of them do not fit together; with the line.
    """
    for check in CHECKS:
        check(contract, document)


__all__ = ["CHECKS", "check_contract", "check_dimensions", "check_references"]
