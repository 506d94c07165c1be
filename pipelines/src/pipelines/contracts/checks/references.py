"""What the sources of a domain say about each other: the keys that a rule looks up are there."""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.contracts.document import nearest
from pipelines.contracts.model import Contract
from pipelines.contracts.references import waves
from pipelines.errors import ContractError


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
