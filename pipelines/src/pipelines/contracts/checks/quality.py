"""Quality checks of one contract can be told apart."""

from __future__ import annotations

from pipelines.contracts.document import Document
from pipelines.contracts.model import Contract
from pipelines.errors import ContractError


def check_quality(contract: Contract, _document: Document) -> None:
    """Check that no id is that of two quality checks.

    Raises:
        ContractError: one is; with the line.
    """
    ids: dict[str, str] = {}
    for check in contract.every_check:
        if check.id in ids:
            raise ContractError(f"quality check {check.id} is there twice", where=check.where, fix=ids[check.id])
        ids[check.id] = f"the first is at {check.where}"
