"""What the contract of a model must say, and what it must not."""

from __future__ import annotations

from pipelines.contracts.document import Document, nearest
from pipelines.contracts.model import Contract


def check_model(contract: Contract, document: Document) -> None:
    """Check that a derived table, and no other, has SQL, that its optional inputs are inputs, and silver reads no gold.

    Raises:
        ContractError: it is not so; with the line.
    """
    model = contract.model
    if (contract.layer == "source") != (model is None):
        raise document.error(
            f"a contract of the layer {contract.layer} has {'SQL' if model else 'no SQL'}",
            "customProperties",
            fix="add `- {property: model, value: {inputs: [silver.NAME], sql: NAME.sql}}` to customProperties for the "
            "layers silver and gold, and to no other",
        )
    if model is None:
        return
    for name in model.optional:
        if name not in model.inputs:
            raise document.error(
                f"{name} is optional and no input", "customProperties", fix=nearest(name, list(model.inputs))
            )
    if contract.layer == "silver" and (above := [name for name in model.inputs if name.startswith("gold.")]):
        raise document.error(
            f"silver is made before gold, and {contract.dataset} reads {above[0]}",
            "customProperties",
            fix="write `- {property: layer, value: gold}`, or read silver",
        )
