"""What a contract of a layer must say, and what it must not: files of a source, SQL of a derived table."""

from __future__ import annotations

from pipelines.contracts.document import Document, nearest
from pipelines.contracts.extensions import SqlModel
from pipelines.contracts.model import Contract


def check_layer(contract: Contract, document: Document) -> None:
    """Check that a derived table, and no other, has SQL, and that a source says how its files are read.

    Raises:
        ContractError: it is not so, an optional input is no input, or silver reads gold; with the line.
    """
    model = contract.model
    if (contract.layer == "source") != (model is None):
        raise document.error(
            f"a contract of the layer {contract.layer} has {'SQL' if model else 'no SQL'}",
            "customProperties",
            fix="add `- {property: model, value: {inputs: [silver.NAME], sql: NAME.sql}}` to customProperties for the "
            "layers silver and gold, and to no other",
        )
    if contract.layer == "source" and contract.ingestion is None:
        raise document.error(
            "a source's contract says how its files are read",
            "customProperties",
            fix="add `- {property: ingestion, value: {format: csv}}` to customProperties",
        )
    if model is not None:
        _check_inputs(contract, model, document)


def _check_inputs(contract: Contract, model: SqlModel, document: Document) -> None:
    for what, names in (("optional", model.optional), ("in `history`", model.history)):
        for name in names:
            if name not in model.inputs:
                raise document.error(
                    f"{name} is {what} and no input", "customProperties", fix=nearest(name, list(model.inputs))
                )
    if contract.layer == "silver" and (above := [name for name in model.inputs if name.startswith("gold.")]):
        raise document.error(
            f"silver is made before gold, and {contract.dataset} reads {above[0]}",
            "customProperties",
            fix="write `- {property: layer, value: gold}`, or read silver",
        )
