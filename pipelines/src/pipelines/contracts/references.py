"""References between the datasets of a domain: which must be there before which."""

from __future__ import annotations

from collections.abc import Sequence
from graphlib import CycleError, TopologicalSorter

from pipelines.contracts.model import Contract
from pipelines.errors import ContractError


def waves(contracts: Sequence[Contract]) -> list[list[Contract]]:
    """Cut contracts into waves: each refers to datasets of earlier ones only; in a wave they keep their order.

    Raises:
        ContractError: datasets refer to each other in a circle.
    """
    names = {contract.dataset for contract in contracts}
    sorter = TopologicalSorter({contract.dataset: contract.looked_up & names for contract in contracts})
    try:
        sorter.prepare()
    except CycleError as error:
        circle = " -> ".join(error.args[1])
        raise ContractError(
            f"datasets refer to each other in a circle, so none can be first: {circle}",
            where=str(next(contract.path for contract in contracts if contract.dataset == error.args[1][0])),
            fix="take one of the checks with `references` away, or check it in SQL on the table",
        ) from None
    found: list[list[Contract]] = []
    while ready := set(sorter.get_ready()):
        found.append([contract for contract in contracts if contract.dataset in ready])
        sorter.done(*ready)
    return found
