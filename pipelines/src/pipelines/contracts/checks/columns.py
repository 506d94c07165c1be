"""The columns that custom properties name are there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pipelines.contracts.document import Document, nearest
from pipelines.contracts.model import Contract


def check_columns(contract: Contract, document: Document, named: Mapping[str, Iterable[str]]) -> None:
    """Check that a contract has the columns that it names.

    Args:
        contract: The contract.
        document: Its document.
        named: Names of columns by the key that gives them, such as ``maintenance.clusterBy``.

    Raises:
        ContractError: one is not there; with the line, and the nearest one that is.
    """
    names = [column.name for column in contract.columns]
    for what, columns in named.items():
        for name in columns:
            if name not in names:
                raise document.error(
                    f"{what} names the column {name!r}, which there is not",
                    "customProperties",
                    fix=nearest(name, names),
                )
