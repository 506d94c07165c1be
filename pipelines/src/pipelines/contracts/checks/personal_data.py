"""What a contract says of personal data fits together: masks and types, the subject's columns, quasi-identifiers."""

from __future__ import annotations

from pipelines.contracts.checks.columns import check_columns
from pipelines.contracts.document import Document, nearest
from pipelines.contracts.model import Column, Contract


def check_personal_data(contract: Contract, document: Document) -> None:
    """Check masks, the data subject and the promise of k-anonymity.

    Raises:
        ContractError: a mask cannot mask its column, or a column is named that there is not; with the line.
    """
    for index, column in enumerate(contract.columns):
        if column.masking is not None:
            _check_mask(contract, column, document, ("schema", 0, "properties", index))
    subject, anonymity = contract.data_subject, contract.k_anonymity
    named = {
        "dataSubject.columns": subject.columns if subject else (),
        "kAnonymity.quasiIdentifiers": anonymity.quasi_identifiers if anonymity else (),
        "kAnonymity.sensitive": (anonymity.sensitive,) if anonymity and anonymity.sensitive else (),
    }
    check_columns(contract, document, named)
    if anonymity and contract.layer == "source":
        raise document.error(
            "kAnonymity is a promise of a model's table: a source's grows by batches, and a small group grows with it",
            "customProperties",
            fix="move it to the contracts of the models that are published",
        )
    if anonymity and contract.model is not None and contract.model.materialisation == "incremental":
        raise document.error(
            "kAnonymity is a promise of the whole table, and this one is built by increments",
            "customProperties",
            fix="set `materialisation: full` in its model",
        )
    for name in subject.columns if subject else ():
        if contract.layer == "source" and not contract.column(name).sources:
            raise document.error(
                f"dataSubject.columns names {name}, which is made from no source field",
                "customProperties",
                fix="name the column that holds what the source calls the subject",
            )


def _check_mask(contract: Contract, column: Column, document: Document, path: tuple[str | int, ...]) -> None:
    masking = column.masking
    if masking is None:
        return
    kind = column.type.split("(")[0]
    if kind not in masking.types:
        types = ", ".join(sorted(masking.types))
        raise document.error(
            f"column {column.name} is {column.type}, and {masking.method} as it is set masks {types}",
            *path,
            "logicalType",
            fix="choose another method or type",
        )
    if masking.by is not None and masking.by not in [other.name for other in contract.columns]:
        raise document.error(
            f"column {column.name} is shifted by {masking.by!r}, which there is not",
            *path,
            "customProperties",
            fix=nearest(masking.by, [other.name for other in contract.columns]),
        )
    if masking.method == "redact" and masking.text is None and (column.required or column.unique):
        raise document.error(
            f"column {column.name} is required and redacted to null",
            *path,
            "required",
            fix="set `text` in its masking, or let it be null",
        )
