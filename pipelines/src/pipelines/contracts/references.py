"""References between the datasets of a domain: which must be there before which."""

from __future__ import annotations

from collections.abc import Sequence
from graphlib import CycleError, TopologicalSorter

from pipelines.contracts.document import nearest
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


def check_references(sources: Sequence[Contract]) -> None:
    """Check that every key that a rule looks up is there.

    Raises:
        ContractError: it is of no source of the domain, or the source has no such column, or masks it; with the line.
    """
    known = {source.dataset: source for source in sources}
    for source in sources:
        for check in source.every_check:
            references = check.look.references if check.look else None
            if references is None:
                continue
            if references.dataset not in known:
                raise ContractError(
                    f"quality check {check.id} refers to {references.dataset!r}, which is no source of the domain",
                    where=check.where,
                    fix=nearest(references.dataset, sorted(known)),
                )
            columns = {column.name: column for column in known[references.dataset].columns}
            for name in references.columns:
                if name not in columns or columns[name].masking:
                    raise ContractError(
                        f"quality check {check.id} refers to {references.dataset}.{name}, "
                        + ("which is masked" if name in columns else "which there is not"),
                        where=check.where,
                        fix=nearest(name, sorted(name for name, column in columns.items() if not column.masking)),
                    )
    waves(sources)
